"""A PostgreSQL of yours: roles and databases made on first use, by two at once, or by a DBA; what each role may do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, NullPool, create_engine, text

from onegrid.cluster import Cluster
from onegrid.database import Actor, Database, open_database, setup_sql
from onegrid.errors import DatabaseUnavailable, SettingsError, WrongPassword
from onegrid.postgres import ROLES, embedded
from onegrid.roles import given
from onegrid.settings import Settings

OPENER = """
import sys
from pathlib import Path
from onegrid.database import open_database
from onegrid.settings import Settings
with open_database(Settings(Path(sys.argv[1]), sys.argv[2])): pass
"""


@pytest.fixture(scope="module")
def yours(make_folder: Callable[[], Path]) -> Iterator[tuple[Path, URL]]:
    """A server that knows nothing of OneGrid, and where it lies."""
    path = make_folder()
    (path / "database").mkdir()
    (path / "database" / "local.conf").write_text("fsync = off\n")
    with embedded(path) as server:
        yield path, server.url.set(drivername="postgresql")


@pytest.fixture
def url(yours: tuple[Path, URL]) -> Iterator[str]:
    """The URL of its superuser; what a test made there is removed."""
    url = yours[1]
    yield url.render_as_string(hide_password=False)
    with as_role(url) as connection:
        for name in ("onegrid", "airflow"):
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        for role in (*ROLES, "dba"):
            connection.execute(text(f"DROP ROLE IF EXISTS {role}"))


def as_role(url: URL) -> Connection:
    return create_engine(
        url.set(drivername="postgresql+psycopg"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    ).connect()


def works(home: Path, url: str) -> bool:
    with open_database(Settings(home, url)) as database, database.session(Actor("x")) as session:
        return session.execute(text("SELECT current_user")).scalar() == "onegrid_app"


def test_roles_and_databases_are_made_where_missing(tmp_path: Path, url: str) -> None:
    assert works(tmp_path, url)
    assert works(tmp_path / "another machine", url)
    assert list(tmp_path.iterdir()) == []


def test_a_setup_that_was_cut_short_is_completed(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    assert works(tmp_path, url)
    with as_role(yours[1]) as connection:
        connection.execute(text("DROP DATABASE airflow"))
        connection.execute(text("COMMENT ON DATABASE onegrid IS NULL"))
    assert works(tmp_path, url)
    with as_role(
        yours[1].set(username="airflow", password=given(url).passwords["airflow"], database="airflow")
    ) as airflow:
        assert airflow.execute(text("SELECT 1")).scalar() == 1


def test_the_database_is_missing_and_comes_back_empty(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    assert works(tmp_path, url)
    with as_role(yours[1]) as connection:
        connection.execute(text("DROP DATABASE onegrid"))
    assert works(tmp_path, url)


def test_two_first_starts_at_once(tmp_path: Path, url: str) -> None:
    command = [sys.executable, "-c", OPENER, str(tmp_path), url]
    starters = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(starter.communicate()[1], starter.returncode) for starter in starters] == [("", 0)] * 2


def test_a_setup_role_that_is_no_superuser_is_enough(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    with as_role(yours[1]) as connection:
        connection.execute(text("CREATE ROLE dba LOGIN CREATEROLE CREATEDB PASSWORD 'a-long-one'"))
    theirs = yours[1].set(username="dba", password="a-long-one").render_as_string(hide_password=False)
    assert works(tmp_path, theirs)
    with as_role(yours[1]) as connection:
        for database in ("onegrid", "airflow"):
            connection.execute(text(f"DROP DATABASE {database}"))
        connection.execute(text("DROP OWNED BY dba"))


def test_what_the_dba_ran_is_enough(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    home, server_url = yours
    passwords = {role: f"it's {role}" for role in ROLES}
    given_by_psql = [word for role in ROLES for word in ("-v", f"{role}_password={passwords[role]}")]
    psql = [str(Cluster.below(home).programs / "psql"), "-v", "ON_ERROR_STOP=1", *given_by_psql, "-f", "-"]
    libpq = server_url.render_as_string(hide_password=False)
    done = subprocess.run([*psql, libpq], input=setup_sql(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (tmp_path / "database").mkdir()
    import json

    (tmp_path / "database" / "secrets").write_text(json.dumps(passwords))
    without_setup_role = server_url.set(username="onegrid_app", password=None).render_as_string()
    assert works(tmp_path, without_setup_role)


def test_the_wrong_password_is_one_sentence_without_it(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    wrong = yours[1].set(password="not-this-one").render_as_string(hide_password=False)
    with pytest.raises(WrongPassword, match="ONEGRID_DATABASE_URL") as caught, open_database(Settings(tmp_path, wrong)):
        pass
    assert "not-this-one" not in str(caught.value)


def test_a_roles_password_that_was_changed_is_said_and_not_overwritten(
    tmp_path: Path, url: str, yours: tuple[Path, URL]
) -> None:
    assert works(tmp_path, url)
    with as_role(yours[1]) as connection:
        connection.execute(text("ALTER ROLE onegrid_app PASSWORD 'by the DBA'"))
    with pytest.raises(WrongPassword, match="onegrid_app"):
        works(tmp_path, url)
    with as_role(yours[1].set(username="onegrid_app", password="by the DBA", database="onegrid")) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_a_role_without_rights_is_told_what_to_do(tmp_path: Path, url: str, yours: tuple[Path, URL]) -> None:
    with as_role(yours[1]) as connection:
        connection.execute(text("CREATE ROLE dba LOGIN PASSWORD 'a-long-one'"))
    theirs = yours[1].set(username="dba", password="a-long-one").render_as_string(hide_password=False)
    with pytest.raises(WrongPassword, match="--print-sql"), open_database(Settings(tmp_path, theirs)):
        pass


@pytest.mark.parametrize(
    "url", ["postgresql://a:secret@127.0.0.1:1/postgres", "postgresql://a:secret@/x?host=/nowhere"]
)
def test_a_server_that_does_not_answer_is_one_sentence(tmp_path: Path, url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not answer") as caught, open_database(Settings(tmp_path, url)):
        pass
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["mysql://a:secret@host/x", "nonsense secret", "sqlite:///secret", "postgresql://a:secret@h:port/x"]
)
def test_a_url_that_is_none_is_one_sentence_without_the_url(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://") as caught, open_database(Settings(tmp_path, url)):
        pass
    assert "secret" not in str(caught.value)


def test_every_machine_derives_the_same_passwords_and_each_role_its_own() -> None:
    one, two = (given("postgresql://setup:one@host/postgres") for _ in range(2))
    assert one.passwords == two.passwords
    assert len(set(one.passwords.values())) == len(ROLES)
    assert given("postgresql://setup:two@host/postgres").passwords["airflow"] not in one.passwords.values()


DENIED = [
    ("app_url", "CREATE TABLE x (a int)"),
    ("app_url", "DROP TABLE record"),
    ("app_url", "DELETE FROM access_event"),
    ("app_url", "UPDATE audit_seal SET previous = NULL"),
    ("app_url", "TRUNCATE record"),
    ("app_url", "SET ROLE onegrid_owner"),
    ("app_url", "CREATE ROLE x"),
    ("app_url", "SELECT pg_read_file('/etc/passwd')"),
    ("app_url", "COPY source TO PROGRAM 'true'"),
    ("auditor_url", "SELECT * FROM record"),
    ("auditor_url", "SELECT * FROM entity_value"),
    ("auditor_url", "DELETE FROM access_event"),
    ("owner_url", "CREATE ROLE x"),
    ("owner_url", "SET ROLE postgres"),
]


@pytest.mark.parametrize(("who", "statement"), DENIED)
def test_a_role_may_not(database: Database, who: str, statement: str) -> None:
    with as_role(getattr(database, who)) as connection, pytest.raises(Exception, match=r"(?i)permission|must be owner"):
        connection.execute(text(statement))


def test_airflow_sees_nothing_of_the_registry(database: Database) -> None:
    with pytest.raises(Exception, match="permission denied for database"):
        as_role(database.airflow_url.set(database=database.name))
    with pytest.raises(Exception, match="permission denied for database"):
        as_role(database.app_url.set(database="airflow"))


def test_the_roles_may_do_their_work(database: Database) -> None:
    with as_role(database.app_url) as connection:
        connection.execute(text("CREATE TEMP TABLE x AS SELECT * FROM record"))
    with as_role(database.auditor_url) as connection:
        assert connection.execute(text("SELECT count(*) FROM access_event")).scalar() == 0
    with as_role(database.airflow_url) as connection:
        connection.execute(text("CREATE TABLE x (a int)"))
        connection.execute(text("DROP TABLE x"))
