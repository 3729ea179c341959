"""COPY: what goes in comes out, NULL and the empty text stay apart, parameters are values and never SQL."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from onegrid.database import Actor, Database, copy_frame, read_frame
from onegrid.frames import WRITE_ROWS

TEXTS = st.one_of(st.none(), st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.session(Actor("tester")) as connection:
        yield connection


def make(connection: Connection, columns: str) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS t; CREATE TEMP TABLE t ({columns})")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6))
def test_text_survives_the_way_there_and_back(
    connection: Connection, rows: list[tuple[str | None, str | None]]
) -> None:
    make(connection, "a text, b text")
    frame = pd.DataFrame(rows, columns=["a", "b"], dtype="str")
    assert copy_frame(connection, "t", frame) == len(rows)
    pd.testing.assert_frame_equal(read_frame(connection, "SELECT a, b FROM t"), frame)
    stored = connection.exec_driver_sql("SELECT a, b FROM t").all()
    assert [tuple(row) for row in stored] == rows


@pytest.mark.parametrize(
    "values", [["", None, "x"], [None, None], [""], ["\\.", "NULL", "\\N", 'a"b', "a,b", "a\nb\r\n"]]
)
def test_one_column_keeps_null_and_empty_apart(connection: Connection, values: list[str | None]) -> None:
    make(connection, "a text")
    frame = pd.DataFrame({"a": pd.Series(values, dtype="str")})
    copy_frame(connection, "t", frame)
    assert [row[0] for row in connection.exec_driver_sql("SELECT a FROM t")] == values
    pd.testing.assert_frame_equal(read_frame(connection, "SELECT a FROM t"), frame)


def test_each_type_arrives_as_itself(connection: Connection) -> None:
    make(
        connection,
        "i bigint, n int, f float8, b bool, o bool, d date, m timestamptz, j jsonb, y bytea, l text[], c text",
    )
    moments = pd.to_datetime(["2026-01-02 03:04:05.678901+08:00", None])
    frame = pd.DataFrame(
        {
            "i": np.array([2**62, -1]),
            "n": pd.array([None, 7], dtype="Int64"),
            "f": [0.1 + 0.2, None],
            "b": [True, False],
            "o": pd.array([None, True], dtype="boolean"),
            "d": pd.to_datetime(["1899-12-31", None]).date,
            "m": moments,
            "j": pd.Series([{"名": ["a", 1]}, None], dtype="object"),
            "y": pd.Series([b"\x00\xff", None], dtype="object"),
            "l": ["{a,NULL}", None],
            "c": pd.Categorical(["x", None]),
        }
    )
    copy_frame(connection, "t", frame)
    row = connection.exec_driver_sql("SELECT i, n, f, b, o, d::text, m, j, y, l, c FROM t").all()
    assert row[0][:6] == (2**62, None, 0.1 + 0.2, True, None, "1899-12-31")
    assert row[0][6] == moments[0]
    assert row[0][7:] == ({"名": ["a", 1]}, b"\x00\xff", ["a", None], "x")
    assert row[1] == (-1, 7, None, False, True, None, None, None, None, None, None)
    read = read_frame(connection, "SELECT * FROM t")
    assert read.dtypes.astype(str).to_dict() == {
        "i": "int64", "n": "Int64", "f": "float64", "b": "bool", "o": "boolean", "d": "datetime64[ms]",
        "m": "datetime64[us, UTC]", "j": "str", "y": "str", "l": "str", "c": "str",
    }  # fmt: skip
    assert read["m"].iloc[0] == moments[0]
    assert read["y"].iloc[0] == "\\x00ff"
    assert read["f"].iloc[0] == 0.1 + 0.2


def test_nothing_found_keeps_names_and_types(connection: Connection) -> None:
    read = read_frame(connection, "SELECT 1::bigint i, 'x' s, now() m WHERE false")
    assert len(read) == 0
    assert read.dtypes.astype(str).to_dict() == {"i": "int64", "s": "str", "m": "datetime64[us, UTC]"}


def test_types_asked_for_are_given(connection: Connection) -> None:
    read = read_frame(connection, "SELECT 1::bigint i, DATE '2026-01-02' d", types={"i": "str", "d": "str"})
    assert read.astype(object).to_dict("records") == [{"i": "1", "d": "2026-01-02"}]


@pytest.mark.parametrize("value", ["'; DROP TABLE t; --", "100%", "%(x)s", "\\", "E'\\''", "张'三\"", ""])
def test_parameters_are_values(connection: Connection, value: str) -> None:
    assert read_frame(connection, "SELECT %(x)s::text a", {"x": value})["a"].tolist() == [value]


def test_lists_bind_as_arrays_and_none_as_null(connection: Connection) -> None:
    read = read_frame(
        connection,
        "SELECT x FROM unnest(%(names)s::text[]) x WHERE %(no)s::int IS NULL",
        {"names": ["a", "b'"], "no": None},
    )
    assert read["x"].tolist() == ["a", "b'"]


def test_a_percent_sign_without_parameters_is_just_a_sign(connection: Connection) -> None:
    assert len(read_frame(connection, "SELECT 1 a WHERE 'ab' LIKE 'a%'")) == 1


def test_two_columns_of_one_name_are_refused(connection: Connection) -> None:
    with pytest.raises(ValueError, match="one name"):
        read_frame(connection, "SELECT 1 a, 2 a")


def test_a_wrong_query_is_the_drivers_error(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        read_frame(connection, "SELECT * FROM nowhere")


def test_frames_longer_than_a_piece_are_written_whole(connection: Connection) -> None:
    make(connection, "i int, s text")
    frame = pd.DataFrame({"i": np.arange(2 * WRITE_ROWS + 1), "s": "x"})
    assert copy_frame(connection, "t", frame) == len(frame)
    assert connection.exec_driver_sql("SELECT count(*), sum(i) FROM t").one() == (len(frame), frame["i"].sum())


def test_a_long_outline_is_read_whole(connection: Connection) -> None:
    read = read_frame(connection, "SELECT repeat('1.5 2.5, ', 1000000) g, n FROM generate_series(1, 3) n")
    assert read["g"].str.len().tolist() == [9_000_000] * 3


def test_an_index_of_the_frame_does_not_matter(connection: Connection) -> None:
    make(connection, "a text, b int")
    copy_frame(connection, "t", pd.DataFrame({"b": [1, 2], "a": ["x", "y"]}, index=[9, 9]))
    assert connection.exec_driver_sql("SELECT a, b FROM t").all() == [("x", 1), ("y", 2)]


def test_tables_of_a_schema(connection: Connection) -> None:
    make(connection, "a text")
    copy_frame(connection, "pg_temp.t", pd.DataFrame({"a": ["x"]}))
    assert len(read_frame(connection, "SELECT * FROM t")) == 1
