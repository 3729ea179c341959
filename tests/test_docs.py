"""Documentation is held to the code: what a user can type, set or map is written down, and what is written is there."""

from __future__ import annotations

import importlib.util
import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest
import yaml

from onegrid.cli import COMMANDS
from onegrid.settings import Settings, read_settings
from schemas import source_expect, source_reads
from schemas.properties import entity_types
from schemas.sources import FIELD_KEYS, KEYS, read_sources

ROOT = Path(__file__).parent.parent
DOCS = (*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md")))
PACKAGES = ("onegrid", "schemas", "connectors", "quality", "matching", "registry", "api", "dags", "town", "bench")
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\((?!https?:)([^)\s]+)\)")
VARIABLE = re.compile(r"\bONEGRID_[A-Z_]+\b")
TEST_NAME = re.compile(r"`(test_\w+)`")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def text_of(*names: str) -> str:
    return "\n".join((ROOT / name).read_text("utf-8") for name in names)


def code() -> str:
    return "\n".join(path.read_text("utf-8") for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))


def writer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_write", ROOT / "docs" / "write.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_write"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_generated_parts_are_what_the_code_says(path: Path) -> None:
    text = path.read_text("utf-8")
    assert writer().written(text) == text, "out of date: run make docs"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_every_command_and_option_is_documented(
    command: tuple[str, str, object, tuple[tuple[tuple[str, ...], object], ...]],
) -> None:
    name, _, _, options = command
    section = text_of("docs/operations.md").split(f"### `onegrid {name}`\n", 1)[1].split("\n###", 1)[0]
    for flags, _ in options:
        assert (flags[0] if flags[0].startswith("-") else flags[0].upper()) in section


def test_commands_that_the_guides_type_exist() -> None:
    known = {name: {flag for flags, _ in options for flag in flags} for name, _, _, options in COMMANDS}
    for path in DOCS:
        for line in re.findall(r"^(?:\.venv/bin/)?onegrid ([^#\n]+)", path.read_text("utf-8"), re.MULTILINE):
            name, *rest = line.split()
            assert name in known, f"{path.name}: onegrid {name}"
            flags = {word for word in rest if word.startswith("--")}
            assert flags <= known[name], f"{path.name}: onegrid {line}"


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    documented = set(VARIABLE.findall(text_of("docs/operations.md")))
    assert set(VARIABLE.findall(code())) == documented


def test_every_setting_comes_from_a_documented_variable(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://a:b@c/postgres")
    set_ = {
        "ONEGRID_HOME": "/h",
        "ONEGRID_DATABASE_URL_FILE": str(secret),
        "ONEGRID_LANDING": "/l",
        "ONEGRID_KEY_FILE": "/k",
        "ONEGRID_SPARK_MASTER": "spark://m:7077",
        "ONEGRID_SPARK_FOLDER": "/s",
    }
    found = read_settings(None, set_)
    assert all(getattr(found, field.name) is not None for field in fields(Settings))


@pytest.mark.parametrize("kind", entity_types())
def test_every_property_is_documented(kind: str) -> None:
    section = text_of("docs/properties.md").split(f"\n## {kind} ", 1)[1].split("\n## ", 1)[0]
    for name, found in entity_types()[kind].properties.items():
        assert f"| `{name}` | {found.title} |" in section


def source_keys() -> set[str]:
    """Every key a source file may hold, except properties and columns."""
    below_read = {key for keys in source_reads.KIND_KEYS.values() for key in keys} | set(source_reads.SHARED_KEYS)
    choices = {
        key for table in (source_reads.AUTH_KEYS, source_reads.PAGINATE_KEYS) for keys in table.values() for key in keys
    }
    return {
        *KEYS,
        *below_read,
        *choices,
        *FIELD_KEYS,
        *source_expect.BOUND_KEYS,
        *source_reads.AUTH_KEYS,
        *source_reads.PAGINATE_KEYS,
    }


@pytest.mark.parametrize("key", sorted(source_keys()))
def test_every_key_of_a_source_file_is_documented(key: str) -> None:
    assert re.search(
        rf"(?<![\w-]){re.escape(key)}(?![\w-])",
        " ".join(re.findall(r"`[^`\n]+`", text_of("docs/guide/data-officer.md"))),
    )


def test_every_key_of_a_source_file_has_its_row() -> None:
    rows = "\n".join(re.findall(r"^\| (`.+?) \|", text_of("docs/guide/data-officer.md"), re.MULTILINE))
    below_read = {key for keys in source_reads.KIND_KEYS.values() for key in keys} | set(source_reads.SHARED_KEYS)
    assert {key for key in {*KEYS, *below_read} if f"`{key}`" not in rows} == set()


def test_yaml_in_the_guides_is_yaml() -> None:
    for path in DOCS:
        for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            assert isinstance(yaml.safe_load(block), dict), path.name


def test_the_example_feeds_are_declared_right() -> None:
    sources, errors = read_sources(ROOT / "docs" / "example")
    assert [source.name for source in sources] == ["population", "visits"]
    assert errors == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in LINK.findall(path.read_text("utf-8")):
        name, _, anchor = unquote(link).partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        if anchor:
            assert anchor in {_anchor(title) for title in HEADING.findall(target.read_text("utf-8"))}, link


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_every_guide_and_decision_is_reached_from_its_index() -> None:
    for folder, index in (("guide", "docs/README.md"), ("decisions", "docs/decisions/README.md")):
        listed = text_of(index)
        for path in sorted((ROOT / "docs" / folder).glob("*.md")):
            assert path.name == "README.md" or f"{path.name})" in listed, path.name


def test_readmes_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text_of("Makefile"), re.MULTILINE))
    readme = text_of("README.md")
    assert set(re.findall(r"^make ([a-z-]+)", readme, re.MULTILINE)) <= targets
    mentioned = readme.split("`make help` lists the others: ", 1)[1].split(".", 1)[0]
    assert set(re.findall(r"`([a-z-]+)`", mentioned)) <= targets


def test_the_guards_that_security_names_are_tested() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))
    named = TEST_NAME.findall(text_of("SECURITY.md"))
    assert len(named) > 20
    assert [name for name in named if f"def {name}(" not in tests] == []


def test_every_error_is_given_an_exit_code_that_is_documented() -> None:
    from onegrid import errors

    codes = {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.OneGridError)
    }
    table = re.findall(r"^\| ([0-9]+)[ ,]", text_of("docs/operations.md"), re.MULTILINE)
    assert {str(number) for number in codes} <= set(table)
