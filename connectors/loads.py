"""The loads of a source, as the table `load` knows them. `load.cursor` is the only state a feed has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from connectors.landing import ROWS_FILE
from onegrid.errors import RunBusy
from schemas import tables
from schemas.sources import Source

UNFINISHED = ("landing", "landed", "checked")
KEPT = ("landed", "checked", "staged", "failed")  # states in which a load may have a whole file
ENDED = ("staged", "unchanged", "failed")  # states of a load that was read to its end, well or badly
SOURCE_LOCK = 0x6F6E6773  # "ongs"
SAFE = "staged"  # only what the registry has taken in counts as read: anything else is read again


@dataclass(frozen=True)
class Load:
    """One load of the past. meaning, reading: digests of the source file it was read by; columns: the feed's header."""

    id: int
    source: str
    mode: str
    state: str
    meaning: str
    cursor: str | None
    fingerprints: Mapping[str, Any]
    columns: tuple[str, ...]
    path: str | None
    wrapped_key: bytes | None
    full_scan: bool
    read: int
    current_rows: int

    def by(self, source: Source) -> bool:
        """Whether it was read by the source file as it now stands."""
        return self.meaning == source.meaning and self.fingerprints.get("reading") == source.reading


def lock_source(connection: Connection, source: str) -> None:
    """Takes a source for one load, for as long as this connection is open: kill -9 lets it go by itself.

    Raises RunBusy at once when another process loads it.
    """
    taken = text("SELECT pg_try_advisory_lock(:key, hashtext(:source))")
    if not connection.execute(taken, {"key": SOURCE_LOCK, "source": source}).scalar_one():
        raise RunBusy(f"{source}: another process is loading it: wait until that has finished, then run again.")


def unlock_source(connection: Connection, source: str) -> None:
    """Lets a source go, on the connection that took it."""
    connection.execute(
        text("SELECT pg_advisory_unlock(:key, hashtext(:source))"), {"key": SOURCE_LOCK, "source": source}
    )


def never_read(connection: Connection, sources: Iterable[str]) -> list[str]:
    """Which of these sources have never been read to the end, neither well nor badly."""
    read = set(
        connection.execute(select(tables.load.c.source).where(tables.load.c.state.in_(ENDED)).distinct()).scalars()
    )
    return [source for source in sources if source not in read]


def declare(connection: Connection, source: Source) -> None:
    """Writes what the source file says of its source, anew when it says something else."""
    said = {
        "title": source.title,
        "owner": source.owner,
        "level": source.level,
        "division": source.division,
        "spec": source.spec,
    }
    statement = upsert(tables.source).values(name=source.name, **said)
    changed = tables.source.c.spec.is_distinct_from(statement.excluded.spec)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["name"], set_={**said, "declared_at": func.now()}, where=changed
        )
    )


def last_good(connection: Connection, source: str) -> Load | None:
    """The last load that the registry took in."""
    return _load(connection, tables.load.c.source == source, tables.load.c.state == SAFE)


def last_full(connection: Connection, source: str) -> Load | None:
    """The last load of those that the registry took in for which every row of the feed was read."""
    wanted = (tables.load.c.source == source, tables.load.c.state == SAFE, tables.load.c.full_scan)
    return _load(connection, *wanted)


def last_full_scan(connection: Connection, source: str) -> datetime | None:
    """When every row of the feed was last read, whether anything had changed or not."""
    seen = tables.load.c.state.in_((SAFE, "unchanged"))
    times = select(func.max(tables.load.c.started_at)).where(
        tables.load.c.source == source, seen, tables.load.c.full_scan
    )
    return connection.execute(times).scalar()


def load_by_id(connection: Connection, load: int) -> Load | None:
    """The load of a number."""
    return _load(connection, tables.load.c.id == load)


def _load(connection: Connection, *where: Any) -> Load | None:
    newest = select(tables.load).where(*where).order_by(tables.load.c.id.desc()).limit(1)
    row = connection.execute(newest).mappings().first()
    return None if row is None else _of(row)


def _of(row: RowMapping) -> Load:
    same = {name: row[name] for name in ("id", "source", "mode", "state", "cursor", "fingerprints", "path")}
    counts = {name: row[name] for name in ("full_scan", "read", "current_rows", "wrapped_key")}
    return Load(**same, **counts, meaning=row["spec_hash"], columns=tuple(row["columns"]))


def begin(connection: Connection, source: Source, mode: str, wrapped_key: bytes, *, full: bool) -> int:
    """A new load in state landing; its number."""
    values = {"source": source.name, "mode": mode, "state": "landing", "spec_hash": source.meaning, "full_scan": full}
    made = connection.execute(insert(tables.load).values(**values, wrapped_key=wrapped_key).returning(tables.load.c.id))
    number = int(made.scalar_one())
    path = ROWS_FILE.format(source=source.name, load=number)
    connection.execute(update(tables.load).where(tables.load.c.id == number).values(path=path))
    return number


def begin_replay(connection: Connection, past: Load) -> int:
    """A new load over the file of a past one, with all that was known of it; its number."""
    table = tables.load
    kept = ("source", "spec_hash", "cursor", "fingerprints", "columns", "path", "wrapped_key", "full_scan", "read")
    copied = select(literal("replay"), literal("landed"), *(table.c[name] for name in kept)).where(
        table.c.id == past.id
    )
    made = connection.execute(insert(table).from_select(["mode", "state", *kept], copied).returning(table.c.id))
    return int(made.scalar_one())


def finish(connection: Connection, load: int, state: str, **values: Any) -> None:
    """Ends a load in a state."""
    ended = {"state": state, "finished_at": func.now(), **values}
    connection.execute(update(tables.load).where(tables.load.c.id == load).values(**ended))


def set_stages(connection: Connection, load: int, stages: Mapping[str, object]) -> None:
    """Keeps what the stages of a load cost."""
    connection.execute(update(tables.load).where(tables.load.c.id == load).values(stages=dict(stages)))


def abandon_unfinished(connection: Connection, source: str) -> list[Load]:
    """Marks what a killed run left half done, and takes back what it had noted of those loads; the loads given up."""
    mine = (tables.load.c.source == source, tables.load.c.state.in_(UNFINISHED))
    given_up = [_of(row) for row in connection.execute(select(tables.load).where(*mine)).mappings()]
    if given_up:
        numbers = [load.id for load in given_up]
        ended = {"state": "abandoned", "finished_at": func.now(), "error": "its run was stopped before it was done"}
        connection.execute(update(tables.load).where(tables.load.c.id.in_(numbers)).values(**ended))
        for table in (tables.quarantine, tables.quality_result):
            connection.execute(delete(table).where(table.c.load.in_(numbers)))
    return given_up


def forget(connection: Connection, before: datetime) -> list[Load]:
    """Drops the keys of landed files from before a moment, but of the last good load of each source and the last whole
    one; what they were.
    """
    table = tables.load
    needed = (
        select(func.max(table.c.id)).where(table.c.state == SAFE, *more).group_by(table.c.source)
        for more in ((), (table.c.full_scan,))
    )
    old = (table.c.wrapped_key.is_not(None), table.c.finished_at < before, table.c.state.not_in(UNFINISHED))
    chosen = select(table).where(*old, *(table.c.id.not_in(kept) for kept in needed))
    gone = [_of(row) for row in connection.execute(chosen).mappings()]
    forgotten = update(table).where(table.c.id.in_([load.id for load in gone]))
    connection.execute(forgotten.values(wrapped_key=None, path=None))
    # a replayed load shares its file with the one it replays: where that is still needed, the file stays
    shared = set(connection.execute(select(table.c.path).where(table.c.path.is_not(None))).scalars())
    return [load for load in gone if load.path is not None and load.path not in shared]
