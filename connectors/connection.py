"""Connections to the departments' databases, from the URL that a source file names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from connectors.opened import expanded
from onegrid.errors import FeedUnavailable
from schemas.sources import Source, SqlRead

AIRFLOW = "airflow://"
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "oracle": "oracle+oracledb",
    "mssql": "mssql+pyodbc",
}
EXTRAS = {"pymysql": "mysql", "oracledb": "oracle", "pyodbc": "sqlserver"}
TIMEOUTS = {"postgresql": {"connect_timeout": 10}, "mysql": {"connect_timeout": 10}, "mariadb": {"connect_timeout": 10}}


@contextmanager
def connected(source: Source, environ: Mapping[str, str] = os.environ) -> Iterator[Connection]:
    """A connection for one read, rolled back at its end; FeedUnavailable says in one sentence why there is none."""
    url = feed_url(source, environ)
    shown = (
        url.set(password=None).render_as_string() if url.get_backend_name() != "sqlite" else f"the file {url.database}"
    )
    try:
        arguments = TIMEOUTS.get(url.get_backend_name(), {})
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True, connect_args=arguments)
        connection = engine.connect()
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "", "")
        remedy = f"install onegrid[{extra}]" if extra else f"install {error.name}"
        raise FeedUnavailable(f"{source.name}: the driver {error.name} is not installed; {remedy}") from None
    except NoSuchModuleError:
        raise FeedUnavailable(f"{source.name}: no driver knows {url.drivername}://; correct read.connection") from None
    except SQLAlchemyError as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        raise FeedUnavailable(
            f"{source.name}: {shown} does not let us in ({kind}); check that it runs and who may log in"
        ) from None
    with connection:
        yield connection


def sql_read(source: Source) -> SqlRead:
    """How the database of a source is read; TypeError for sources of another kind."""
    if not isinstance(source.read, SqlRead):
        raise TypeError(f"{source.name} is no source in a database")
    return source.read


def feed_url(source: Source, environ: Mapping[str, str]) -> URL:
    """The SQLAlchemy URL a source names, with ${ENV} put in, an Airflow connection looked up, and our driver chosen."""
    text = expanded(sql_read(source).connection, source, environ)
    if text.startswith(AIRFLOW):
        text = airflow_url(text.removeprefix(AIRFLOW).strip("/"), source, environ)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # its message would repeat the password
        raise FeedUnavailable(f"{source.name}: read.connection in {source.file} is no SQLAlchemy URL") from None
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, source)
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def _sqlite(url: URL, source: Source) -> URL:
    """Read only, and never made where it is missing.

    A relative path is looked for beside the source file, then here.
    """
    name = (url.database or "").removeprefix("file:")
    beside = source.file.absolute().parent / name
    path = beside if beside.is_file() else Path(name).absolute()
    if not path.is_file():
        raise FeedUnavailable(
            f"{source.name}: the SQLite file {name or 'without a name'} is not there (looked for beside {source.file})"
        )
    return url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})


def airflow_url(name: str, source: Source, environ: Mapping[str, str]) -> str:
    """The URL of an Airflow connection: from AIRFLOW_CONN_..., or inside a task from Airflow itself."""
    variable = f"AIRFLOW_CONN_{name.upper()}"
    if variable in environ:
        return _uri(environ[variable])
    if "AIRFLOW_CTX_DAG_ID" in environ:
        return _from_task(name, source)
    raise FeedUnavailable(
        f"{source.name}: {AIRFLOW}{name} is known to Airflow alone; outside it set the environment variable {variable} "
        f"to the connection's URL, or write ${{ENV}} in read.connection"
    )


def _from_task(name: str, source: Source) -> str:
    from airflow.sdk import Connection as AirflowConnection
    from airflow.sdk.exceptions import AirflowException

    try:
        return str(AirflowConnection.get(name).get_uri())
    except AirflowException:
        raise FeedUnavailable(f"{source.name}: Airflow has no connection {name}; add it there") from None


def _uri(text: str) -> str:
    """Airflow keeps a connection as a URL or as JSON."""
    if not text.lstrip().startswith("{"):
        return text
    spec = json.loads(text)
    return URL.create(
        spec.get("conn_type", ""),
        username=spec.get("login"),
        password=spec.get("password"),
        host=spec.get("host"),
        port=spec.get("port"),
        database=spec.get("schema"),
    ).render_as_string(hide_password=False)
