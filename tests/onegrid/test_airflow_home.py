"""Airflow's folder: a configuration that Airflow reads as it was meant, closed to all others, with keys that stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from onegrid.airflow_home import AUTH_MANAGER, AirflowHome

DATABASE = URL.create(
    "postgresql+psycopg", "airflow", "p%rc{ent}$@/:", database="airflow", query={"host": "/tmp/a b/server"}
)
READ = """
from airflow.configuration import conf
for section, name in (("database", "sql_alchemy_conn"), ("database", "sql_alchemy_conn_async"), ("core", "auth_manager"),
                      ("core", "executor"), ("core", "fernet_key"), ("api", "port"), ("core", "dags_folder")):
    print(conf.get(section, name))
"""


@pytest.fixture
def airflow(tmp_path: Path) -> AirflowHome:
    made = AirflowHome(tmp_path / "airflow", tmp_path / "sources", "0.0.0.0", 18080)
    made.write_configuration(DATABASE)
    return made


def test_airflow_reads_it_as_it_was_meant(airflow: AirflowHome) -> None:
    environ = {**os.environ, "AIRFLOW_HOME": str(airflow.folder)}
    done = subprocess.run([sys.executable, "-c", READ], env=environ, capture_output=True, text=True, check=True)
    conn, conn_async, auth, executor, fernet, port, dags = done.stdout.splitlines()[-7:]
    assert conn == DATABASE.render_as_string(hide_password=False)
    assert conn_async == DATABASE.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)
    assert (auth, executor, port) == (AUTH_MANAGER, "onegrid.executor.WarmExecutor", "18080")
    assert len(fernet) == 44
    assert (Path(dags) / "sync.py").exists()


def test_secrets_are_closed_and_stay_the_same(airflow: AirflowHome) -> None:
    paths = [airflow.folder, airflow.folder / "airflow.cfg", airflow.folder / "secrets"]
    assert [path.stat().st_mode & 0o077 for path in paths] == [0, 0, 0]
    before = (airflow.folder / "airflow.cfg").read_text()
    airflow.write_configuration(DATABASE)
    assert (airflow.folder / "airflow.cfg").read_text() == before


def test_it_is_reached_at_an_address_that_is_one(airflow: AirflowHome) -> None:
    assert airflow.url == "http://127.0.0.1:18080"


def test_the_environment_holds_no_secret(airflow: AirflowHome, tmp_path: Path) -> None:
    environ = airflow.environ(tmp_path)
    assert environ["ONEGRID_SOURCES"] == str(tmp_path / "sources")
    assert "p%rc{ent}$@/:" not in str(environ)
    assert (airflow.folder / "secrets").read_text() not in str(environ)
