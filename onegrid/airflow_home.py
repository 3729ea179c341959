"""Airflow below `home/airflow`: its configuration, its secrets, its tables and its first user.

The configuration is written anew on each start, with the passwords in it, for this user alone (mode 0600): nothing
secret stands in an environment or on a command line. Airflow's own log-in is the FAB auth manager's: hashed passwords,
users and roles that an administrator keeps on its pages.
"""

from __future__ import annotations

import configparser
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import URL

from onegrid.errors import OneGridError
from onegrid.workers import cores

ADMINISTRATOR = "admin"
AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
SPARE_SLOTS = 1  # beside one task a processor: unify waits in it while syncs run


class AirflowFailed(OneGridError):
    """Airflow could not be set up."""


@dataclass(frozen=True)
class AirflowHome:
    """Airflow's folder and where its pages are. environ: what a process of Airflow's needs to find it."""

    folder: Path
    sources: Path
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where its pages and its API are."""
        return f"http://{_reached(self.host)}:{self.port}"

    @property
    def password_file(self) -> Path:
        """Where the administrator's first password stands."""
        return self.folder / "admin_password"

    def environ(self, home: Path) -> dict[str, str]:
        """The environment of Airflow's processes and of the tasks they run."""
        named = {"AIRFLOW_HOME": self.folder, "ONEGRID_HOME": home, "ONEGRID_SOURCES": self.sources}
        return {**os.environ, **{name: str(value) for name, value in named.items()}, "PYTHONUNBUFFERED": "1"}

    def write_configuration(self, database: URL) -> None:
        """`airflow.cfg`, readable by this user alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        written = configparser.RawConfigParser()
        written.read_dict(self._options(database, _secrets(self.folder / "secrets")))
        draft = self.folder / "airflow.cfg.draft"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            written.write(file)
        draft.rename(self.folder / "airflow.cfg")

    def _options(self, database: URL, secret: Mapping[str, str]) -> dict[str, dict[str, str]]:
        def url(driver: str) -> str:  # Airflow expands %; a URL's must stay
            return database.set(drivername=driver).render_as_string(hide_password=False).replace("%", "%%")

        return {
            "core": {
                "dags_folder": str(_dags_folder()),
                "executor": "onegrid.executor.WarmExecutor",
                "auth_manager": AUTH_MANAGER,
                "fernet_key": secret["fernet_key"],
                "load_examples": "False",
                "dags_are_paused_at_creation": "False",
                "parallelism": str(cores() + SPARE_SLOTS),
                "default_timezone": "system",
                "mp_start_method": "fork",
                "execution_api_server_url": f"{self.url}/execution/",
            },
            "database": {
                "sql_alchemy_conn": url("postgresql+psycopg"),
                "sql_alchemy_conn_async": url("postgresql+asyncpg"),
            },
            "api": {
                "host": self.host,
                "port": str(self.port),
                "base_url": self.url,
                "workers": "1",
                "secret_key": secret["secret_key"],
            },
            "api_auth": {"jwt_secret": secret["jwt_secret"]},
            "logging": {"base_log_folder": str(self.folder / "logs")},
            "scheduler": {"enable_health_check": "False"},
            "usage_data_collection": {"enabled": "False"},
        }

    def set_up(self, home: Path) -> None:
        """Makes or renews Airflow's tables, and its administrator once; nothing when that was done by this version."""
        done = self.folder / "set_up_by"
        wanted = " ".join(version(name) for name in ("apache-airflow", "apache-airflow-providers-fab"))
        if done.exists() and done.read_text("utf-8") == wanted:
            return
        environ = self.environ(home)
        _airflow(["db", "migrate"], environ)
        if not self.password_file.exists():
            self._make_administrator(environ)
        done.write_text(wanted, "utf-8")

    def _make_administrator(self, environ: Mapping[str, str]) -> None:
        password = secrets.token_urlsafe(18)
        who = ["--username", ADMINISTRATOR, "--role", "Admin", "--email", "admin@localhost"]
        named = ["--firstname", "System", "--lastname", "Administrator"]
        _airflow(["users", "create", *who, *named], environ, asked=f"{password}\n{password}\n")
        with open(os.open(self.password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(password + "\n")


def airflow_command(*words: str) -> list[str]:
    """The command line of a program of Airflow's, of this environment."""
    return [sys.executable, "-m", "airflow", *words]


def _airflow(words: list[str], environ: Mapping[str, str], asked: str = "") -> None:
    """Runs a command; a session without a terminal makes it read passwords from standard input."""
    how = {"text": True, "capture_output": True, "start_new_session": True}
    done = subprocess.run(airflow_command(*words), check=False, env=dict(environ), input=asked, **how)  # type: ignore[call-overload]  # noqa: S603
    if done.returncode:
        last = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()][-1:]
        raise AirflowFailed(f"`airflow {words[0]} {words[1]}` failed: {''.join(last)}")


def _secrets(path: Path) -> dict[str, str]:
    """Airflow's keys, made once."""
    if path.exists():
        known: dict[str, str] = json.loads(path.read_text("utf-8"))
        return known
    from cryptography.fernet import Fernet

    made = {name: secrets.token_urlsafe(48) for name in ("secret_key", "jwt_secret")}
    made["fernet_key"] = Fernet.generate_key().decode()
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(made, file)
    return made


def _dags_folder() -> Path:
    """Where the DAG files lie: beside this package, without importing any of them."""
    return Path(__file__).parents[1] / "dags"


def _reached(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104 - compared, not bound
