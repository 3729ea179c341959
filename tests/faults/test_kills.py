"""Runs that are cut off: kill -9 inside each stage, a stop signal, two at once. The next run ends as if nothing was."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from district import ACTOR, District, Registry, whole
from sqlalchemy import text

from onegrid import pipeline
from onegrid.database import Database
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from onegrid.stages import Hub

# Inside which stage a run is killed: while it waits for the first table (its transaction is then half written), or
# right after the line that ends the stage before.
LOCKED = {"stage": "quality_result", "read": "judgement", "publish": "change"}
AFTER = {
    "check": "land   shops",
    "match_places": "read ",
    "match_people": "match_places ",
    "match_households": "match_people ",
    "match_rest": "match_households ",
}
WAITING = (
    "SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = :name AND NOT l.granted"
)
PATIENCE_S = 60


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Registry]:
    """What a run that nobody killed publishes; made once."""
    return {}


def expected(made: dict[str, Registry], make_district: Callable[[], District]) -> Registry:
    if "" not in made:
        district = make_district()
        assert district.run().code == 0
        made[""] = district.registry()
    return made[""]


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def wait_for_line(process: subprocess.Popen[str], beginning: str) -> None:
    """Reads the run's progress up to a line that begins so."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(beginning):
            return
    raise AssertionError(f"the run ended before it said {beginning!r}: {''.join(said)}")


@contextmanager
def locked(database: Database, table: str) -> Iterator[Callable[[], None]]:
    """Keeps a table from being used; what it gives waits until somebody wants to."""

    def until_wanted() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with database.session(ACTOR) as connection:
                if connection.execute(text(WAITING), {"name": table}).scalar():
                    return
            time.sleep(0.02)
        raise AssertionError(f"nobody wanted {table}")

    with database.owner_session() as connection:
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        yield until_wanted


def recovers(district: District, wanted: Registry) -> None:
    """The next run publishes what a run that nobody killed would have, and the one after it changes nothing."""
    done = district.run()
    assert done.code == 0, done.err
    registry = district.registry()
    whole(registry)
    assert registry.partition == wanted.partition
    assert registry.golden == wanted.golden
    assert set(registry.loads["state"]) <= {"staged", "unchanged", "abandoned"}
    changes = district.run().summary["changes"]
    assert not any(n for name, n in changes.items() if name != "untouched")


@pytest.mark.slow
@pytest.mark.parametrize("stage", LOCKED)
def test_kill_9_in_the_middle_of_a_transaction(
    stage: str, district: District, make_district: Callable[[], District], undisturbed: dict[str, Registry]
) -> None:
    with district.database() as database, locked(database, LOCKED[stage]) as until_wanted:
        process = district.spawn()
        until_wanted()
        kill(process)
    assert district.registry().members.empty
    recovers(district, expected(undisturbed, make_district))


@pytest.mark.slow
@pytest.mark.parametrize("stage", AFTER)
def test_kill_9_while_a_stage_computes(
    stage: str, make_district: Callable[[], District], undisturbed: dict[str, Registry]
) -> None:
    """Here the killed run was the only user of its server, which the next run finds running alone."""
    district = make_district()
    process = district.spawn()
    wait_for_line(process, AFTER[stage])
    kill(process)
    recovers(district, expected(undisturbed, make_district))


@pytest.mark.slow
def test_kill_9_while_a_feed_is_read(
    district: District, make_district: Callable[[], District], undisturbed: dict[str, Registry]
) -> None:
    """The feed is a pipe that nobody writes into: the run waits in the middle of landing."""
    path = district.data("police.csv")
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    process = district.spawn()
    wait_for_line(process, "land   lamps")
    time.sleep(0.3)
    kill(process)
    path.unlink()
    path.write_bytes(content)
    recovers(district, expected(undisturbed, make_district))


@pytest.mark.slow
def test_kill_9_on_the_second_day_leaves_the_published_state(district: District) -> None:
    assert district.run().code == 0
    before = district.registry()
    lines = district.data("police.csv").read_text("utf-8").splitlines()
    district.data("police.csv").write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    with district.database() as database, locked(database, "change") as until_wanted:
        process = district.spawn()
        until_wanted()
        kill(process)
    assert district.registry().partition == before.partition
    assert district.run().code == 0
    registry = district.registry()
    assert registry.keys("police") == before.keys("police") - {"p029"}
    whole(registry)


@pytest.mark.slow
def test_a_stop_signal_ends_the_run_and_its_server(make_district: Callable[[], District]) -> None:
    district = make_district()
    process = district.spawn()
    wait_for_line(process, "land ")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Traceback" not in err
    assert "stopped; the last published state stands" in err
    assert not servers(district.home)
    assert district.run().code == 0
    whole(district.registry())


def servers(home: Path) -> list[str]:
    """The processes that serve a home."""
    data, found = str(home / "database" / "server" / "data"), []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().decode("utf-8", "replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[0].endswith("/postgres") and data in words:
            found.append(entry.parent.name)
    return found


def test_two_runs_at_once_the_second_says_so(district: District) -> None:
    district.only("lamps")
    with district.database() as database:
        hub = Hub(Settings(district.home), database, Keyring.of(bytes(32)), ACTOR, print)
        with pipeline.alone(hub):
            done = district.run()
    assert done.code == 5
    assert done.sentences == ["onegrid: Another run holds the registry: wait until it has finished, then run again."]
    assert district.run().code == 0
    whole(district.registry())


@pytest.mark.slow
def test_two_processes_started_at_once(district: District) -> None:
    district.only("lamps", "shops")
    processes = [district.spawn() for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE_S)[1] for process in processes]
    codes = sorted(process.returncode or 0 for process in processes)
    assert codes in ([0, 0], [0, 5]), "\n".join(said)
    registry = district.registry()
    whole(registry)
    assert len(registry.keys("shops")) == 20
