"""A real PostgreSQL for the tests: one embedded server a test run, one fresh migrated database a test that asks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from onegrid.database import Database, open_database
from onegrid.postgres import Server
from onegrid.roles import grant_rights, make_database
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from schemas.migrations import migrate

TEMPLATE = "template_migrated"
_numbers = count(1)


@pytest.fixture(scope="session")
def make_folder() -> Iterator[Callable[[], Path]]:
    """Makes folders that the server's user can reach: pytest's own are closed to all but root."""
    # in memory where there is enough of it: waiting for disks is most of what these tests would do
    roomy = os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 4 * 2**30
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="onegrid-test-", dir="/dev/shm" if roomy else None)))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for path in made:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def home(make_folder: Callable[[], Path]) -> Path:
    """A home for the tests' server, which need not survive a power cut."""
    path = make_folder()
    (path / "database").mkdir(mode=0o711)
    (path / "database" / "local.conf").write_text("fsync = off\nfull_page_writes = off\n")
    return path


@pytest.fixture(scope="session")
def server(home: Path) -> Iterator[Server]:
    """The embedded server, set up, with a migrated database to copy from."""
    with open_database(Settings(home)) as database:
        with _as_setup(database.server) as connection:
            make_database(connection, TEMPLATE, "onegrid_owner")
        grant_rights(database.server, TEMPLATE)
        migrate(Database(database.server, TEMPLATE))
        yield database.server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    """A registry of its own: migrated and empty."""
    name = f"test_{next(_numbers)}"
    with _as_setup(server) as connection:
        make_database(connection, name, "onegrid_owner", TEMPLATE)
    grant_rights(server, name)
    made = Database(server, name)
    yield made
    made.close()
    with _as_setup(server) as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    """A keyring of a fixed key."""
    return Keyring.of(bytes(range(32)))


def _as_setup(server: Server) -> Connection:
    return create_engine(server.url, poolclass=NullPool, isolation_level="AUTOCOMMIT").connect()
