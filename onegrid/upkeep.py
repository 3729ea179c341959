"""Keeping house: a back-up of the registry each day, and an end to landed loads that nothing needs any more."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from onegrid.cluster import Cluster
from onegrid.errors import OneGridError
from onegrid.stages import Hub

BACKUPS_KEPT = 7
LANDED_FOR = timedelta(days=90)


class BackupFailed(OneGridError):
    """The database could not be dumped."""


def back_up(hub: Hub) -> Path | None:
    """A dump of the registry (pg_dump's custom format) below `home/backups`, the newest few kept; for `pg_restore`.

    None for a server of yours, which has back-ups of its own. Sealed values stay sealed: the master key is not in it.
    """
    if hub.database.server.folder is None:
        hub.tell("the registry lies on a server of yours: its administrator backs it up")
        return None
    folder = hub.settings.home / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"registry-{datetime.now(UTC):%Y-%m-%dT%H%M%S}.dump"
    _dump(hub, path)
    for old in sorted(folder.glob("registry-*.dump"))[:-BACKUPS_KEPT]:
        old.unlink()
    hub.tell(f"back-up of {path.stat().st_size:,} bytes in {path}")
    return path


def _dump(hub: Hub, path: Path) -> None:
    url, draft = hub.database.owner_url, path.with_suffix(".part")
    program = Cluster.below(hub.settings.home).programs / "pg_dump"
    words = ["--format=custom", "--compress=gzip:1", f"--file={draft}", f"--dbname={url.database}"]
    environ = {
        **os.environ,
        "PGHOST": str(url.query["host"]),
        "PGUSER": str(url.username),
        "PGPASSWORD": str(url.password),
    }
    done = subprocess.run([str(program), *words], env=environ, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        draft.unlink(missing_ok=True)
        said = done.stderr.strip().splitlines()[:1]  # of tables and options; rows are never quoted
        raise BackupFailed(f"pg_dump ended with {done.returncode} ({''.join(said)}): the last back-up stands.")
    draft.chmod(0o600)
    draft.rename(path)


def forget_landed(hub: Hub, now: datetime | None = None) -> int:
    """Ends landed loads that are older than `LANDED_FOR` and not the last good one of their source: key, then file.

    Without its key a landed file is noise, wherever a copy of it may lie. Returns how many were ended.
    """
    from connectors.landing import SEEN_FILE, remove
    from connectors.loads import forget

    with hub.database.session(hub.actor) as connection:
        gone = forget(connection, (now or datetime.now(UTC)) - LANDED_FOR)
    for load in gone:
        for path in (load.path, SEEN_FILE.format(source=load.source, load=load.id)):
            remove(str(path), hub.settings)
    hub.tell(f"{len(gone):,} landed loads older than {LANDED_FOR.days} days were ended")
    return len(gone)
