"""The house: what is pinned, what the container starts, and what no file may hold."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from onegrid.cli import COMMANDS

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"([a-z0-9][a-z0-9._-]*)==([0-9][^\s;#]*)")
# Put together here so that this file does not hold what it forbids.
HOSTS = (
    "py" + "pi.org",
    "files.python" + "hosted.org",
    "registry." + "npmjs",
    "conda." + "anaconda.org",
    "mirrors." + "aliyun",
    "tuna." + "tsinghua",
)
MACHINE = re.compile(r"(?<![\w.])/(?:work|root|home/[a-z]+|Users/[A-Za-z]+)/" + r"[\w.]")
ALLOWED_PATHS = ("/home/onegrid",)  # inside the container
TEXT = {
    ".py",
    ".md",
    ".yml",
    ".yaml",
    ".toml",
    ".tsv",
    ".csv",
    ".lock",
    ".svg",
    ".j2",
    ".mako",
    ".txt",
    ".sql",
    ".json",
    "",
}


def committed() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).exists()]


def readable() -> list[tuple[Path, str]]:
    chosen = [path for path in committed() if path.suffix in TEXT]
    return [(path, path.read_text("utf-8", "replace")) for path in chosen]


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = [line.strip() for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()]
    found = {}
    for line in lines:
        if line and not line.startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"requirements.lock: {line} is not pinned exactly"
            found[normal(match[1])] = match[2]
    return found


def test_no_file_names_a_registrys_host() -> None:
    assert [(path.name, host) for path, text in readable() for host in HOSTS if host in text] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    found = []
    for path, text in readable():
        for line in text.splitlines():
            bare = line
            for allowed in ALLOWED_PATHS:
                bare = bare.replace(allowed, "")
            if MACHINE.search(bare):
                found.append((str(path.relative_to(ROOT)), line.strip()[:80]))
    assert found == []


def test_no_secret_is_committed() -> None:
    private = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
    assert [path.name for path, text in readable() if private.search(text)] == []
    assert [
        path for path in committed() if path.name in ("master.key", "secrets", "postgres_password", "database_url")
    ] == []


def test_the_lock_pins_each_package_once_and_exactly() -> None:
    lines = [
        line
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert len(pins()) == len(lines)


@pytest.mark.parametrize("group", ["", "mysql", "bench", "test"])
def test_the_lock_covers_what_the_project_needs(group: str) -> None:
    from packaging.requirements import Requirement

    spec = project()["project"]
    wanted = [Requirement(text) for text in (spec["optional-dependencies"][group] if group else spec["dependencies"])]
    pinned = pins()
    assert [need.name for need in wanted if normal(need.name) not in pinned] == []
    assert [
        str(need) for need in wanted if not need.specifier.contains(pinned[normal(need.name)], prereleases=True)
    ] == []


def test_the_build_tool_is_pinned_too() -> None:
    assert "setuptools" in pins(), "setup builds without isolation: its tool must come from the lock"


def test_every_package_is_listed_and_exists() -> None:
    listed = set(project()["tool"]["setuptools"]["packages"])
    folders = {
        path.parent for path in committed() if path.name == "__init__.py" and path.relative_to(ROOT).parts[0] != "tests"
    }
    assert {str(folder.relative_to(ROOT)).replace(os.sep, ".") for folder in folders} == listed


# ---------------------------------------------------------------- containers


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return found


def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text("utf-8")


def test_compose_has_the_two_services_and_the_hub_waits_for_its_database() -> None:
    services = compose()["services"]
    assert set(services) == {"postgres", "onegrid"}
    assert services["postgres"]["image"].startswith("postgres:")
    assert services["onegrid"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert "pg_isready" in " ".join(services["postgres"]["healthcheck"]["test"])


def test_compose_sets_only_variables_that_the_program_reads() -> None:
    known = set(re.findall(r'"(ONEGRID_[A-Z_]+)"', (ROOT / "onegrid" / "settings.py").read_text("utf-8")))
    assert set(compose()["services"]["onegrid"]["environment"]) <= known


def test_compose_takes_secrets_from_files_and_has_no_default_password() -> None:
    found = compose()
    declared = found["secrets"]
    assert all(set(secret) == {"file"} for secret in declared.values())
    for service in found["services"].values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD|TOKEN|URL|KEY", name):
                assert name.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in service["secrets"]
        assert set(service["secrets"]) <= set(declared)
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert "POSTGRES_HOST_AUTH_METHOD" not in text
    assert "ports" not in found["services"]["postgres"]


def test_composes_volumes_are_declared_and_the_sources_are_read_only() -> None:
    found = compose()
    mounts = [mount for service in found["services"].values() for mount in service["volumes"]]
    named = {mount.split(":")[0] for mount in mounts if re.match(r"[a-z]+:", mount)}
    assert named == set(found["volumes"])
    assert [mount for mount in mounts if mount.endswith(":/sources:ro")]


def test_the_containers_command_is_one_of_ours() -> None:
    options = {name: {flag for flags, _ in options for flag in flags} for name, _, _, options in COMMANDS}
    name, *rest = compose()["services"]["onegrid"]["command"]
    assert {word for word in rest if word.startswith("--")} <= options[name]
    assert f'CMD ["{name}"' in dockerfile()


def test_the_container_runs_as_a_user_without_rights_from_the_lock() -> None:
    text = dockerfile()
    user = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")
    assert "--no-deps -r requirements.lock" in text
    assert re.search(r"^FROM python:3\.11-slim$", text, re.MULTILINE)


def test_the_container_holds_every_package() -> None:
    copied = set(re.findall(r"^COPY (\w+) \w+$", dockerfile(), re.MULTILINE))
    assert {name.split(".")[0] for name in project()["tool"]["setuptools"]["packages"]} == copied


def test_secrets_and_state_stay_out_of_the_image_and_the_repository() -> None:
    for name in (".dockerignore", ".gitignore"):
        lines = {line.strip().rstrip("/") for line in (ROOT / name).read_text("utf-8").splitlines()}
        assert {"secrets", ".venv", ".demo"} <= lines, name
