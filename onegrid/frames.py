"""Frames into tables and queries into frames by COPY, through pyarrow's csv writer and reader.

NULL is an empty field without quotes, the empty text is a quoted one: the two stay apart both ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg import ClientCursor, errors, pq, sql
from sqlalchemy import Connection

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg import Connection as Driver

WRITE_ROWS = 50_000  # rows a piece of COPY: a few MB of text
READ_BLOCK = 2**26  # bytes; no single row may be longer (a place's outline is the longest we hold)


def copy_frame(connection: Connection, table: str, frame: pd.DataFrame) -> int:
    """Appends the rows of `frame` to `table` (its columns named by the frame's, in any order); the number of rows.

    Cells: text, numbers, booleans, dates and times as themselves; bytes as bytea (or its `\\x...` text); dicts and
    lists as JSON; arrays as their text literal `{...}`; missing is NULL. Errors are the driver's own, which `session`
    translates.
    """
    from pyarrow import csv

    if frame.empty:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(sql.Identifier(*table.split(".")), columns)
    options = csv.WriteOptions(include_header=False)
    with _driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        for batch in _to_arrow(frame).to_batches(max_chunksize=WRITE_ROWS):
            copy.write(_csv(batch, options))
    return len(frame)


def read_frame(
    connection: Connection,
    query: str,
    params: Mapping[str, Any] | None = None,
    types: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """The rows of `query` as a frame.

    params: values for `%(name)s` in the query (a list stands for an array: `= ANY(%(names)s)`); without params a `%` is
    just a sign. types: {column: pandas dtype} where the usual is not wanted, "str" for the text as PostgreSQL has it.
    Dtypes: text, jsonb, bytea (`\\x...`) and all others `str`; integers int64, or Int64 where some are missing; floats
    and numeric float64; boolean bool, or boolean where some are missing; timestamptz datetime64[us, UTC]; date
    datetime64[ms].
    """
    from pyarrow import BufferReader, csv

    driver = _driver(connection)
    bound = ClientCursor(driver).mogrify(query, params) if params else query
    columns = _columns(driver, bound)
    with driver.cursor() as cursor, cursor.copy(f"COPY ({bound}) TO STDOUT (FORMAT csv)".encode()) as copy:
        content = b"".join(bytes(piece) for piece in copy)
    wanted = {name: _arrow_type(oid, (types or {}).get(name)) for name, oid in columns.items()}
    if not content:
        return _to_pandas(_empty(wanted), types)
    table = csv.read_csv(
        BufferReader(content),
        read_options=csv.ReadOptions(column_names=list(columns), block_size=READ_BLOCK),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=_convert_options(wanted),
    )
    return _to_pandas(table, types)


def _driver(connection: Connection) -> Driver[Any]:
    driver: Any = connection.connection.driver_connection
    return driver  # type: ignore[no-any-return]


def _csv(batch: pa.RecordBatch, options: Any) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(batch, sink, options)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    import pyarrow as pa

    return pa.table([_arrow_column(frame.iloc[:, place]) for place in range(frame.shape[1])], names=list(frame.columns))


def _arrow_column(values: pd.Series) -> pa.Array:
    """One column as csv can carry it: bytes in hexadecimal, dicts and lists as JSON, categories as their text."""
    import pyarrow as pa

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype == object:
        values = values.map(_plain, na_action="ignore")
    return pa.Array.from_pandas(values)


def _plain(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return "\\x" + bytes(value).hex()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _columns(driver: Driver[Any], query: str) -> dict[str, int]:
    """Names and type numbers (pg_type.oid) of a query's columns, as the server describes it without running it."""
    encoding = driver.info.encoding
    for answer in (driver.pgconn.prepare(b"", query.encode(encoding)), driver.pgconn.describe_prepared(b"")):
        if answer.status != pq.ExecStatus.COMMAND_OK:
            raise errors.error_from_result(answer, encoding)
    names = [(answer.fname(place) or b"").decode(encoding) for place in range(answer.nfields)]
    if len(set(names)) < len(names):
        raise ValueError(f"two columns of the query have one name: {sorted(names)}")
    return {name: answer.ftype(place) for place, name in enumerate(names)}


_BOOLEAN, _INTEGERS, _FLOATS, _DATE, _MOMENT = 16, (20, 21, 23, 26), (700, 701, 1700), 1082, 1184  # pg_type.oid


def _arrow_type(oid: int, wanted: str | None) -> pa.DataType:
    import pyarrow as pa

    if wanted is not None or oid not in (_BOOLEAN, *_INTEGERS, *_FLOATS, _DATE, _MOMENT):
        return pa.string()
    if oid in _INTEGERS:
        return pa.int64()
    if oid in _FLOATS:
        return pa.float64()
    return {_BOOLEAN: pa.bool_(), _DATE: pa.date32(), _MOMENT: pa.timestamp("us", "UTC")}[oid]


def _convert_options(wanted: Mapping[str, pa.DataType]) -> Any:
    from pyarrow import csv

    return csv.ConvertOptions(
        column_types=dict(wanted),
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )


def _empty(wanted: Mapping[str, pa.DataType]) -> pa.Table:
    import pyarrow as pa

    return pa.schema(list(wanted.items())).empty_table()


def _to_pandas(table: pa.Table, types: Mapping[str, str] | None) -> pd.DataFrame:
    frame = pd.DataFrame({name: _pandas_column(table.column(name)) for name in table.column_names})
    return frame.astype(dict(types)) if types else frame


def _pandas_column(values: pa.ChunkedArray) -> pd.Series:
    """Nullable dtypes only where something is missing, so that keys stay plain int64."""
    import pyarrow as pa

    if values.null_count and pa.types.is_integer(values.type):
        return values.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)  # type: ignore[no-any-return]
    if values.null_count and pa.types.is_boolean(values.type):
        return values.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)  # type: ignore[no-any-return]
    if pa.types.is_string(values.type):
        return values.to_pandas().astype("str")  # type: ignore[no-any-return]
    return values.to_pandas(date_as_object=False)  # type: ignore[no-any-return]
