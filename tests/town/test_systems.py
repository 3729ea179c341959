"""The departments' systems hold the same town as the plain files, fail as they say, and leave nothing running."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psycopg
import pytest
import requests
from district import District

from onegrid.errors import SettingsError
from schemas.sources import read_sources
from town import build
from town.draw import stream
from town.policing_server import PATH, Faults, Resident, Station, read_residents, served
from town.systems import Systems, open_systems
from town.turnover import Turnover

SCALE, SEED = 0.01, 7
TOKEN = "geheim"


@pytest.fixture(scope="module")
def small(make_folder: Callable[[], Path]) -> Path:
    """A hundredth of the street, where the population's server can reach it."""
    folder = make_folder()
    build(SCALE, SEED, folder)
    return folder


@pytest.fixture
def systems(make_folder: Callable[[], Path]) -> Iterator[Systems]:
    """The same, running, and free to be taken to other days."""
    folder = make_folder()
    build(SCALE, SEED, folder)
    with open_systems(folder, lambda _: None) as opened:
        yield opened


def in_sqlite(folder: Path) -> Counter[tuple[str | None, ...]]:
    with closing(sqlite3.connect(folder / "data" / "population.sqlite")) as built:
        return Counter(built.execute("SELECT * FROM resident"))


def in_office(url: str) -> Counter[tuple[str | None, ...]]:
    with psycopg.connect(url) as connection:
        return Counter(connection.execute("SELECT * FROM resident").fetchall())


def processes_below(folder: Path) -> list[Path]:
    """Servers that work in the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in str((process / "cwd").resolve()):
                found.append(process)
        except OSError:
            continue
    return found


@dataclass
class Registry:
    """What `onegrid run` made of a folder of sources."""

    home: Path
    environ: dict[str, str]

    def run(self, sources: Path) -> dict[str, dict[str, int]]:
        outcome = self._district().command("run", "--json", "--sources", str(sources))
        assert outcome.code == 0, outcome.err
        found: dict[str, dict[str, int]] = outcome.summary["sources"]
        return found

    def partition(self) -> set[frozenset[tuple[str, ...]]]:
        """Which records belong together, whatever the codes are."""
        out = self.home / "members.parquet"
        assert self._district().command("export", "members", "--out", str(out)).code == 0
        groups = pd.read_parquet(out).fillna("").groupby(["type", "kind", "code"])
        columns = ["source", "key", "role", "type", "kind"]
        return {frozenset(rows.itertuples(index=False, name=None)) for _, rows in groups[columns]}

    def _district(self) -> District:
        return District(self.home, self.home, self.environ)


@pytest.mark.slow
def test_the_systems_make_the_same_registry_as_the_files_on_both_days(
    systems: Systems, make_folder: Callable[[], Path]
) -> None:
    plain, live = Registry(make_folder(), {}), Registry(make_folder(), systems.environment)
    from_files, from_systems = plain.run(systems.folder / "sources"), live.run(systems.sources)
    assert live.partition() == plain.partition()
    assert from_systems["population"] == from_files["population"]
    assert from_systems["policing"]["clean"] == from_files["policing"]["clean"]
    assert 0 < sum(systems.injected().values()) < systems.requests()
    turned = systems.next_day()
    plain.run(systems.folder / "sources")
    again = live.run(systems.sources)
    assert live.partition() == plain.partition()
    told = turned["policing"]
    assert again["policing"]["read"] == told.changed + told.added + told.withdrawn
    assert again["policing"]["deleted"] == told.withdrawn
    told = turned["population"]
    assert again["population"]["read"] >= told.changed + told.added > 0


def test_the_source_files_differ_in_how_they_are_read_alone(systems: Systems) -> None:
    plain, errors = read_sources(systems.folder / "sources")
    live, more = read_sources(systems.sources)
    assert errors == more == []
    assert [one.name for one in live] == [one.name for one in plain]
    for before, after in zip(plain, live, strict=True):
        assert (before.maps, before.expect, before.read.key) == (after.maps, after.expect, after.read.key)
        assert (before.read == after.read) == (before.name not in ("population", "policing"))
    text = "".join(path.read_text("utf-8") for path in systems.sources.iterdir())
    assert not [value for value in systems.environment.values() if value in text]


def test_a_day_reaches_both_systems_and_is_told_rightly(systems: Systems) -> None:
    before, residents = in_sqlite(systems.folder), read_residents(systems.folder / "data" / "policing.jsonl")
    assert in_office(systems.environment["POPULATION_DB"]) == before
    turned = systems.next_day()
    after = in_sqlite(systems.folder)
    assert in_office(systems.environment["POPULATION_DB"]) == after
    old, new = ({row[0]: row for row in rows} for rows in (before, after))
    changed = sum(before[old[key]] for key in old.keys() & new.keys() if old[key] != new[key])
    gone = sum(before[old[key]] for key in old.keys() - new.keys())
    assert turned["population"] == Turnover(changed, sum(after[new[k]] for k in new.keys() - old.keys()), gone)
    for name, turnover in turned.items():
        touched = turnover.changed + turnover.added + turnover.withdrawn
        size = len(before) if name == "population" else len(residents)
        assert 0.003 * size < touched < 0.04 * size


def test_the_reader_of_the_population_may_only_read(systems: Systems) -> None:
    with psycopg.connect(systems.environment["POPULATION_DB"]) as connection:
        for statement in ("DELETE FROM resident", "CREATE TABLE mine (a int)", "DROP TABLE resident"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_nothing_runs_when_the_block_has_ended(small: Path) -> None:
    with open_systems(small, lambda _: None) as opened:
        url, address = opened.environment["POPULATION_DB"], opened.environment["POLICING_URL"]
        assert processes_below(small)
    assert not processes_below(small)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=2)


def test_an_opened_town_can_be_opened_again_with_new_secrets(small: Path) -> None:
    seen = []
    for _ in range(2):
        with open_systems(small, lambda _: None) as opened:
            seen.append(opened.environment)
            assert in_office(opened.environment["POPULATION_DB"]) == in_sqlite(small)
    assert seen[0]["POLICING_TOKEN"] != seen[1]["POLICING_TOKEN"]
    assert seen[0]["POPULATION_DB"] != seen[1]["POPULATION_DB"]


def test_a_folder_without_a_town_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no town"), open_systems(tmp_path, lambda _: None):
        pass


# --- the policing server by itself ---


def resident(number: int, **more: str) -> Resident:
    return Resident.of({"id": f"JW{number:03}", "updated": f"2025-03-{number:02} 08:00:00", "deleted": "0", **more})


@pytest.fixture
def station() -> Station:
    listed = {f"JW{n:03}": resident(n) for n in range(1, 26)}
    faults = Faults(stream(SEED, "faults"))
    faults.due = 1 << 30
    return Station(listed, TOKEN, faults)


@pytest.fixture
def ask(station: Station) -> Iterator[Callable[..., requests.Response]]:
    with served(station) as address:

        def asked(token: str = TOKEN, **params: str | int) -> requests.Response:
            headers = {"Authorization": f"Bearer {token}"}
            return requests.get(address + PATH, params=params, headers=headers, timeout=5)

        yield asked


def test_pages_hold_every_resident_once(ask: Callable[..., requests.Response]) -> None:
    pages = [ask(page=number, size=10).json()["data"] for number in (1, 2, 3, 4)]
    assert [page["total"] for page in pages] == [25] * 4
    assert [len(page["items"]) for page in pages] == [10, 10, 5, 0]
    assert len({row["id"] for page in pages for row in page["items"]}) == 25


def test_since_gives_what_is_newer_and_who_was_withdrawn(
    station: Station, ask: Callable[..., requests.Response]
) -> None:
    fresh = {f"JW{n:03}": resident(n) for n in range(2, 26)} | {"JW003": resident(3, updated="2025-04-01 09:00:00")}
    assert station.turn(fresh | {"JW030": resident(30)}, "2025-04-01 23:00:00") == Turnover(1, 1, 1)
    rows = ask(updated_after="2025-03-26").json()["data"]["items"]
    assert [(row["id"], row["deleted"]) for row in rows] == [("JW001", "1"), ("JW003", "0"), ("JW030", "0")]
    assert station.turn(fresh | {"JW030": resident(30)}, "2025-04-02 23:00:00") == Turnover(0, 0, 0)


def test_nobody_reads_without_the_token_and_no_page_is_too_large(ask: Callable[..., requests.Response]) -> None:
    assert ask(token="other").status_code == 401
    assert ask(token="geheim€".encode().decode("latin-1")).status_code == 401
    assert ask(size=1001).status_code == 422
    assert ask(page=0).status_code == 422


def test_faults_come_now_and_then_the_same_for_one_seed_and_are_counted() -> None:
    drawn = []
    for _ in range(2):
        faults = Faults(stream(SEED, "faults"))
        drawn.append([faults.next() for _ in range(4000)])
        assert faults.requests == 4000
        assert Counter(status for status in drawn[-1] if status) == faults.counts
    assert drawn[0] == drawn[1]
    assert drawn[0][:2][1] in (429, 500)
    assert 60 < sum(faults.counts.values()) < 160
    assert set(faults.counts) == {429, 500}


def test_a_busy_server_says_when_to_come_back(station: Station, ask: Callable[..., requests.Response]) -> None:
    seen = {}
    for _ in range(40):
        station.faults.due = 0
        answer = ask()
        seen[answer.status_code] = answer.headers.get("Retry-After")
    assert seen[500] is None
    assert seen[429] in ("0", "1")
