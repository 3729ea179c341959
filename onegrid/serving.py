"""The commands that stay: `onegrid up`, and `onegrid demo`, which is `up` over the sample town."""

from __future__ import annotations

import argparse
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from onegrid.printing import household_of_note, injected_text, saved_text, say, summary_text
from onegrid.settings import Settings, default_home, read_settings

if TYPE_CHECKING:
    from onegrid.up import Up
    from town.systems import Systems

HOST, API_PORT, AIRFLOW_PORT = "127.0.0.1", 8000, 8080
Arguments = argparse.Namespace


def up(arguments: Arguments) -> int:
    """Start database, Airflow and API, print where they are, and keep them running until a stop signal."""
    from onegrid.up import Ports, hub_up, stay_up

    ports = Ports(arguments.host, arguments.api_port, arguments.airflow_port)
    with hub_up(read_settings(arguments.home), arguments.sources, ports, timed(say)) as running:
        print(running.addresses(), flush=True)
        say("Ctrl-C stops everything.")
        stay_up(running)
    return 0


def prepare(arguments: Arguments) -> int:
    """Make databases, tables, keys and Airflow's configuration and log-in, for programs that others start."""
    from onegrid.airflow_home import AirflowHome
    from onegrid.database import open_database
    from onegrid.sealing import Keyring
    from schemas.migrations import migrate

    settings = read_settings(arguments.home)
    with open_database(settings) as database:
        migrate(database)
        Keyring.open(settings.master_key)
        home = settings.home / "airflow"
        airflow = AirflowHome(home, arguments.sources.absolute(), arguments.host, arguments.airflow_port)
        airflow.write_configuration(database.airflow_url)
        airflow.set_up(settings.home)
    say(f"Ready. Airflow's administrator is admin, the first password lies in {airflow.password_file}.")
    return 0


def timed(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Progress with the seconds since now before each line."""
    start = time.monotonic()
    return lambda line: tell(f"[{time.monotonic() - start:5.0f} s] {line}")


def demo(arguments: Arguments) -> int:
    """Build the sample town, start its departments' systems and the hub, and run all feeds through Airflow."""
    from onegrid.up import Ports, hub_up, stay_up
    from town.systems import open_systems

    tell = timed(say)
    folder = (arguments.dir or default_home() / "demo").absolute()
    town, home = folder / "town", folder / "home"
    _build_town(folder, town, arguments, tell)
    with open_systems(town, tell) as systems:
        os.environ.update(systems.environment)  # what ${...} in the source files stands for
        ports = Ports(arguments.host, arguments.api_port, arguments.airflow_port)
        with hub_up(read_settings(home), systems.sources, ports, tell) as running:
            failures = _show(running, systems, read_settings(home), tell)
            print(running.addresses(), flush=True)
            if not arguments.no_wait:
                say("Ctrl-C stops everything.")
                stay_up(running)
    return 1 if failures else 0


def _show(running: Up, systems: Systems, settings: Settings, tell: Callable[[str], None]) -> tuple[str, ...]:
    """One synchronisation of the town through Airflow, and what came of it; returns what failed."""
    from onegrid.pipeline import open_hub
    from onegrid.synchronising import ACTOR, synchronise
    from registry.figures import saved_collection
    from schemas.sources import read_sources

    start = time.monotonic()
    declared, _ = read_sources(systems.sources)
    with open_hub(settings, ACTOR, tell) as hub:
        summary = synchronise(running, hub, [source.name for source in declared])
        seconds = time.monotonic() - start
        print(
            f"\n{summary_text(summary)}\nwall      {seconds:.1f} s from the first sync started to the registry published"
        )
        with hub.database.session(ACTOR) as connection:
            print(saved_text(saved_collection(connection)))
        print(household_of_note(hub))
    print(injected_text(systems.requests(), systems.injected()))
    return summary.errors


def _build_town(folder: Path, town: Path, arguments: Arguments, tell: Callable[[str], None]) -> None:
    """The town below `folder`, of the scale that is asked for; one of another scale is built anew."""
    from town import build

    mark = folder / ".scale"
    if mark.exists() and mark.read_text() != str(arguments.scale):
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if mark.exists():
        return
    tell(f"Building X Street at scale {arguments.scale:g} in {town} ...")
    build(arguments.scale, arguments.seed, town, tell=tell)
    mark.write_text(str(arguments.scale))
