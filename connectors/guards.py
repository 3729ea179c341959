"""What a read must show before it may count as landed: columns, size, rows. What was there before stays otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import pyarrow as pa

from onegrid.errors import FeedRefused
from schemas.cron import parse_cron
from schemas.sources import EXTRA_CELLS, FilesRead, RestRead, Source, nearest

LEAST_SHARE = 0.5  # of the last good snapshot's rows; a smaller one is a broken delivery, not a day's change
STAYS = "the last good state stays"
SCHEMALESS = ("jsonl", "geojson")


def check_columns(source: Source, rows: pa.Table, before: Collection[str], *, full: bool) -> tuple[str, ...]:
    """Warnings about new and dropped columns; FeedRefused when one the source file needs is gone.

    before: the columns of the last good load, empty when there is none. In part of a feed whose rows name their own
    keys (jsonl, geojson, rest), a mapped column may be absent because no row of the part has a value.
    """
    names = rows.column_names
    check_names(source, names)
    needed = source.needed_columns if full or not _schemaless(source) else source.read.key
    gone = [name for name in needed if name not in names]
    if gone:
        near = nearest(gone[0], names)
        more = f" (and {len(gone) - 1} more)" if len(gone) > 1 else ""
        found = f"the nearest header is '{near}'" if near else "no header is like it"
        raise FeedRefused(
            f"{source.name}: the column '{gone[0]}'{more} that {source.file} needs is not in the feed; {found}; "
            f"correct the feed or the source file; {STAYS}"
        )
    if not before:
        return ()
    fresh = [name for name in names if name not in before and name != EXTRA_CELLS]
    dropped = [name for name in before if name not in names and name != EXTRA_CELLS] if full else []
    told = ((fresh, "new columns that nothing reads yet"), (dropped, "no longer the columns"))
    return tuple(f"{source.name}: has {what}: {', '.join(list_)}" for list_, what in told if list_)


def check_names(source: Source, names: Sequence[str]) -> None:
    """FeedRefused for a column whose name no database and no source file can hold."""
    for place, name in enumerate(names, start=1):
        if "\x00" in name:
            raise FeedRefused(
                f"{source.name}: the name of column {place} holds a NUL character, so the file may be damaged; "
                f"deliver it again; {STAYS}"
            )


def _schemaless(source: Source) -> bool:
    read = source.read
    return isinstance(read, RestRead) or (isinstance(read, FilesRead) and read.format in SCHEMALESS)


def check_not_empty(source: Source, rows: int) -> None:
    """A whole feed without a row is a broken delivery, unless the source file says that none may be right (rows.min:
    0).
    """
    if rows == 0 and source.expect.rows_min != 0:
        raise FeedRefused(
            f"{source.name}: the feed is empty; deliver it again, or say expect.rows.min: 0 in {source.file} "
            f"if it may be; {STAYS}"
        )


def check_share(source: Source, rows: int, before: int) -> None:
    """FeedRefused when a whole feed shrank below LEAST_SHARE of what it was."""
    if rows < LEAST_SHARE * before:
        raise FeedRefused(
            f"{source.name}: the feed has {rows} rows, less than half of the {before} before; deliver it again, "
            f"or take it as it is with --reread; {STAYS}"
        )


def check_rows(source: Source, rows: int) -> tuple[str, ...]:
    """The bounds `expect.rows` of the source's current rows after a load: FeedRefused below min, a warning above max.

    Landing asks this of whole feeds; after a delta, staging asks it of the rows that then stand.
    """
    low, high = source.expect.rows_min, source.expect.rows_max
    if low is not None and rows < low:
        raise FeedRefused(f"{source.name}: has {rows} rows, below expect.rows.min of {low} in {source.file}; {STAYS}")
    if high is not None and rows > high:
        return (f"{source.name}: has {rows} rows, above expect.rows.max of {high} in {source.file}",)
    return ()


def odd_cells(source: Source, rows: pa.Table) -> tuple[str, ...]:
    """A warning when rows hold more cells than the header names."""
    if EXTRA_CELLS not in rows.column_names:
        return ()
    found: Sequence[bool] = rows.column(EXTRA_CELLS).is_valid().to_pylist()
    first = found.index(True) + 1
    return (
        f"{source.name}: {sum(found)} rows hold more cells than the header names, the first is row {first}; "
        f"the cells too many are kept in {EXTRA_CELLS}",
    )


def due_for_reconcile(source: Source, last_full_scan: datetime | None, now: datetime) -> bool:
    """Whether a full scan is due: a time of `reconcile` (in the zone of `now`) has passed since the last one."""
    if source.read.reconcile is None:
        return False
    due = parse_cron(source.read.reconcile).last_before(now)
    return last_full_scan is None or (due is not None and due > last_full_scan)
