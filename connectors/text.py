"""Values of any feed as text, the way the feed writes them, in Arrow tables of text columns."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from onegrid.errors import FeedUnreadable
from schemas.sources import EXTRA_CELLS

BATCH_ROWS = 50_000  # rows converted at once: some tens of MB


class Number(str):
    """A number of a JSON text, as it was written."""

    __slots__ = ()


def written(value: Any) -> str | None:
    """One value as text: whole floats as whole numbers, times as ISO text with a blank, bytes in hexadecimal; missing
    as None.
    """
    if value is None or isinstance(value, str):
        return value
    convert = next((convert for kind, convert in WRITERS if isinstance(value, kind)), str)
    return convert(value)


def _float(value: float) -> str | None:
    if math.isnan(value):
        return None
    # the shortest digits that mean this number, never its binary expansion
    return str(value) if math.isinf(value) else _decimal(Decimal(repr(value)).normalize())


def _decimal(value: Decimal) -> str | None:
    return format(value, "f") if value.is_finite() else None


def json_text(value: Any) -> str:
    """A JSON value as compact text, with its numbers as they were written."""
    kind = type(value)
    if kind is Number:
        return str(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        return (
            "{" + ",".join([f"{encode_basestring(str(key))}:{json_text(below)}" for key, below in value.items()]) + "}"
        )
    if kind is list or kind is tuple:
        return "[" + ",".join(map(json_text, value)) + "]"
    if value is None or kind in (bool, int, float):
        return json.dumps(value)
    return encode_basestring(written(value) or "")


WRITERS: tuple[tuple[Any, Callable[[Any], str | None]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (float, _float),
    (Decimal, _decimal),
    (dt.datetime, lambda value: value.isoformat(" ")),
    (bytes | bytearray | memoryview, lambda value: bytes(value).hex()),
    (dict | list | tuple, json_text),
)


def text_array(values: Sequence[Any]) -> pa.Array:
    """One column as text. Columns of plain text or plain whole numbers, which most are, are converted at once."""
    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str, Number}:
        return _strings(values)
    if kinds == {int} and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pc.cast(pa.array(values, pa.int64()), pa.string())
    return _strings([written(value) for value in values])


def _strings(values: Sequence[str | None]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # half of a surrogate pair, which no text file can hold: shown by the replacement mark
        mended = [v if v is None else v.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for v in values]
        return pa.array(mended, pa.string())


def text_table(names: Sequence[str], columns: Iterable[Sequence[Any]]) -> pa.Table:
    """Columns of any values as a table of text columns."""
    return pa.table([text_array(column) for column in columns], names=list(names))


def table_of_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows of cells under a header.

    A short row is missing its last cells; cells beyond the header are kept, as a JSON list, in the column EXTRA_CELLS.
    A column without a name is `column N` (N from 1), and left out of a batch in which it holds nothing.
    """
    width = len(names)
    extra: list[str | None] = []
    if any(len(row) != width for row in rows):
        extra = [_extra(row, width) for row in rows]
        rows = [[*row[:width], *[None] * (width - len(row))] for row in rows]
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * width
    kept = [place for place, name in enumerate(names) if name or any(columns[place])]
    labels = [names[place] or f"column {place + 1}" for place in kept]
    table = text_table(labels, [columns[place] for place in kept])
    return table.append_column(EXTRA_CELLS, text_array(extra)) if any(extra) else table


def _extra(row: Sequence[Any], width: int) -> str | None:
    beyond = [written(cell) or "" for cell in row[width:]]
    return json_text(beyond) if any(beyond) else None


def checked_header(names: Sequence[Any], where: str) -> list[str]:
    """The header byte for byte; FeedUnreadable when two columns bear exactly one name."""
    header = [written(name) or "" for name in names]
    named = [name for name in header if name]
    for place, name in enumerate(header):
        if name and name in header[:place]:
            first = header.index(name) + 1
            # by number only: where the header is missing, the first row holds persons
            raise FeedUnreadable(f"{where} has two columns of one name, {first} and {place + 1}: rename one of them")
    if not named:
        raise FeedUnreadable(
            f"{where} has no names where its header should be; set read.header to the row that holds them"
        )
    return header
