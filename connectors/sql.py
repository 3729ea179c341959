"""Tables and queries of PostgreSQL, MySQL or MariaDB, and SQLite (others by their SQLAlchemy driver) as batches of
text columns.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, FromClause, Select, func, inspect, or_, select, text
from sqlalchemy import column as column_named
from sqlalchemy import table as table_named
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import quoted_name

from connectors.connection import connected, sql_read
from connectors.cursor import native_from, newest, reread_from, shape
from connectors.text import BATCH_ROWS, checked_header, text_table, written
from onegrid.errors import FeedUnavailable, FeedUnreadable
from schemas.sources import Source, nearest


class SqlFeed:
    """One read of one source. `cursor` is the value to remember; ask for it when all batches were taken."""

    def __init__(self, source: Source, connection: Connection) -> None:
        self.source, self.read, self.connection = source, sql_read(source), connection
        self.cursor: str | None = None

    def batches(self, since: str | None = None, size: int = BATCH_ROWS) -> Iterator[pa.Table]:
        """All rows, or those an incremental read after the cursor value `since` takes (see `connectors.cursor`)."""
        with readable(self.source):
            highest = self._highest()
            statement = self.statement(since, highest)
            texts: list[pa.ChunkedArray] = []
            for batch in self._stream(statement, size):
                if self.read.cursor in batch.column_names:
                    texts.append(batch.column(self.read.cursor))
                yield batch
            self.cursor = self._reached(highest, texts, since)

    def statement(self, since: str | None, highest: Any) -> Select[Any]:
        """The query of a read after `since`; the type of `highest`, the cursor's largest value, says how to compare."""
        whole = select(text("*")).select_from(self._origin)
        if since is None or highest is None:
            return whole
        marker = _column(self.read.cursor or "")
        if isinstance(highest, str):
            return whole.where(or_(marker >= reread_from(since), marker.is_(None), marker.not_like(shape(since))))
        start = native_from(since, highest)
        return whole if start is None else whole.where(or_(marker >= start, marker.is_(None)))

    @cached_property
    def _origin(self) -> FromClause:
        if self.read.query is not None:
            # a colon would begin a parameter, and a semicolon cannot stand in a subquery
            query = self.read.query.strip().rstrip(";").replace(":", "\\:")
            return text(query).columns().subquery("feed")
        schema, _, name = (self.read.table or "").rpartition(".")
        inspector = inspect(self.connection)
        if not inspector.has_table(name, schema=schema or None):
            names = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
            near = nearest(name, names)
            raise FeedUnavailable(
                f"{self.source.name}: its database has no table {self.read.table}"
                + (f"; did you mean {near}?" if near else "; correct read.table")
            )
        return table_named(quoted_name(name, True), schema=quoted_name(schema, True) if schema else None)

    def _highest(self) -> Any:
        """The cursor's largest value before the read begins: rows committed while it runs are read again next time."""
        if self.read.cursor is None:
            return None
        return self.connection.execute(select(func.max(_column(self.read.cursor))).select_from(self._origin)).scalar()

    def _stream(self, statement: Select[Any], size: int) -> Iterator[pa.Table]:
        options = {"stream_results": True, "yield_per": size}
        with self.connection.execute(statement, execution_options=options) as result:
            names = checked_header(list(result.keys()), self.source.name)
            empty = True
            for piece in result.partitions(size):
                empty = False
                yield text_table(names, zip(*piece, strict=True))
            if empty:
                yield text_table(names, [()] * len(names))

    def _reached(self, highest: Any, texts: list[pa.ChunkedArray], since: str | None) -> str | None:
        if highest is None or not isinstance(highest, str):
            return since if highest is None else written(highest)
        chunks = [chunk for part in texts for chunk in part.chunks]
        return newest(pa.chunked_array(chunks, pa.string()), since)


@contextmanager
def sql_feed(source: Source, environ: Mapping[str, str] = os.environ) -> Iterator[SqlFeed]:
    """The source's database, connected for one read; FeedUnavailable when it does not answer."""
    with connected(source, environ) as connection:
        yield SqlFeed(source, connection)


def _column(name: str) -> ColumnElement[Any]:
    return column_named(quoted_name(name, True))


@contextmanager
def readable(source: Source) -> Iterator[None]:
    """Turns a database's complaint about the read into an error of ours, without the words in which it may quote a
    row.
    """
    try:
        yield
    except SQLAlchemyError as error:
        origin = getattr(error, "orig", None) or error
        if isinstance(origin, UnicodeError) or "decode" in str(origin).lower():
            raise FeedUnreadable(
                f"{source.name}: holds text its database cannot decode; have its encoding mended"
            ) from None
        what = "query" if source.read.kind == "sql" and getattr(source.read, "query", None) else "table or its cursor"
        raise FeedUnavailable(
            f"{source.name}: its {what} cannot be read ({type(origin).__name__}); check read in {source.file}"
        ) from None
