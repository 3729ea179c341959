"""Programs beside this one: they are kept running, said when they do not stay up, and leave nothing behind."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from onegrid.errors import PortTaken
from onegrid.processes import TRIES, Broken, Crew, Program, check_port

FOR_EVER = "import time; time.sleep(600)"
PARENT = f"import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', {FOR_EVER!r}]); print(p.pid, flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {FOR_EVER}"


def program(folder: Path, code: str, name: str = "one") -> Program:
    return Program(name, [sys.executable, "-c", code], os.environ, folder / f"{name}.log")


def eventually(true: Callable[[], bool], within: float = 10.0) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    with Crew(print) as crew:
        one = program(tmp_path, PARENT)
        crew.add(one)
        eventually(lambda: one.log.read_text().strip().isdigit())
        child = int(one.log.read_text())
        assert psutil.pid_exists(child)
    eventually(lambda: not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE)
    assert one.process is not None
    assert one.process.poll() is not None


def test_a_program_that_ends_is_started_again_and_what_it_left_is_killed(tmp_path: Path) -> None:
    told: list[str] = []
    with Crew(told.append) as crew:
        one = program(tmp_path, PARENT)
        crew.add(one)
        eventually(lambda: one.log.read_text().strip().isdigit())
        child, first = int(one.log.read_text()), one.process
        assert first is not None
        first.kill()
        eventually(lambda: one.process is not first)
        assert one.process is not None
        assert one.process.poll() is None
        eventually(lambda: not psutil.pid_exists(child))
    assert "one ended by itself" in told[0]
    assert str(one.log) in told[0]


def test_one_that_does_not_stay_up_is_given_up_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onegrid.processes.PAUSE_S", 0.01)
    with Crew(lambda _: None) as crew:
        crew.add(program(tmp_path, "raise SystemExit(3)"))
        eventually(lambda: crew.failed is not None, within=30)
        with pytest.raises(Broken, match=rf"one ended by itself \(exit 3.*{TRIES} times in a row"):
            crew.check()


def test_one_that_cannot_be_started_again_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onegrid.processes.PAUSE_S", 0.01)
    with Crew(lambda _: None) as crew:
        one = program(tmp_path, "raise SystemExit(3)")
        crew.add(one)
        one.command = [str(tmp_path / "gone")]
        eventually(lambda: crew.failed is not None)
        with pytest.raises(Broken, match=r"one cannot be started \(No such file"):
            crew.check()


def test_a_deaf_program_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onegrid.processes.STOP_S", 0.3)
    with Crew(print) as crew:
        one = program(tmp_path, STUBBORN)
        crew.add(one)
        eventually(lambda: "deaf" in one.log.read_text())
    assert one.process is not None
    assert one.process.poll() == -9


def test_the_log_is_for_this_user_alone(tmp_path: Path) -> None:
    with Crew(print) as crew:
        one = program(tmp_path, FOR_EVER)
        crew.add(one)
        assert one.log.stat().st_mode & 0o077 == 0


def test_a_taken_port_is_said_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"Port {port} of 127\.0\.0\.1 cannot be used.*--api-port"):
            check_port("127.0.0.1", port, "--api-port")
    check_port("127.0.0.1", port, "--api-port")
