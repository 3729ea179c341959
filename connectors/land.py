"""Land one load of one source: read what is new, hold it against what was there, keep it as one sealed Parquet file.

The order is what makes a kill at any point harmless: the load's row is there before its file, the file is renamed into
place whole, and only a load that the registry has taken in (state staged) moves the cursor the next read starts from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from connectors import guards, landing, loads
from connectors.feed import Feed, as_frame, read_feed
from connectors.loads import Load
from connectors.opened import feed_files, marks, same_content
from connectors.text import text_array
from onegrid.database import Actor, Database
from onegrid.errors import DiskFull, FeedError, NotFound, SealError, SettingsError
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from schemas.records import Landed
from schemas.sources import FilesRead, Source

READER = Actor("landing")


@dataclass(frozen=True)
class Landing:
    """What became of a read.

    state: landed (there are rows to check) | unchanged (nothing to do). rows: how many landed.
    """

    load: int
    state: str
    mode: str
    rows: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How a source is read this time. since: the cursor to read after, None for all rows. mode: as `load.mode`."""

    mode: str
    since: str | None
    last: Load | None
    before: int  # rows of the feed as far as known: what a whole read is held against
    fingerprints: dict[str, Any]
    forced: bool

    @property
    def full(self) -> bool:
        """Whether every row of the feed is read."""
        return self.since is None


@dataclass(frozen=True)
class _Hub:
    """Where a load goes, and on whose behalf."""

    database: Database
    keyring: Keyring
    settings: Settings
    actor: Actor


def land(
    source: Source, database: Database, keyring: Keyring, settings: Settings, actor: Actor, *, reread: bool = False
) -> Landing:
    """Reads a source and lands what is new.

    reread: read all rows even if nothing seems to have changed, and accept a feed that shrank by more than half.
    Raises FeedUnavailable, FeedUnreadable or FeedRefused (the load is then `failed`, with the sentence; the last good
    state stays), DiskFull or HomeError when the landing folder cannot be written.
    """
    hub = _Hub(database, keyring, settings, actor)
    _clear_unfinished(source, hub)
    try:
        plan = _plan(source, hub, reread=reread)
        if _known_files(source, plan):
            return _unchanged(source, hub, plan)
    except FeedError as error:
        _fail(_begin(source, hub, "snapshot", full=False)[0], hub, error)
        raise
    number, key = _begin(source, hub, plan.mode, full=plan.full)
    try:
        return _land(source, hub, plan, number, key)
    except (FeedError, SettingsError, DiskFull) as error:
        _fail(number, hub, error)
        raise


def _clear_unfinished(source: Source, hub: _Hub) -> None:
    with hub.database.session(hub.actor) as connection:
        loads.declare(connection, source)
        given_up = loads.abandon_unfinished(connection, source.name)
    for load in given_up:
        for path in (landing.ROWS_FILE, landing.SEEN_FILE):
            landing.remove(path.format(source=source.name, load=load.id), hub.settings)


def _plan(source: Source, hub: _Hub, *, reread: bool) -> Plan:
    with hub.database.session(hub.actor) as connection:
        last, whole = loads.last_good(connection, source.name), loads.last_full(connection, source.name)
        scanned = loads.last_full_scan(connection, source.name)
    due = guards.due_for_reconcile(source, scanned, datetime.now(UTC).astimezone())
    usable = last is not None and last.by(source) and not reread
    since = last.cursor if last is not None and usable and source.read.cursor and not due else None
    mode = "delta" if since is not None else "reconcile" if due and usable else "snapshot"
    before = (last.current_rows if last else 0) if source.read.cursor else (whole.read if whole else 0)
    fingerprints: dict[str, Any] = {"reading": source.reading}
    if isinstance(source.read, FilesRead):
        fingerprints["files"] = marks(feed_files(source), last.fingerprints.get("files", {}) if last else {})
    return Plan(mode, since, last if usable else None, before, fingerprints, reread)


def _known_files(source: Source, plan: Plan) -> bool:
    """Whether the files are, byte for byte, those of the last good load."""
    files = plan.fingerprints.get("files")
    return files is not None and plan.last is not None and same_content(files, plan.last.fingerprints.get("files", {}))


def _unchanged(source: Source, hub: _Hub, plan: Plan) -> Landing:
    number, _ = _begin(source, hub, plan.mode, full=True)
    return _end_unchanged(number, hub, plan, ())


def _begin(source: Source, hub: _Hub, mode: str, *, full: bool) -> tuple[int, bytes]:
    key, wrapped = hub.keyring.new_load_key()
    with hub.database.session(hub.actor) as connection:
        return loads.begin(connection, source, mode, wrapped, full=full), key


def _fail(number: int, hub: _Hub, error: Exception) -> None:
    with hub.database.session(hub.actor) as connection:
        loads.finish(connection, number, "failed", error=str(error))


def _land(source: Source, hub: _Hub, plan: Plan, number: int, key: bytes) -> Landing:
    feed = read_feed(source, plan.since)
    if feed.retried:
        plan.fingerprints["retried"] = feed.retried
    warnings = _guard(source, feed, plan)
    if not plan.full and plan.last is not None:  # part of a feed may lack columns; equal rows must look equal
        feed = replace(feed, rows=_with_columns(feed.rows, plan.last.columns))
    new, fingerprints = _new_rows(source, hub, plan, feed)
    if new is None:
        return _end_unchanged(number, hub, plan, warnings)
    landing.write_sealed(new, landing.ROWS_FILE.format(source=source.name, load=number), key, hub.settings)
    if source.read.cursor is not None:
        seen = landing.as_seen(feed.rows)
        landing.write_sealed(seen, landing.SEEN_FILE.format(source=source.name, load=number), key, hub.settings)
    found = {"read": new.num_rows, "columns": new.column_names, "cursor": feed.cursor, "warnings": list(warnings)}
    with hub.database.session(hub.actor) as connection:
        loads.finish(connection, number, "landed", **found, fingerprints=fingerprints)
    return Landing(number, "landed", plan.mode, new.num_rows, warnings)


def _guard(source: Source, feed: Feed, plan: Plan) -> tuple[str, ...]:
    """The warnings of a read that may stand; FeedRefused for one that may not."""
    rows = feed.rows.num_rows
    if plan.full:
        guards.check_not_empty(source, rows)
    if rows == 0:
        return ()
    warnings = guards.check_columns(source, feed.rows, plan.last.columns if plan.last else (), full=plan.full)
    warnings += guards.odd_cells(source, feed.rows)
    if plan.full:
        if not plan.forced:
            guards.check_share(source, rows, plan.before)
        warnings += guards.check_rows(source, rows)
    if source.read.cursor and feed.cursor is None:
        warnings += (
            f"{source.name}: the cursor {source.read.cursor} does not sort by time; every read takes all rows",
        )
    return warnings


def _new_rows(source: Source, hub: _Hub, plan: Plan, feed: Feed) -> tuple[pa.Table | None, Mapping[str, Any]]:
    """The rows to land, None when there is nothing new; with the fingerprints to remember."""
    if not plan.full:
        known = _known_rows(source, hub, plan)
        new = feed.rows if known is None else landing.without_known(feed.rows, known)
        return (_with_mapped(source, new) if new.num_rows else None), plan.fingerprints
    if isinstance(source.read, FilesRead) or source.read.cursor is not None:
        return _with_mapped(source, feed.rows), plan.fingerprints
    fingerprints = {**plan.fingerprints, "content": landing.content_digest(feed.rows)}
    same = plan.last is not None and plan.last.fingerprints.get("content") == fingerprints["content"]
    return (None if same else feed.rows), fingerprints


def _known_rows(source: Source, hub: _Hub, plan: Plan) -> pa.Array | None:
    """The digests of the rows that the last good read saw; None when they are lost, and all rows are then new."""
    if plan.last is None or plan.last.wrapped_key is None:
        return None
    path = landing.SEEN_FILE.format(source=source.name, load=plan.last.id)
    try:
        seen = landing.read_sealed(path, hub.keyring.unwrap_load_key(plan.last.wrapped_key), hub.settings)
    except (FileNotFoundError, SealError):  # known rows only save work: without them more rows are taken in again
        return None
    return seen.column(landing.DIGEST).combine_chunks()


def _with_mapped(source: Source, rows: pa.Table) -> pa.Table:
    """The rows with every column the source file needs, all missing where no row of this part has a value."""
    return _with_columns(rows, source.needed_columns)


def _with_columns(rows: pa.Table, names: Iterable[str]) -> pa.Table:
    for name in names:
        if name not in rows.column_names:
            rows = rows.append_column(name, text_array([None] * rows.num_rows))
    return rows


def _end_unchanged(number: int, hub: _Hub, plan: Plan, warnings: tuple[str, ...]) -> Landing:
    last = plan.last
    found = {
        "cursor": last.cursor if last else None,
        "columns": list(last.columns) if last else [],
        "current_rows": last.current_rows if last else 0,
    }
    with hub.database.session(hub.actor) as connection:
        kept = {"path": None, "wrapped_key": None, "fingerprints": plan.fingerprints, "warnings": list(warnings)}
        loads.finish(connection, number, "unchanged", **found, **kept)
    return Landing(number, "unchanged", plan.mode, 0, warnings)


def replay_landing(load: int, database: Database, actor: Actor) -> Landing:
    """A load that landed before, to be checked and staged again without its source.

    The replay is a load of its own over the same file, with the cursor of then: after it the feed is read from there.
    Raises NotFound when the load has no file.
    """
    with database.session(actor) as connection:
        found = loads.load_by_id(connection, load)
        if found is None or found.path is None or found.state not in loads.KEPT:
            raise _not_landed(load)
        number = loads.begin_replay(connection, found)
    return Landing(number, "landed", "replay", found.read)


def _not_landed(load: int) -> NotFound:
    return NotFound(f"Load {load} is not in landing: `onegrid sources` lists the loads that are.")


def read_landed(load: int, database: Database, keyring: Keyring, settings: Settings) -> Landed:
    """A landed load, read back; NotFound when there is none of that number or its file is gone, SealError when it was
    changed.
    """
    with database.session(READER) as connection:
        found = loads.load_by_id(connection, load)
    if found is None or found.path is None or found.wrapped_key is None:
        raise _not_landed(load)
    try:
        rows = landing.read_sealed(found.path, keyring.unwrap_load_key(found.wrapped_key), settings)
    except FileNotFoundError:
        raise NotFound(
            f"The file {found.path} of load {load} is gone from {settings.landing_url}; run with --reread."
        ) from None
    return Landed(load, found.source, "snapshot" if found.full_scan else "delta", as_frame(rows))
