"""Feeds behind a department's server: all pages of a question as one table of text columns, or none of them.

Pages are asked for one after the other while people work on what they show. Rows that shift to a later page meanwhile
come twice and are taken once; rows that shift to an earlier page would be missed, so where the answers tell how many
rows there are, a pass that has fewer is made again.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from connectors.files import table_of_objects
from connectors.landing import content_digest, digests
from connectors.rest_question import Question, question
from connectors.text import BATCH_ROWS, text_table
from onegrid.errors import FeedUnavailable
from schemas.sources import Source

if TYPE_CHECKING:
    from connectors.rest_pages import PageReader

PASSES = 3  # over all pages, until one is whole
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RestRows:
    """What the pages held. retried: requests that had to be sent again."""

    rows: pa.Table
    retried: int


@dataclass(frozen=True)
class _Pass:
    """One pass over all pages. rows: those that shifted counted once; given: all; total: what the server spoke of."""

    rows: pa.Table
    given: int
    total: int | None

    def is_whole(self, before: _Pass | None) -> bool:
        """As many rows as there are, or as many counting equal ones, and the same as the pass before."""
        if self.total is None or self.rows.num_rows >= self.total:
            return True
        return self.given >= self.total and self.is_as(before)

    def is_as(self, before: _Pass | None) -> bool:
        return before is not None and content_digest(self.rows) == content_digest(before.rows)


def rest_rows(source: Source, since: str | None = None, environ: Mapping[str, str] = os.environ) -> RestRows:
    """All rows, or those that the server gives when asked for what is newer than `since` (with `read.since`).

    Waits as `rest_session.PATIENCE` says. Raises FeedUnavailable (not reached, refused, never whole) or FeedUnreadable
    (no JSON, no list of objects, a paging that does not work).
    """
    asked = question(source, since, environ)
    with _reader(asked) as reader:
        rows = _whole(asked, reader)
        retried = reader.session.retried
    if retried:
        log.info("%s: %d requests were sent again", source.name, retried)
    return RestRows(rows, retried)


def first_rows(source: Source, rows: int, environ: Mapping[str, str] = os.environ) -> pa.Table:
    """Whole pages until there are `rows` rows. Errors as `rest_rows`."""
    from connectors.rest_pages import Stale

    asked = question(source, None, environ)
    taken: list[dict[str, Any]] = []
    with _reader(asked) as reader:
        try:
            for page in reader.pages():
                taken.extend(page)
                if len(taken) >= rows:
                    break
        except Stale:
            raise _moving(asked) from None
    return table_of_objects(taken)


@contextmanager
def _reader(asked: Question) -> Iterator[PageReader]:
    from connectors.rest_pages import PageReader
    from connectors.rest_session import PATIENCE, PatientSession, secret_addresses

    with secret_addresses(), PatientSession(asked, PATIENCE) as session:
        yield PageReader(asked, session)


def _whole(asked: Question, reader: PageReader) -> pa.Table:
    from connectors.rest_pages import Stale

    before: _Pass | None = None
    for _ in range(PASSES):
        try:
            found = _pass(reader)
        except Stale:
            continue
        # a delta's total may be that of all rows, and what a delta misses is read again by the next: no test there
        if asked.since is not None or found.is_whole(before):
            return found.rows
        if found.given < (found.total or 0) and found.is_as(before):
            raise _short(asked, found)
        before = found
    raise _moving(asked)


def _short(asked: Question, found: _Pass) -> FeedUnavailable:
    where = "(where its pages count from 0, say so in read.params)" if asked.paging else "(there is none)"
    return FeedUnavailable(
        f"{asked.place} speaks of {found.total} rows, but gives {found.given}; check read.paginate {where}"
    )


def _moving(asked: Question) -> FeedUnavailable:
    return FeedUnavailable(
        f"{asked.place} was not whole in {PASSES} passes: its rows move between the pages while they are read; "
        f"run again when less is written there, or ask {asked.source.owner} for a fixed order"
    )


def _pass(reader: PageReader) -> _Pass:
    lengths: list[int] = []
    rows = _table(_counted(reader.pages(), lengths))
    page = np.repeat(np.arange(len(lengths)), lengths)
    return _Pass(_without_shifted(rows, page), rows.num_rows, reader.total)


def _counted(pages: Iterable[Any], lengths: list[int]) -> Iterator[Any]:
    for page in pages:
        lengths.append(len(page))
        yield page


def _table(pages: Iterable[Any]) -> pa.Table:
    """Converted piece by piece: as objects rows take ten times the room."""
    parts: list[pa.Table] = []
    waiting: list[dict[str, Any]] = []
    for page in pages:
        waiting.extend(page)
        if len(waiting) >= BATCH_ROWS:
            parts.append(table_of_objects(waiting))
            waiting = []
    parts.append(table_of_objects(waiting))
    filled = [part for part in parts if part.num_rows]
    return pa.concat_tables(filled, promote_options="default") if filled else text_table([], [])


def _without_shifted(rows: pa.Table, page: np.ndarray[Any, Any]) -> pa.Table:
    """The rows without those that an earlier page held with the same content.

    Equal rows within one page are the feed's own and stay.
    """
    if rows.num_rows == 0:
        return rows
    content = pd.factorize(np.array(digests(rows).to_pylist(), dtype=object))[0]
    first = pd.Series(page).groupby(content).transform("min").to_numpy()
    return rows.filter(pa.array(page == first))
