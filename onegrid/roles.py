"""The roles and databases OneGrid needs on its server: made on first use, or by your DBA from `setup_sql()`.

`onegrid_owner` owns the tables and changes them, `onegrid_app` works with the rows and owns nothing, `onegrid_auditor`
reads what was done, `airflow` owns its own database and sees nothing of ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import scrypt

from psycopg import sql
from sqlalchemy import URL, Connection, NullPool, create_engine, text

from onegrid.errors import DatabaseUnavailable, SettingsError, WrongPassword
from onegrid.postgres import ROLES, Server

DATABASE, AIRFLOW_DATABASE = "onegrid", "airflow"
OLDEST = 15  # since then schema public belongs to the database's owner and is closed to others
SETUP_LOCK = 0x6F6E6567  # "oneg"
MARK = "OneGrid roles 1"  # written last: a database without it is set up again

RIGHTS = (
    "REVOKE ALL ON DATABASE {database} FROM PUBLIC",
    "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO onegrid_app",
    "GRANT CONNECT ON DATABASE {database} TO onegrid_auditor",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA public TO onegrid_app, onegrid_auditor",
    "COMMENT ON DATABASE {database} IS '" + MARK + "'",
)


def setup_sql() -> str:
    """What a DBA runs with psql on a server of theirs, giving the passwords as variables."""
    names = [f"{role}_password" for role in ROLES]
    lines = [
        f"-- OneGrid: roles and databases, PostgreSQL {OLDEST} or later. Run once as a role that may create both:",
        "--   psql -v ON_ERROR_STOP=1 " + " ".join(f"-v {name}=..." for name in names) + " -f this-file.sql",
        "-- then write the passwords as a JSON object {role: password}, mode 0600, in HOME/database/secrets.",
        *(f"CREATE ROLE {role} LOGIN PASSWORD :'{role}_password';" for role in ROLES),
        "GRANT onegrid_owner, airflow TO CURRENT_USER;",
        *(f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0 ENCODING 'UTF8';" for name, owner in _databases()),
        f"REVOKE ALL ON DATABASE {AIRFLOW_DATABASE} FROM PUBLIC;",
        f"\\connect {DATABASE}",
        "SET ROLE onegrid_owner;",
        *(statement.format(database=DATABASE) + ";" for statement in RIGHTS),
    ]
    return "\n".join(lines) + "\n"


def given(url: str, passwords: Mapping[str, str] | None = None) -> Server:
    """A server of yours, from the URL of a role that may create roles and databases.

    Without `passwords` those of the roles are derived from the URL's own (scrypt), so that every machine that knows the
    URL knows them too and nothing has to be shared. Raises SettingsError for a URL that is none.
    """
    parsed = _parsed(url)
    return Server(parsed, passwords or _derived(parsed))


def _parsed(url: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    if parsed is None or parsed.drivername.split("+")[0] not in ("postgresql", "postgres"):
        raise SettingsError(
            "ONEGRID_DATABASE_URL is not a PostgreSQL URL: write postgresql://role:password@host/postgres."
        )
    return parsed.set(drivername="postgresql+psycopg", database=parsed.database or "postgres")


def _derived(url: URL) -> dict[str, str]:
    """scrypt (RFC 7914, 16 MB) makes the URL's password costly to guess for who holds only a role's."""
    salt = f"onegrid {url.username}".encode()
    key = scrypt(str(url.password or "").encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
    return {role: hmac.digest(key, role.encode(), "sha256").hex() for role in ROLES}


def is_set_up(connection: Connection, database: str) -> bool:
    """Whether the set-up of this database was finished."""
    found = connection.execute(
        text("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = :name"), {"name": database}
    ).scalar()
    return found == MARK


def set_up(server: Server) -> None:
    """Makes what is missing of the roles and databases; may be repeated, and done by two processes at once."""
    engine = create_engine(server.url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": SETUP_LOCK})
        _check_server(connection)
        _make_roles(connection, server)
        for name, owner in _databases():
            make_database(connection, name, owner)
        connection.execute(text(f"REVOKE ALL ON DATABASE {AIRFLOW_DATABASE} FROM PUBLIC"))
        grant_rights(server, DATABASE)


def make_database(connection: Connection, name: str, owner: str, template: str = "template0") -> None:
    """Makes a database if it is missing."""
    known = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).scalar()
    if known is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} ENCODING 'UTF8'")
        _run(connection, statement.format(*map(sql.Identifier, (name, owner, template))))


def grant_rights(server: Server, database: str) -> None:
    """Who may do what in the registry's database; as its owner."""
    url = server.url.set(database=database)
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True)
    with engine.connect() as connection:
        connection.execute(text("SET ROLE onegrid_owner"))
        for statement in RIGHTS:
            _run(connection, sql.SQL(statement).format(database=sql.Identifier(database)))


def _databases() -> tuple[tuple[str, str], ...]:
    return ((AIRFLOW_DATABASE, "airflow"), (DATABASE, "onegrid_owner"))


def _check_server(connection: Connection) -> None:
    version = int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10000
    if version < OLDEST:
        raise DatabaseUnavailable(f"The server is PostgreSQL {version}: OneGrid needs {OLDEST} or later.")
    may = connection.execute(
        text("SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user")
    ).scalar_one()
    if not may:
        raise WrongPassword(
            "The role of ONEGRID_DATABASE_URL may not create roles and databases: name one that may, "
            "or have a DBA run what `onegrid database --print-sql` prints."
        )


def _make_roles(connection: Connection, server: Server) -> None:
    known = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    for role in ROLES:
        if role not in known:
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            _run(connection, statement.format(sql.Identifier(role), sql.Literal(server.passwords[role])))
    if connection.execute(text("SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user")).scalar_one():
        _run(connection, sql.SQL("GRANT onegrid_owner, airflow TO CURRENT_USER"))


def _run(connection: Connection, statement: sql.Composable) -> None:
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  # an open connection has one
    driver.execute(statement)
