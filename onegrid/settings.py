"""Settings, read once at the edge and passed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from onegrid.errors import SettingsError

ENGINES = ("local", "spark")


@dataclass(frozen=True)
class Settings:
    """What one process of the hub needs to know.

    home: the folder with the embedded database, the keys and all landed loads.
    database_url: a PostgreSQL of yours instead of the embedded one, with a set-up role; None for the embedded one.
    landing: an fsspec URL for landed loads instead of `home/landing`.
    key_file: where the master key lies; by default outside the database's folder, `home/keys/master.key`.
    webhook_plain_hosts: hosts beyond this machine that webhooks may reach by plain http.
    engine: what compares people, one of ENGINES. spark_master: the cluster's URL; spark_folder: where its workers read
    and write, the same path for all of them; by default `home/spark`.
    """

    home: Path
    database_url: str | None = None
    landing: str | None = None
    key_file: Path | None = None
    webhook_plain_hosts: tuple[str, ...] = ()
    engine: str = "local"
    spark_master: str | None = None
    spark_folder: Path | None = None

    @property
    def landing_url(self) -> str:
        """Where landed loads lie, as an fsspec URL or a local path."""
        return self.landing or str(self.home / "landing")

    @property
    def master_key(self) -> Path:
        """The file that holds the master key."""
        return self.key_file or self.home / "keys" / "master.key"


def default_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The home used when none is named: below /var/lib for root (its database runs as another user), else below the user's own data folder."""
    if named := environ.get("ONEGRID_HOME"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/onegrid")
    base = environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "onegrid"


def read_settings(home: Path | None = None, environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the command line's home and the environment (ONEGRID_HOME, ONEGRID_DATABASE_URL or
    ONEGRID_DATABASE_URL_FILE, ONEGRID_LANDING, ONEGRID_KEY_FILE, ONEGRID_ENGINE, ONEGRID_SPARK_MASTER,
    ONEGRID_SPARK_FOLDER, ONEGRID_WEBHOOK_PLAIN_HOSTS).

    Raises SettingsError when the file of the URL cannot be read, the URL is given in both ways, or there is no such engine.
    """
    key_file, spark_folder = environ.get("ONEGRID_KEY_FILE"), environ.get("ONEGRID_SPARK_FOLDER")
    engine = environ.get("ONEGRID_ENGINE") or "local"
    if engine not in ENGINES:
        raise SettingsError(f"ONEGRID_ENGINE says {engine}: it is one of {', '.join(ENGINES)}.")
    return Settings(
        home=(home or default_home(environ)).expanduser().absolute(),
        database_url=_database_url(environ),
        landing=environ.get("ONEGRID_LANDING") or None,
        key_file=Path(key_file) if key_file else None,
        webhook_plain_hosts=tuple(environ.get("ONEGRID_WEBHOOK_PLAIN_HOSTS", "").replace(",", " ").lower().split()),
        engine=engine,
        spark_master=environ.get("ONEGRID_SPARK_MASTER") or None,
        spark_folder=Path(spark_folder) if spark_folder else None,
    )


def _database_url(environ: Mapping[str, str]) -> str | None:
    """The URL itself, or the one that a file holds: a secret in a file shows in no list of processes or containers."""
    url, file = environ.get("ONEGRID_DATABASE_URL") or None, environ.get("ONEGRID_DATABASE_URL_FILE") or None
    if file is None:
        return url
    if url is not None:
        raise SettingsError("ONEGRID_DATABASE_URL and ONEGRID_DATABASE_URL_FILE are both set: unset one of them.")
    try:
        found = Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if not found:
        raise SettingsError(f"ONEGRID_DATABASE_URL_FILE names {file}, which cannot be read or is empty: correct it.")
    return found
