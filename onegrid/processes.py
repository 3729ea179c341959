"""Programs that run beside this one: started, watched, started again when they end, and stopped with all they started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from onegrid.errors import OneGridError, PortTaken
from onegrid.workers import die_with_parent

LOOK_S = 0.2
STOP_S = 15.0  # to end in good order, before what is left is killed
STEADY_S = 60.0  # a program that ran that long is not failing in a row
TRIES = 5
PAUSE_S = 1.0  # before it is started again, doubled each time
Progress = Callable[[str], None]


class Broken(OneGridError):
    """A program beside this one does not stay up."""


@dataclass
class Program:
    """One program: what to call it, its command, its environment, and the file its output goes to."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str] = field(repr=False)
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0

    def start(self) -> None:
        """Start it in a group of its own, so that a Ctrl-C at the keyboard reaches this process alone."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        parent = os.getpid()
        with open(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as out:
            self.process = subprocess.Popen(  # noqa: S603 - commands of this program alone
                self.command,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM),  # noqa: PLW1509 - takes no lock
            )
        self.started = time.monotonic()


class Crew:
    """All programs beside this one. `failed` holds the sentence when one of them does not stay up."""

    def __init__(self, tell: Progress) -> None:
        self.tell = tell
        self.programs: list[Program] = []
        self.failed: str | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="crew", daemon=True)
        self._due: dict[str, float] = {}

    def add(self, program: Program) -> None:
        """Start a program and keep it running."""
        program.start()
        self.programs.append(program)

    def check(self) -> None:
        """Raises Broken when a program does not stay up."""
        if self.failed:
            raise Broken(self.failed)

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_S):
            for program in self.programs:
                try:
                    self._look_at(program, time.monotonic())
                except OSError as error:  # told by `check`: a watcher that is gone would watch nothing
                    self.failed = f"{program.name} cannot be started ({error.strerror})."

    def _look_at(self, program: Program, now: float) -> None:
        if program.name in self._due:
            if now >= self._due[program.name]:
                del self._due[program.name]
                program.start()
            return
        if program.process is None or program.process.poll() is None or self.failed:
            return
        _kill_group(program.process.pid)
        program.failures = 1 if now - program.started > STEADY_S else program.failures + 1
        ended = f"{program.name} ended by itself (exit {program.process.returncode}, see {program.log})"
        if program.failures >= TRIES:
            self.failed = f"{ended}, {TRIES} times in a row."
            return
        pause = PAUSE_S * 2 ** (program.failures - 1)
        self.tell(f"{ended}: it is started again in {pause:g} s")
        self._due[program.name] = now + pause

    def stop(self) -> None:
        """End all programs, the last started first, and whatever they started; returns when nothing of them is left."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        running = [found.process for found in reversed(self.programs) if found.process and found.process.poll() is None]
        family = [child for process in running for child in _family(process.pid)]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
        for process in running:
            _kill_group(process.pid)
        for child in family:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        for process in running:
            process.wait()
        psutil.wait_procs(family, STOP_S)

    def __enter__(self) -> Crew:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with _undisturbed():
            self.stop()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C must not cut the way out short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _family(pid: int) -> list[psutil.Process]:
    try:
        found: list[psutil.Process] = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return found


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def check_port(host: str, port: int, option: str) -> None:
    """Raises PortTaken when another program listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(
                f"Port {port} of {host} cannot be used ({error.strerror}): stop the program that listens there, "
                f"or name another port with {option}."
            ) from None
