"""The house: what is pinned, what the container starts, and what no file may hold."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

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
        path
        for path in committed()
        if path.name in ("master.key", "secrets", "postgres_password", "database_url", "admin_password")
    ] == []


def test_the_lock_pins_each_package_once_and_exactly() -> None:
    lines = [
        line
        for line in (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    assert len(pins()) == len(lines)


@pytest.mark.parametrize("group", ["", "mysql", "s3", "cluster", "bench", "test"])
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


def test_secrets_and_state_stay_out_of_the_image_and_the_repository() -> None:
    for name in (".dockerignore", ".gitignore"):
        lines = {line.strip().rstrip("/") for line in (ROOT / name).read_text("utf-8").splitlines()}
        assert {"secrets", ".venv", ".demo"} <= lines, name
