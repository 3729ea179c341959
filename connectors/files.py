"""Files as batches of text columns: csv, xlsx, jsonl, parquet, geojson.

Headers stay byte for byte and values as they are written: leading zeros, ids of 18 digits, numbers of JSON.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.encoding import strict_text
from connectors.opened import FeedFile, feed_files, files_read
from connectors.text import BATCH_ROWS, Number, checked_header, json_text, table_of_rows, text_array, text_table
from onegrid.errors import FeedUnreadable
from schemas.sources import FilesRead, Source

WRITTEN = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=Number)  # numbers stay as written
LONGEST_CELL = 2**27  # characters; an outline of a district in WKT runs to a few MB


def batches(source: Source, environ: Mapping[str, str] = os.environ) -> Iterator[pa.Table]:
    """The rows of all files of the feed, in the order of the files' names.

    Raises FeedUnavailable when a file is missing, FeedUnreadable when it is not what the source file says it is.
    """
    read = files_read(source)
    for file in feed_files(source, environ):
        yield from READERS[read.format](file, read)


def _csv(file: FeedFile, read: FilesRead) -> Iterator[pa.Table]:
    """A csv is read strictly, so that a quotation mark never closed is told from a long cell.

    Where text follows a closing quote, which strict readers refuse, the rest is read as spreadsheets do.
    """
    csv.field_size_limit(LONGEST_CELL)
    done = 0
    try:
        for table in _csv_batches(file, read, strict=True, done=0):
            done += table.num_rows
            yield table
    except csv.Error as error:
        if "end of data" in str(error):
            raise FeedUnreadable(
                f"{file.name}: a quoted cell is never closed: the end of the file is missing, "
                "or one quotation mark is too many"
            ) from None
        yield from _csv_batches(file, read, strict=False, done=done)


def _csv_batches(file: FeedFile, read: FilesRead, *, strict: bool, done: int) -> Iterator[pa.Table]:
    """The batches after the first `done` rows."""
    with file.open() as raw, strict_text(raw, file, read.encoding) as text:
        rows = csv.reader(text, delimiter=read.delimiter, strict=strict)
        header = next(islice(rows, read.header - 1, None), None)
        if header is None:
            return
        names = checked_header(header, file.name)
        filled = islice((row for row in rows if row), done, None)  # an empty line is no row
        while piece := list(islice(filled, BATCH_ROWS)):
            yield table_of_rows(names, piece)
        if rows.line_num and not done:
            yield table_of_rows(names, [])  # a header alone still tells the columns


def _jsonl(file: FeedFile, read: FilesRead) -> Iterator[pa.Table]:
    with file.open() as raw, strict_text(raw, file, read.encoding) as text:
        lines = ((number, line) for number, line in enumerate(text, 1) if line.strip())
        while piece := list(islice(lines, BATCH_ROWS)):
            yield table_of_objects([_object(line, number, file.name) for number, line in piece])


def _object(line: str, number: int, name: str) -> dict[str, Any]:
    try:
        value = WRITTEN.decode(line.strip())
    except (json.JSONDecodeError, RecursionError):
        raise FeedUnreadable(
            f"{name}, line {number}: is no JSON; one object a line is wanted, and the last must be whole"
        ) from None
    if not isinstance(value, dict):
        raise FeedUnreadable(f"{name}, line {number}: is not a JSON object; one object a line is wanted")
    return value


def _geojson(file: FeedFile, read: FilesRead) -> Iterator[pa.Table]:
    with file.open() as raw, strict_text(raw, file, read.encoding) as text:
        content = text.read()
    try:
        value = WRITTEN.decode(content) if content.strip() else {}
    except json.JSONDecodeError as error:
        raise FeedUnreadable(f"{file.name}, line {error.lineno}: is no JSON; the file may have been cut off") from None
    if not content.strip():
        return
    features = value.get("features") if isinstance(value, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise FeedUnreadable(f"{file.name}: is no GeoJSON FeatureCollection: it has no list of features")
    for start in range(0, len(features), BATCH_ROWS):
        yield table_of_objects([_feature(feature) for feature in features[start : start + BATCH_ROWS]])


def _feature(feature: dict[str, Any]) -> dict[str, Any]:
    """A feature with its geometry as text and without the word that only says it is a feature."""
    shape = feature.get("geometry")
    plain = {key: value for key, value in feature.items() if key not in ("type", "geometry")}
    return plain | {"geometry": None if shape is None else json_text(shape)}


def table_of_objects(objects: Sequence[Mapping[str, Any]]) -> pa.Table:
    """JSON objects as a table: nested keys are dotted, lists stay JSON, null and absent are missing."""
    flat = [_flat(value) if dict in set(map(type, value.values())) else value for value in objects]
    names = list(dict.fromkeys(name for value in flat for name in value))
    return text_table(names, [[value.get(name) for value in flat] for name in names])


def _flat(value: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, below in value.items():
        if isinstance(below, dict):
            found |= _flat(below, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = below
    return found


def _parquet(file: FeedFile, read: FilesRead) -> Iterator[pa.Table]:
    from pyarrow import parquet

    with file.open() as raw:
        try:
            content = parquet.ParquetFile(raw)
            for batch in content.iter_batches(BATCH_ROWS):
                yield _text_columns(pa.Table.from_batches([batch]), file.name)
            if content.metadata.num_rows == 0:
                yield _text_columns(content.schema_arrow.empty_table(), file.name)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            raise FeedUnreadable(
                f"{file.name}: is no whole Parquet file ({type(error).__name__}); deliver it again"
            ) from None


def _text_columns(table: pa.Table, name: str) -> pa.Table:
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    names = checked_header(table.column_names, name)
    return pa.table([_text_column(column) for column in table.columns], names=names)


def _text_column(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    kind = column.type
    if (
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    ):
        return pc.cast(column, pa.string())
    return text_array(column.to_pylist())


def _xlsx(file: FeedFile, read: FilesRead) -> Iterator[pa.Table]:
    from connectors.xlsx import xlsx_table  # only feeds of spreadsheets need their reader

    table = xlsx_table(file, read.sheet, read.header)
    if table is not None:
        yield table


READERS: dict[str, Callable[[FeedFile, FilesRead], Iterator[pa.Table]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "jsonl": _jsonl,
    "parquet": _parquet,
    "geojson": _geojson,
}
