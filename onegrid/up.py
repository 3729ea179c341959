"""The hub as one program: database, Airflow and API, started, watched and stopped together."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onegrid.airflow_home import ADMINISTRATOR, AirflowHome, airflow_command
from onegrid.database import Database, open_database
from onegrid.errors import RunBusy, SourceFileError
from onegrid.processes import Broken, Crew, Program, check_port
from onegrid.settings import Settings
from schemas.migrations import migrate
from schemas.sources import read_sources

READY_S = 180.0
LOOK_S = 0.25
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Ports:
    """Where the programs listen."""

    host: str
    api: int
    airflow: int


@dataclass(frozen=True)
class Up:
    """The running hub."""

    database: Database
    airflow: AirflowHome
    crew: Crew
    api_url: str

    def addresses(self) -> str:
        """Where everything is, as lines for the person at the keyboard."""
        return (
            f"API      {self.api_url}   description {self.api_url}/docs   `onegrid token create` gives access\n"
            f"Airflow  {self.airflow.url}   user {ADMINISTRATOR}, password in {self.airflow.password_file}"
        )


@contextmanager
def hub_up(settings: Settings, sources: Path, ports: Ports, tell: Progress) -> Iterator[Up]:
    """Starts the hub over a folder of source files; with the block all of it ends.

    Raises PortTaken, RunBusy when another hub is up on the home, SourceFileError when the folder declares nothing, what
    `open_database` raises, AirflowFailed, and Broken when a program does not come up.
    """
    for port, option in ((ports.api, "--api-port"), (ports.airflow, "--airflow-port")):
        check_port(ports.host, port, option)
    _check_sources(sources, tell)
    tell("Starting the database ...")
    with open_database(settings) as database, _only_hub(settings.home), Crew(tell) as crew:
        airflow = AirflowHome(settings.home / "airflow", sources.absolute(), ports.host, ports.airflow)
        airflow.write_configuration(database.airflow_url)
        migrate(database)
        up = Up(database, airflow, crew, f"http://{ports.host}:{ports.api}")
        _start(up, settings, ports, tell)
        yield up


@contextmanager
def _only_hub(home: Path) -> Iterator[None]:
    """Holds a home that is there for one hub: two would schedule every feed twice. The kernel's lock: kill -9 lets it go."""
    handle = os.open(home / "hub.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunBusy(f"Another hub is up on the home {home}: stop it, or name another with --home.") from None
        yield
    finally:
        os.close(handle)


def _check_sources(folder: Path, tell: Progress) -> None:
    declared, errors = read_sources(folder)
    if not declared and isinstance(errors[0], SourceFileError):
        raise errors[0]
    for error in errors:
        tell(f"onegrid: {error}")


def _start(up: Up, settings: Settings, ports: Ports, tell: Progress) -> None:
    environ, logs = up.airflow.environ(settings.home), settings.home / "logs"
    words = [sys.executable, "-m", "api", "--host", ports.host, "--port", str(ports.api)]
    up.crew.add(Program("api", words, environ, logs / "api.log"))
    words = [sys.executable, "-m", "onegrid.cli", "webhook", "deliver"]
    up.crew.add(Program("webhooks", words, environ, logs / "webhooks.log"))
    tell("Starting Airflow (its tables and log-in are made on the first start) ...")
    up.airflow.set_up(settings.home)
    for name, more in (("api-server", ()), ("scheduler", ("--skip-serve-logs",)), ("dag-processor", ())):
        program = Program(f"airflow {name}", airflow_command(name, *more), environ, logs / f"airflow-{name}.log")
        up.crew.add(program)
    _await(up, f"{up.api_url}/readyz", lambda _: True)
    tell(f"The API answers at {up.api_url}")
    _await(up, f"{up.airflow.url}/api/v2/monitor/health", _all_healthy)
    tell(f"Airflow answers at {up.airflow.url}")


def _all_healthy(body: bytes) -> bool:
    found = json.loads(body)
    return all(found[name]["status"] == "healthy" for name in ("metadatabase", "scheduler", "dag_processor"))


def _await(up: Up, url: str, good: Callable[[bytes], bool]) -> None:
    """Waits until `url` answers well."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        up.crew.check()
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - an address of ours
                if good(answer.read()):
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass  # not yet: asked again until the deadline
        time.sleep(LOOK_S)
    raise Broken(f"{url} did not answer within {READY_S:.0f} s: see the logs of its program.")


def stay_up(up: Up) -> None:
    """Returns never; Broken when a program does not stay up, and whatever stop signal comes."""
    while True:
        up.crew.check()
        time.sleep(LOOK_S)
