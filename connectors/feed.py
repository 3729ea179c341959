"""One read of one feed, whatever its kind: its rows, and where its cursor then stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd
import pyarrow as pa

from connectors import files
from connectors.cursor import newest, rows_to_read
from connectors.rest import first_rows, rest_rows
from connectors.sql import sql_feed
from connectors.text import text_table
from schemas.sources import FilesRead, Source, SqlRead

HEAD_ROWS = 200


@dataclass(frozen=True)
class Feed:
    """rows: text columns named as the feed names them.

    cursor: its newest value, None where there is no order to trust. retried: requests a server had to be sent again.
    """

    rows: pa.Table
    cursor: str | None = None
    retried: int = 0


def read_feed(source: Source, since: str | None = None, environ: Mapping[str, str] = os.environ) -> Feed:
    """All rows, or those that an incremental read after the cursor value `since` takes.

    Raises FeedUnavailable when the feed cannot be reached, FeedUnreadable when it is not what the source file says.
    """
    if isinstance(source.read, SqlRead):
        with sql_feed(source, environ) as feed:
            rows = joined(feed.batches(since))
            return Feed(rows, feed.cursor)
    if isinstance(source.read, FilesRead):
        return _since(source, joined(files.batches(source, environ)), since)
    found = rest_rows(source, since, environ)
    newer = _since(source, found.rows, since)
    # an answer without one value of the cursor says nothing about where it stands
    return replace(newer, cursor=newer.cursor or since, retried=found.retried)


def _since(source: Source, rows: pa.Table, since: str | None) -> Feed:
    """What of whole files is newer. A file has no query to ask, so it is read whole and filtered; so is what a server
    gives, whatever it was asked for.
    """
    cursor = source.read.cursor
    if cursor is None or cursor not in rows.column_names:
        return Feed(rows)
    reached = newest(rows.column(cursor), since)
    return Feed(rows if since is None else rows.filter(rows_to_read(rows.column(cursor), since)), reached)


def joined(batches: Iterator[pa.Table]) -> pa.Table:
    """Batches as one table: columns by name in the order in which they first appear, missing where a batch has them
    not.
    """
    parts = list(batches)
    return pa.concat_tables(parts, promote_options="default") if parts else text_table([], [])


def head(source: Source, rows: int = HEAD_ROWS, environ: Mapping[str, str] = os.environ) -> pd.DataFrame:
    """The first rows of a feed as a frame of `str` columns, for a dry run; writes nothing. Errors as `read_feed`."""
    if isinstance(source.read, SqlRead):
        with sql_feed(source, environ) as feed:
            return _first(feed.batches(size=rows), rows)
    if isinstance(source.read, FilesRead):
        return _first(files.batches(source, environ), rows)
    return as_frame(first_rows(source, rows, environ).slice(0, rows))


def _first(batches: Iterator[pa.Table], rows: int) -> pd.DataFrame:
    taken: list[pa.Table] = []
    for batch in batches:
        taken.append(batch)
        if sum(part.num_rows for part in taken) >= rows:
            break
    return as_frame(joined(iter(taken)).slice(0, rows))


def as_frame(rows: pa.Table) -> pd.DataFrame:
    """A table of text columns as a frame of `str` columns, index 0 to n-1."""
    return pd.DataFrame(
        {name: column.to_pandas().astype("str") for name, column in _columns(rows)}, index=range(rows.num_rows)
    )


def _columns(rows: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    return zip(rows.column_names, rows.columns, strict=True)
