"""The guide's commands work as they are written: each is run by a shell against the service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from district import ROOT, id_number, person
from service import Service

GUIDE = ROOT / "docs" / "guide" / "department.md"
COMMANDS = re.findall(r"^curl (?:.*\\\n)*.*$", GUIDE.read_text("utf-8"), re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the guide's commands are curl's")


@pytest.fixture(scope="module")
def shell(service: Service, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder in which the guide's first lines were followed, and what its variables stand for."""
    registry, said = service.district.registry(), person(4)
    named = {"ONEGRID": service.url, "TOKEN": service.token("department"), "NUMBER": id_number(4)}
    keys = {"MINE": "r004", "THEIRS": "p004", "MOMENT": "2999-01-01T00:00:00Z"}
    codes = {"PERSON": registry.code("population", "r004"), "HOUSEHOLD": _home(service)}
    folder = tmp_path_factory.mktemp("guide")
    environ = {
        **os.environ,
        **named,
        **keys,
        **codes,
        "NAME": said["name"],
        "ADDRESS": said["address"],
        "PHONE": said["phone"],
    }
    (before,) = re.findall(r"^umask 077\n.*$", GUIDE.read_text("utf-8"), re.MULTILINE)
    subprocess.run(["bash", "-ec", before], cwd=folder, env=environ, check=True)
    return folder, environ


def test_the_guide_shows_every_way_to_ask() -> None:
    asked = set(re.findall(r"\$ONEGRID(/v1/\w+)", "\n".join(COMMANDS)))
    assert asked == {
        "/v1/lookup", "/v1/persons", "/v1/households", "/v1/search", "/v1/check", "/v1/changes", "/v1/quality", "/v1/codes",
        "/v1/tickets", "/v1/entities", "/v1/why",
    }  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=range(len(COMMANDS)))
def test_the_guides_commands_work(command: str, shell: tuple[Path, dict[str, str]]) -> None:
    folder, environ = shell
    done = subprocess.run(["bash", "-ec", command], cwd=folder, env=environ, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    assert "status" not in found or found.get("code") == environ["PERSON"], found
    told = (
        found.get("code") or found.get("codes") or found["items"] or "/v1/tickets" in command
    )  # none is to be corrected
    assert told, found


def test_the_tokens_file_is_for_its_owner_alone(shell: tuple[Path, dict[str, str]]) -> None:
    assert (shell[0] / "onegrid.curl").stat().st_mode & 0o077 == 0


def _home(service: Service) -> str:
    members = service.district.registry().members.query("source == 'population' and key == 'r004'")
    return str(members.loc[members["kind"] == "residential", "code"].iloc[0])
