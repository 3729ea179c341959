"""The embedded PostgreSQL below `home/database`, shared by the processes that use it.

    database/lock        held while the server is started or stopped, so that two processes never do so at once
    database/users       held (shared) by every process that uses the server; the last one to leave stops it
    database/secrets     the passwords of the roles, for this user alone
    database/local.conf  settings of yours, if you make it
    database/server      data, log and socket; belongs to the server's user

Both locks are the kernel's (flock): kill -9 releases them, so a server left behind is adopted by the next process.
The server listens on a Unix socket only and trusts nobody: every log-in is by scram-sha-256.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import URL

from onegrid.cluster import PATIENCE_S, SETUP_ROLE, Cluster, home_refused
from onegrid.errors import DatabaseUnavailable, HomeError

ROLES = ("onegrid_owner", "onegrid_app", "onegrid_auditor", "airflow")
FULL_BYTES = 2**24  # one segment of its log, without which no transaction is written
LOCK_PATIENCE_S = 2 * PATIENCE_S  # one stop and one start of others before us


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server: the set-up role's URL, the passwords of OneGrid's roles, the embedded server's folder."""

    url: URL
    passwords: Mapping[str, str] = field(repr=False)
    folder: Path | None = None

    @property
    def is_full(self) -> bool:
        """Whether the embedded server's disk has no room: then it may break off without a word of why."""
        return self.folder is not None and shutil.disk_usage(self.folder).free < FULL_BYTES

    def url_for(self, role: str, database: str) -> URL:
        """The URL under which `role` logs in to `database`."""
        return self.url.set(username=role, password=self.passwords[role], database=database)


@contextmanager
def embedded(home: Path) -> Iterator[Server]:
    """The embedded server of `home`, running for as long as any process uses it.

    Raises HomeError when the home cannot be used, DatabaseUnavailable when the server does not answer within
    `PATIENCE_S`, DiskFull when there is no room for it.
    """
    cluster, owner = Cluster.below(home.absolute()), os.getpid()
    try:
        passwords, user = _join(cluster)
    except OSError as error:
        raise home_refused(home, error) from None
    try:
        yield _server(cluster, passwords)
    finally:
        if os.getpid() == owner:  # a forked child shares our lock, and must not stop what we use
            _leave(cluster, user)


def _join(cluster: Cluster) -> tuple[Mapping[str, str], int]:
    """Becomes a user of the running server: the roles' passwords, and the users' lock now held."""
    with _locked(cluster.folder / "lock"):
        passwords = read_secrets(cluster.folder / "secrets") or _make_secrets(cluster.folder / "secrets")
        user = os.open(cluster.folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(user, fcntl.LOCK_SH)
        try:
            cluster.ensure_running(passwords[SETUP_ROLE])
        except BaseException:
            os.close(user)
            raise
        return passwords, user


def read_secrets(path: Path) -> Mapping[str, str] | None:
    """The passwords written in `path`, a JSON object {role: password}; None when there is no such file."""
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise HomeError(f"The file {path} cannot be read: run as the user who made this home, or restore it.") from None
    return found


def _make_secrets(path: Path) -> Mapping[str, str]:
    """New passwords, on disk under their name all at once."""
    made = {role: secrets.token_urlsafe(24) for role in (SETUP_ROLE, *ROLES)}
    draft = path.with_name("secrets.draft")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(made, file)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
    return made


def _server(cluster: Cluster, passwords: Mapping[str, str]) -> Server:
    url = URL.create(
        "postgresql+psycopg",
        username=SETUP_ROLE,
        password=passwords[SETUP_ROLE],
        database="postgres",
        query={"host": str(cluster.socket_folder)},
    )
    return Server(url, passwords, cluster.folder)


def _leave(cluster: Cluster, user: int) -> None:
    """Leaves the users' lock; stops the server when nobody else holds it."""
    with _locked(cluster.folder / "lock"):
        os.close(user)  # not LOCK_UN: forked children that live on still count as users
        last = os.open(cluster.folder / "users", os.O_RDWR)
        try:
            if _taken(last):
                cluster.stop()
        finally:
            os.close(last)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds `path` alone; waits for others as long as a stop and a start may take."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_PATIENCE_S
    try:
        while not _taken(handle):
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"Another process has held {path} for {LOCK_PATIENCE_S} s: see what it does.")
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
