"""The registry's database: who speaks to it, in which role, and what is said when it does not answer.

Every transaction goes through `Database.session(actor)`: as role onegrid_app, which owns nothing, with the actor's name
where policies and triggers of the database can see it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from onegrid.errors import DatabaseError, DatabaseUnavailable, DiskFull, WrongPassword
from onegrid.frames import copy_frame, read_frame
from onegrid.postgres import Server, embedded, read_secrets
from onegrid.roles import AIRFLOW_DATABASE, DATABASE, given, is_set_up, set_up, setup_sql
from onegrid.settings import Settings

__all__ = ["Actor", "Database", "copy_frame", "open_database", "read_frame", "setup_sql", "translated"]

CONNECT_S = 10
_SET_ACTOR = text(
    "SELECT set_config('onegrid.actor', :name, true), set_config('onegrid.role', :role, true), "
    "set_config('onegrid.department', :department, true)"
)
_GONE = ("08", "57P")  # connection exceptions; the server was stopped, crashed or is still starting
# A refused log-in carries no SQLSTATE through libpq, only the server's words, in its language.
_REFUSED = ("password authentication failed", "no password supplied", "no pg_hba.conf entry", "认证失败")
_MISSING = ("does not exist", "不存在")
_TELLING = ("23", "25", "40", "42", "53", "54", "55", "57", "P0", "XX")  # classes whose messages name no row's values


@dataclass(frozen=True)
class Actor:
    """On whose behalf a transaction runs. role: service | worker | auditor | ...; department: where the actor works."""

    name: str
    role: str = "service"
    department: str | None = None


class Database:
    """The registry on one server. Open it with `open_database`; use it from any thread, not across a fork."""

    def __init__(self, server: Server, name: str = DATABASE) -> None:
        self.server, self.name = server, name

    @property
    def app_url(self) -> URL:
        """As onegrid_app: all rows, no tables of its own."""
        return self.server.url_for("onegrid_app", self.name)

    @property
    def owner_url(self) -> URL:
        """As onegrid_owner: migrations only."""
        return self.server.url_for("onegrid_owner", self.name)

    @property
    def auditor_url(self) -> URL:
        """As onegrid_auditor: reads what was done."""
        return self.server.url_for("onegrid_auditor", self.name)

    @property
    def airflow_url(self) -> URL:
        """Airflow's own database on the same server."""
        return self.server.url_for("airflow", AIRFLOW_DATABASE)

    @contextmanager
    def session(self, actor: Actor) -> Iterator[Connection]:
        """One transaction as onegrid_app on behalf of `actor`: committed at the end, rolled back on any error.

        Errors of the database leave it as DatabaseError (DatabaseUnavailable, WrongPassword, DiskFull) in one sentence
        without any row's values; inside the block they are SQLAlchemy's or psycopg's own.
        """
        who = {"name": actor.name, "role": actor.role, "department": actor.department or ""}
        with translated(self.server, self.name), self._app.begin() as connection:
            connection.execute(_SET_ACTOR, who)
            yield connection

    @contextmanager
    def owner_session(self) -> Iterator[Connection]:
        """One transaction as onegrid_owner, for migrations; errors as `session`."""
        with translated(self.server, self.name), self._owner.begin() as connection:
            yield connection

    def ensure_set_up(self) -> None:
        """Makes roles and databases where they are missing. A password that is wrong is never changed, but said."""
        if self._is_set_up():
            return
        with translated(self.server, str(self.server.url.database)):
            set_up(self.server)
        with translated(self.server, self.name), self._app.connect():
            pass

    def _is_set_up(self) -> bool:
        try:
            with translated(self.server, self.name), self._app.connect() as connection:
                return is_set_up(connection, self.name)
        except DatabaseError:  # whether our role is missing or the server, the set-up role will find out
            return False

    def close(self) -> None:
        """Closes the connections kept for reuse."""
        self._app.dispose()

    @cached_property
    def _app(self) -> Engine:
        return _engine(self.app_url, pool_pre_ping=True, pool_size=5, max_overflow=25)

    @cached_property
    def _owner(self) -> Engine:
        return _engine(self.owner_url, poolclass=NullPool)


def _engine(url: URL, **pool: object) -> Engine:
    connect = {"connect_timeout": CONNECT_S, "options": "-c timezone=UTC", "application_name": "onegrid"}
    return create_engine(url, connect_args=connect, hide_parameters=True, **pool)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The registry's database, set up and answering; the embedded server runs until its last user has left.

    Raises HomeError, DatabaseUnavailable, WrongPassword or DiskFull. The tables are `schemas.migrations.migrate`'s.
    """
    with _server(settings) as server:
        database = Database(server)
        try:
            database.ensure_set_up()
            yield database
        finally:
            database.close()


@contextmanager
def _given(settings: Settings, url: str) -> Iterator[Server]:
    yield given(url, read_secrets(settings.home / "database" / "secrets"))


def _server(settings: Settings) -> AbstractContextManager[Server]:
    return _given(settings, settings.database_url) if settings.database_url else embedded(settings.home)


@contextmanager
def translated(server: Server, database: str) -> Iterator[None]:
    """Turns errors of the driver into one sentence of ours that holds no row's values.

    The original is not kept as the cause: its details and contexts quote rows. A stop signal comes out as itself.
    """
    try:
        yield
    except (DBAPIError, psycopg.Error) as error:
        raise _interruption(error) or _sentence(getattr(error, "orig", error), server, database) from None
    except PoolTimeout:
        raise DatabaseUnavailable(f"All connections to the database {database} are in use: try again later.") from None


def _interruption(error: BaseException | None) -> BaseException | None:
    """The stop signal in whose course an error arose: a connection cut off in a statement refuses to be tidied up."""
    while isinstance(error, Exception):
        error = error.__context__
    return error


def _sentence(error: BaseException | None, server: Server, database: str) -> DatabaseError:
    state = (error.sqlstate if isinstance(error, psycopg.Error) else None) or ""
    said = _said(error, state)
    gone = state.startswith(_GONE) or state == "53300" or (not state and isinstance(error, psycopg.OperationalError))
    if state == "53100" or (gone and server.is_full):
        return DiskFull(f"The database {database} has no room left on its disk: free some, then run again.")
    if state.startswith("28") or _says(said, _REFUSED):
        return WrongPassword(
            f"The database {database} refuses the role or its password ({said}): correct ONEGRID_DATABASE_URL, "
            "or the passwords in the home's database/secrets."
        )
    if state == "3D000" or (gone and _says(said, _MISSING)):
        return DatabaseUnavailable(f"The database {database} is missing on its server ({said}).")
    if gone:
        return DatabaseUnavailable(f"The database {database} does not answer ({said}).")
    return DatabaseError(f"The database {database} refused a statement: {said} (SQLSTATE {state or 'unknown'}).")


def _says(said: str, words: tuple[str, ...]) -> bool:
    return any(word in said for word in words)


def _said(error: BaseException | None, state: str) -> str:
    """What may be repeated of an error: names of tables and rules, never the values in question."""
    if not isinstance(error, psycopg.Error):
        return type(error).__name__
    if not state:  # libpq's own words about the connection
        return " ".join(str(error).split("\n")[0].split()).rstrip(".")
    if state.startswith(_TELLING):
        return error.diag.message_primary or type(error).__name__
    places = (error.diag.table_name, error.diag.column_name, error.diag.constraint_name)
    return " ".join((type(error).__name__, *(place for place in places if place)))
