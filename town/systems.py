"""X Street's departments as real systems: the population in its own PostgreSQL, policing behind a server, files in their folder.

Nothing of the town changes but how two feeds are read: `sources` holds the same names, keys and maps as the plain source
files, so the town's truth applies as it is.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from onegrid.errors import SettingsError
from town.build import next_day
from town.draw import stream
from town.families import AS_OF
from town.policing_server import PATH, Faults, Station, read_residents, served
from town.registry_office import RegistryOffice, registry_office
from town.turnover import Turnover

Progress = Callable[[str], None]
LIVE = "live"  # beside `sources`, so that what is written relative to a source file stays right
PAGE_ROWS = 500


@dataclass(frozen=True)
class Systems:
    """The running systems of the town below `folder`. environment: what `${...}` in the source files stands for."""

    folder: Path
    sources: Path
    environment: dict[str, str] = field(repr=False)
    office: RegistryOffice = field(repr=False)
    station: Station = field(repr=False)
    tell: Progress = field(repr=False)

    def injected(self) -> dict[str, int]:
        """How often the policing server failed on purpose, by status."""
        return {str(status): count for status, count in sorted(self.station.faults.counts.items())}

    def requests(self) -> int:
        """How often it was asked by somebody who may."""
        return self.station.faults.requests

    def next_day(self) -> dict[str, Turnover]:
        """The next day's files and rows, put into the same systems: what it did to the two that are no files."""
        next_day(self.folder)
        day = _town(self.folder)["day"]
        evening = f"{AS_OF + np.timedelta64(day, 'D')} 23:00:00"
        turned = {
            "population": self.office.turn(),
            "policing": self.station.turn(read_residents(self.folder / "data" / "policing.jsonl"), evening),
        }
        for name, turnover in turned.items():
            self.tell(
                f"{name}, day {day}: {turnover.changed} rows changed, {turnover.added} added, {turnover.withdrawn} withdrawn"
            )
        return turned


@contextmanager
def open_systems(folder: Path, tell: Progress) -> Iterator[Systems]:
    """Starts the systems of the town that `town.build` wrote below `folder`; they end with the block.

    Raises SettingsError where there is no town, and what `onegrid.postgres.embedded` raises.
    """
    folder = folder.absolute()
    seed = _town(folder)["seed"]
    feed = folder / "data" / "population.sqlite"
    residents = read_residents(folder / "data" / "policing.jsonl")
    token = secrets.token_urlsafe(32)
    station = Station(residents, token, Faults(stream(seed, "policing", "faults")))
    with registry_office(folder / "population_db", feed) as office, served(station) as address:
        environment = {"POPULATION_DB": office.url, "POLICING_URL": address, "POLICING_TOKEN": token}
        tell("population: a PostgreSQL database of its own")
        tell(f"policing: a server at {address} with {len(residents)} residents")
        yield Systems(folder, _declared(folder), environment, office, station, tell)


def _town(folder: Path) -> dict[str, Any]:
    state = folder / "truth" / "town.json"
    if not state.exists():
        raise SettingsError(f"{folder} holds no town; make one with python -m town --out {folder}")
    known: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
    return known


def _declared(folder: Path) -> Path:
    """The source files once more, with `read` as the systems want it."""
    live = folder / LIVE
    live.mkdir(exist_ok=True)
    for plain in sorted((folder / "sources").glob("*.yml")):
        spec = yaml.safe_load(plain.read_text(encoding="utf-8"))
        spec["read"] = READS.get(spec["name"], dict)(spec["read"])
        (live / plain.name).write_text(
            yaml.safe_dump(spec, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8"
        )
    return live


def _from_office(read: dict[str, Any]) -> dict[str, Any]:
    return {**read, "connection": "${POPULATION_DB}"}


def _from_station(read: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "rest", "url": "${POLICING_URL}" + PATH, "auth": {"kind": "bearer", "token": "${POLICING_TOKEN}"},
        "records": "data.items",
        "paginate": {"kind": "page", "parameter": "page", "size_parameter": "size", "size": PAGE_ROWS},
        "key": read["key"], "cursor": "updated", "since": "updated_after",
        "deleted": {"column": "deleted", "value": "1"},
    }  # fmt: skip


READS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"population": _from_office, "policing": _from_station}
