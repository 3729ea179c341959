"""Sessions: one transaction for one actor, and one sentence without values when the database refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psycopg
import pytest
from sqlalchemy import text

from onegrid.database import Actor, Database, copy_frame, open_database, translated
from onegrid.errors import DatabaseError, DatabaseUnavailable, DiskFull, OneGridError
from onegrid.settings import Settings

ME = Actor("李四", "worker", "民政局")
PLANTED = "110101199003072316"


def sources(database: Database) -> list[str]:
    with database.session(ME) as session:
        return list(session.execute(text("SELECT name FROM source ORDER BY 1")).scalars())


def run(database: Database, *statements: str) -> None:
    with database.session(ME) as session:
        for statement in statements:
            session.execute(text(statement))


def add_source(name: str) -> str:
    return f"INSERT INTO source (name, title, owner, level, division, spec) VALUES ('{name}', '', '', '', '', '{{}}')"


def test_a_session_commits_at_its_end(database: Database) -> None:
    with database.session(ME) as session:
        session.execute(text(add_source("a")))
        assert sources(database) == []
    assert sources(database) == ["a"]


class Stop(BaseException):
    """Stands for Ctrl-C."""


@pytest.mark.parametrize("kind", [ValueError, OneGridError, Stop])
def test_a_session_rolls_back_on_any_error_and_lets_it_through(database: Database, kind: type[BaseException]) -> None:
    def work() -> None:
        with database.session(ME) as session:
            session.execute(text(add_source("a")))
            raise kind

    with pytest.raises(kind):
        work()
    assert sources(database) == []


def test_the_database_knows_the_actor_for_this_transaction_alone(database: Database) -> None:
    ask = text("SELECT current_user, current_setting('onegrid.actor', true), current_setting('onegrid.role', true), "
               "current_setting('onegrid.department', true)")  # fmt: skip
    with database.session(ME) as session:
        assert tuple(session.execute(ask).one()) == ("onegrid_app", "李四", "worker", "民政局")
    with database.session(Actor("hub")) as session:
        assert tuple(session.execute(ask).one()) == ("onegrid_app", "hub", "service", "")
    with database._app.connect() as connection:
        assert not any(connection.execute(ask).one()[1:])


def test_times_are_in_utc(database: Database) -> None:
    with database.session(ME) as session:
        assert session.execute(text("SHOW timezone")).scalar() == "UTC"


REFUSED = [
    (f"SELECT '{PLANTED}'::date", "22008"),
    (f"SELECT '{PLANTED}x'::bigint", "22P02"),
    (add_source(PLANTED) + ";" + add_source(PLANTED), "23505"),
    (f"INSERT INTO load (source, mode, state, spec_hash) VALUES ('{PLANTED}', '', '', '')", "23503"),
    (f"INSERT INTO record (source, key) VALUES ('{PLANTED}', '{PLANTED}')", "23502"),
    (f"SELECT nothing FROM source WHERE name = '{PLANTED}'", "42703"),
]


@pytest.mark.parametrize(("statement", "state"), REFUSED)
def test_a_refusal_names_the_rule_and_never_the_value(database: Database, statement: str, state: str) -> None:
    with pytest.raises(DatabaseError, match=state) as caught:
        run(database, *statement.split(";"))
    assert PLANTED not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_value_of_the_wrong_type_in_a_copy_is_not_quoted(database: Database) -> None:
    frame = pd.DataFrame({"source": ["a"], "mode": ["x"], "state": ["y"], "spec_hash": ["z"], "read": ["x" + PLANTED]})
    with pytest.raises(DatabaseError, match="22P02") as caught, database.session(ME) as session:
        copy_frame(session, "load", frame)
    assert PLANTED not in str(caught.value)


def test_a_failed_copy_leaves_nothing(database: Database) -> None:
    frame = pd.DataFrame({name: ["x"] * 3 for name in ("title", "owner", "level", "division")})
    frame = frame.assign(name=["a", "b", "b"], spec="{}")
    with pytest.raises(DatabaseError, match="23505"), database.session(ME) as session:
        copy_frame(session, "source", frame)
    assert sources(database) == []


def test_disk_full_is_said_as_such(database: Database) -> None:
    with pytest.raises(DiskFull, match="no room left"), database.session(ME) as session:
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$"))


def test_a_connection_that_was_cut_is_unavailable_and_the_next_session_works(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not answer"), database.session(ME) as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert sources(database) == []


def test_a_database_that_is_missing_is_said_to_be(database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="nowhere is missing"):
        sources(Database(database.server, "nowhere"))


def test_urls_name_their_roles(database: Database) -> None:
    urls = {url.username: url.database for url in (database.app_url, database.owner_url, database.auditor_url)}
    assert urls == dict.fromkeys(("onegrid_app", "onegrid_owner", "onegrid_auditor"), database.name)
    assert (database.airflow_url.username, database.airflow_url.database) == ("airflow", "airflow")


@pytest.fixture
def small_disk() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="onegrid-test-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150m,mode=755", "none", str(path)], check=False)
    if mounted.returncode:
        path.rmdir()
        pytest.skip("this user may not mount a small disk")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
    shutil.rmtree(path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_real_disk_fills_up_and_after_room_is_made_nothing_is_lost(small_disk: Path) -> None:
    from schemas.migrations import migrate

    ballast, settings = small_disk / "ballast", Settings(small_disk / "home")
    with open_database(settings) as database:
        migrate(database)
        with database.session(ME) as session:
            session.execute(text(add_source("kept")))
        ballast.write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - 20_000_000)))
        frame = pd.DataFrame({name: ["x" * 50] * 100_000 for name in ("title", "owner", "level", "division")})
        frame = frame.assign(name=range(100_000), spec="{}")
        with pytest.raises(DiskFull), database.session(ME) as session:
            copy_frame(session, "source", frame)
    with pytest.raises(DiskFull, match="no room left"), open_database(settings):
        pass
    ballast.unlink()
    with open_database(settings) as database:
        assert sources(database) == ["kept"]


class Interrupted(BaseException):
    """What a handler of a signal raises."""


def cut_off() -> None:
    try:
        raise Interrupted
    finally:  # what SQLAlchemy's ping does to a connection that was cut off in a statement
        raise psycopg.ProgrammingError("can't change 'autocommit' now: connection in transaction status ACTIVE")


def test_a_stop_signal_comes_out_as_itself_when_its_connection_refuses_to_be_tidied_up(database: Database) -> None:
    with pytest.raises(Interrupted), translated(database.server, database.name):
        cut_off()
