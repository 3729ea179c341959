"""The population's own PostgreSQL: one table, and a role that may read it and do nothing else."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from onegrid.postgres import Server, embedded
from town.turnover import Turnover

DATABASE, READER, TABLE = "population", "reader", sql.Identifier("resident")
# A sample's database need not survive a power cut, nor take the memory of the hub's own.
CONFIGURATION = "fsync = off\nfull_page_writes = off\nshared_buffers = 32MB\nmax_connections = 30\n"

FRESH = "SELECT rid FROM (SELECT * FROM tomorrow EXCEPT SELECT * FROM resident) AS differing"
TURN = {
    "withdrawn": "DELETE FROM resident r WHERE NOT EXISTS (SELECT FROM tomorrow t WHERE t.rid = r.rid)",
    "fresh": f"CREATE TEMPORARY TABLE fresh ON COMMIT DROP AS SELECT DISTINCT rid FROM ({FRESH}) AS found",
    "changed": "DELETE FROM resident r USING fresh f WHERE f.rid = r.rid",
    "written": "INSERT INTO resident SELECT t.* FROM tomorrow t JOIN fresh f USING (rid)",
}


class RegistryOffice:
    """The running database. url: the reader's, over the server's socket."""

    def __init__(self, server: Server, feed: Path) -> None:
        self._server, self._feed = server, feed
        password = secrets.token_urlsafe(24)
        self._prepare(password)
        reader = server.url.set(drivername="postgresql", username=READER, password=password, database=DATABASE)
        self.url: str = reader.render_as_string(hide_password=False)

    def fill(self) -> int:
        """The table made anew from the built feed; returns its rows."""
        with closing(sqlite3.connect(self._feed)) as built, self._connected(DATABASE) as connection:
            connection.execute("DROP TABLE IF EXISTS resident")
            columns = [name for _, name, *_ in built.execute("PRAGMA table_info(resident)")]
            declared = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in columns)
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(TABLE, declared))
            rows = _copy(built, connection, TABLE)
            connection.execute("CREATE INDEX ON resident (rid)")
            connection.execute("CREATE INDEX ON resident (updated_at)")
            connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(TABLE, sql.Identifier(READER)))
            return rows

    def turn(self) -> Turnover:
        """The rows of the feed as it is now, in one transaction: only what differs is written."""
        with closing(sqlite3.connect(self._feed)) as built, self._connected(DATABASE) as connection:
            connection.execute("CREATE TEMPORARY TABLE tomorrow (LIKE resident) ON COMMIT DROP")
            _copy(built, connection, sql.Identifier("tomorrow"))
            connection.execute("ANALYZE tomorrow")
            count = {name: connection.execute(sql.SQL(text)).rowcount for name, text in TURN.items()}
            return Turnover(count["changed"], count["written"] - count["changed"], count["withdrawn"])

    def _prepare(self, password: str) -> None:
        """The database and the reader, who gets a new password each time."""
        role, database = sql.Identifier(READER), sql.Identifier(DATABASE)
        with self._connected("postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (READER,)).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(database))
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(password)))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))

    def _connected(self, database: str, autocommit: bool = False) -> psycopg.Connection:
        url: URL = make_url(self._server.url).set(drivername="postgresql", database=database)
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=autocommit)


def _copy(built: sqlite3.Connection, connection: psycopg.Connection, table: sql.Identifier) -> int:
    cursor = connection.cursor()
    with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(table)) as copy:
        for row in built.execute("SELECT * FROM resident"):
            copy.write_row(row)
    return cursor.rowcount


@contextmanager
def registry_office(home: Path, feed: Path) -> Iterator[RegistryOffice]:
    """The population's server below `home`, its table filled from `feed`; stopped at the end of the block."""
    own = home / "database"
    own.mkdir(mode=0o711, parents=True, exist_ok=True)
    (own / "local.conf").write_text(CONFIGURATION, encoding="utf-8")
    with embedded(home) as server:
        office = RegistryOffice(server, feed)
        office.fill()
        yield office
