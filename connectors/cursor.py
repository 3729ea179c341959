"""What a cursor's last value means for the next read, so that no changed row is ever missed.

Every incremental read asks for more than what is newer, and lets the rows already known drop out by their content:
rows with the very last value (ties), rows without a value, rows written up to OVERLAP before it (transactions that were
committed late, clocks that differ), and, where times are text, rows written in another shape than the last value,
because no comparison of texts can be trusted across shapes (2024-9-1, 2024-10-01, 2024/01/05).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

OVERLAP = timedelta(days=1)
OVERLAP_NUMBERS = 1_000  # of a running number: those that a transaction took early and committed late
EPOCH_SECONDS, EPOCH_MILLISECONDS = 10, 13  # digits that times since 1970 have until 2286
LIKE_ANY = r"[0-9%_\\]"
YEAR_FIRST = re.compile(r"_{4}[-/.:_ TZ+年月日时分秒,]*")
DATE = re.compile(r"((?:19|20)[0-9]{2})([^0-9]?)([0-9]{2})([^0-9]?)([0-9]{2})(.*)", re.DOTALL)
Native: TypeAlias = datetime | date | Decimal


def shape(text: str) -> str:
    """How a value is written, as a LIKE pattern: any character for a digit (or a wildcard), all else itself."""
    return re.sub(LIKE_ANY, "_", text)


def newest(values: pa.ChunkedArray, since: str | None = None) -> str | None:
    """The largest of text values in the shape that most have; after an incremental read, in the shape of `since`.

    None when there is none, or when that shape does not sort by time (05-01-2024, Jan 5): then every read must be a
    full one.
    """
    present = values.drop_null()
    if since is not None:
        like = present.filter(pc.equal(pc.replace_substring_regex(present, LIKE_ANY, "_"), shape(since)))
        return max(since, str(pc.max(like).as_py())) if len(like) else since
    if len(present) == 0:
        return None
    shapes = pc.replace_substring_regex(present, LIKE_ANY, "_")
    counts = pc.value_counts(shapes)
    most = max(counts.to_pylist(), key=lambda line: (line["counts"], line["values"]))["values"]
    if not YEAR_FIRST.fullmatch(most) and most.strip("_"):
        return None
    return str(pc.max(present.filter(pc.equal(shapes, most))).as_py())


def reread_from(last: str) -> str:
    """The text to read again from: OVERLAP before `last`, written in the same shape."""
    if found := DATE.fullmatch(last):
        year, first, month, second, day, rest = found.groups()
        try:
            moved = date(int(year), int(month), int(day)) - OVERLAP
        except ValueError:
            return last
        return f"{moved.year:04}{first}{moved.month:02}{second}{moved.day:02}{rest}"
    if last.isascii() and last.isdigit():
        return str(max(0, int(last) - _number_overlap(last))).zfill(len(last))
    return last


def _number_overlap(digits: str) -> int:
    """A day for what looks like a time since 1970, else OVERLAP_NUMBERS."""
    seconds = int(OVERLAP.total_seconds())
    known = {EPOCH_SECONDS: seconds, EPOCH_MILLISECONDS: seconds * 1000}
    return OVERLAP_NUMBERS if digits.startswith("0") else known.get(len(digits), OVERLAP_NUMBERS)


def native_from(last: str, sample: Any) -> Native | None:
    """The value to read again from, in the type of the column that `sample` shows; None when `last` has none."""
    try:
        if isinstance(sample, datetime):
            moment = datetime.fromisoformat(last) - OVERLAP
            return moment if (moment.tzinfo is None) == (sample.tzinfo is None) else None
        if isinstance(sample, date):
            return date.fromisoformat(last) - OVERLAP
        return Decimal(last) - _number_overlap(last.partition(".")[0])
    except (ValueError, ArithmeticError):
        return None


def rows_to_read(values: pa.ChunkedArray, last: str) -> pa.ChunkedArray:
    """Which rows of a text column an incremental read after `last` takes (a boolean mask)."""
    shapes = pc.replace_substring_regex(values, LIKE_ANY, "_")
    wanted = pc.or_(pc.greater_equal(values, reread_from(last)), pc.not_equal(shapes, shape(last)))
    return pc.fill_null(wanted, True)
