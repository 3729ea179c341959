"""Cursor laws: whatever happens to a table between reads, what was read adds up to what stands in it."""

from __future__ import annotations

import datetime as dt
import sqlite3
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from connectors.cursor import native_from, newest, reread_from, rows_to_read, shape
from connectors.feed import read_feed
from connectors.sql import sql_feed
from schemas.sources import SqlRead, read_source

START = dt.datetime(2024, 9, 1, 8, 0, 0)
WRITINGS = {
    "iso": "%Y-%m-%d %H:%M:%S",
    "slashes": "%Y/%m/%d %H:%M:%S",
    "digits": "%Y%m%d%H%M%S",
    "chinese": "%Y年%m月%d日",
}


def column(*values: str | None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values, pa.string())])


@pytest.mark.parametrize(
    ("last", "start"),
    [
        ("2024-03-01", "2024-02-29"),
        ("2024-01-01 08:30:00.5", "2023-12-31 08:30:00.5"),
        ("2024/01/05T00:00:00Z", "2024/01/04T00:00:00Z"),
        ("20240301", "20240229"),
        ("2024年03月01日", "2024年02月29日"),
        ("1709251200", "1709164800"),
        ("1709251200000", "1709164800000"),
        ("0000005000", "0000004000"),
        ("12", "00"),
        ("2024-13-01", "2024-13-01"),
        ("2024-9-1", "2024-9-1"),
    ],
)
def test_the_next_read_begins_a_day_or_a_thousand_numbers_earlier_in_the_same_writing(last, start):
    assert reread_from(last) == start
    assert len(start) == len(last)


def test_the_newest_value_is_of_the_shape_most_have():
    assert newest(column("2024-01-05", "2024-01-07", "2024/12/31", None, "待定")) == "2024-01-07"
    assert newest(column(None, None)) is None
    assert newest(column("05-01-2024", "06-01-2024")) is None  # day first does not sort by time
    assert newest(column("Jan 5 2024")) is None


def test_after_a_delta_the_cursor_keeps_its_shape_and_never_goes_back():
    assert newest(column("2024/12/31", "2024/12/30"), "2024-01-07") == "2024-01-07"
    assert newest(column("2024-01-05"), "2024-01-07") == "2024-01-07"
    assert newest(column("2024-01-09"), "2024-01-07") == "2024-01-09"


def test_ties_missing_late_and_oddly_written_rows_are_read_again():
    values = column("2024-01-07", None, "2024-01-06", "2024-01-05", "2024/01/01", "")
    assert rows_to_read(values, "2024-01-07").to_pylist() == [True, True, True, False, True, True]


def test_native_values_keep_their_type():
    assert native_from("2024-03-01 08:00:00", dt.datetime(2024, 1, 1)) == dt.datetime(2024, 2, 29, 8)
    assert native_from("2024-03-01", dt.date(2024, 1, 1)) == dt.date(2024, 2, 29)
    assert native_from("5000", 7) == Decimal(4000)
    zoned = native_from("2024-03-01 08:00:00+08:00", dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    assert zoned == dt.datetime(2024, 2, 29, tzinfo=dt.UTC)
    assert native_from("2024-03-01 08:00:00", dt.datetime(2024, 1, 1, tzinfo=dt.UTC)) is None  # then all rows are read
    assert native_from("待定", 7) is None


def test_a_shape_is_a_like_pattern():
    assert shape("2024-01-07 5%") == "____-__-__ __"


SOURCE = """
name: feed
title: feed
owner: 区民政局
level: district
division: "340202"
read: {kind: sql, connection: "sqlite:///feed.db", table: resident, key: [编号], cursor: 更新}
maps: {person: {name: 姓名}}
"""
moments = st.integers(0, 4 * 24 * 60)  # minutes after the last read's newest row
steps = st.lists(
    st.tuples(
        st.sampled_from(["insert", "update"]),
        st.integers(0, 9),  # key
        st.text("甲乙丙", min_size=1, max_size=2),
        st.one_of(st.just("tie"), st.just("null"), st.just("late"), st.just("other"), moments),
    ),
    max_size=5,
)


@settings(max_examples=40, deadline=None)
@given(writing=st.sampled_from(sorted(WRITINGS)), rounds=st.lists(steps, min_size=2, max_size=5))
def test_no_change_between_reads_is_ever_missed(writing, rounds):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed.yml"
        path.write_text(SOURCE, encoding="utf-8")
        source = read_source(path)
        db = sqlite3.connect(Path(folder) / "feed.db")
        db.execute("create table resident (编号 text primary key, 姓名 text, 更新 text)")
        latest, cursor, known = START, None, {}
        for changes in rounds:
            for _, key, name, when in changes:
                latest = latest + dt.timedelta(minutes=when) if isinstance(when, int) else latest
                db.execute(
                    "insert or replace into resident values (?, ?, ?)", (str(key), name, stamp(when, latest, writing))
                )
            db.commit()
            feed = read_feed(source, cursor)
            known |= {row["编号"]: row for row in feed.rows.to_pylist()}
            cursor = feed.cursor
            names = ("编号", "姓名", "更新")
            assert known == {row[0]: dict(zip(names, row, strict=True)) for row in db.execute("select * from resident")}
        db.close()


def stamp(when: int | str, latest: dt.datetime, writing: str) -> str | None:
    if when == "null":
        return None
    if when == "other":
        return f"{latest.year}-{latest.month}-{latest.day}"  # by hand, without zeros
    moment = latest - dt.timedelta(hours=23) if when == "late" else latest
    return moment.strftime(WRITINGS[writing])


def test_a_cursor_lands_each_change_once(hub, make_source, tmp_path):
    db = sqlite3.connect(tmp_path / "feed.db")
    db.execute("create table resident (编号 text primary key, 姓名 text, 更新 text)")
    rows = [(str(n), "人", f"2024-01-{n:02} 08:00:00") for n in range(1, 11)] + [("n", "空", None)]
    db.executemany("insert into resident values (?, ?, ?)", rows)
    db.commit()
    read = {"kind": "sql", "connection": "sqlite:///feed.db", "table": "resident", "key": ["编号"], "cursor": "更新"}
    source = make_source(read)
    first = hub.take(source)
    assert (first.mode, first.rows) == ("snapshot", 11)
    assert hub.take(source).state == "unchanged"
    changes = [
        ("10", "改", "2024-01-10 08:00:00"),
        ("t", "同时", "2024-01-10 08:00:00"),
        ("l", "迟", "2024-01-09 09:00:00"),
    ]
    db.executemany("insert or replace into resident values (?, ?, ?)", changes)
    db.execute("update resident set 姓名 = '有' where 编号 = 'n'")
    db.commit()
    second = hub.take(source)
    assert (second.mode, sorted(hub.rows(second)["编号"])) == ("delta", ["10", "l", "n", "t"])
    assert hub.take(source).state == "unchanged"
    db.execute("insert or replace into resident values ('10', '人', '2024-01-10 08:00:00')")  # back to what it was
    db.commit()
    assert hub.rows(hub.take(source))["姓名"].tolist() == ["人"]
    assert [load["cursor"] for load in hub.loads()] == ["2024-01-10 08:00:00"] * 5
    db.close()


def test_a_delta_that_was_never_taken_in_is_read_again(hub, make_source, tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text("编号,姓名,更新\n1,甲,2024-01-01\n", encoding="utf-8")
    source = make_source({"kind": "files", "path": "feed.csv", "key": ["编号"], "cursor": "更新"})
    hub.take(source)
    path.write_text("编号,姓名,更新\n1,甲,2024-01-01\n2,乙,2024-03-01\n", encoding="utf-8")
    assert hub.land(source).rows == 1  # landed, and then the run was killed
    again = hub.take(source)
    assert (again.mode, hub.rows(again)["编号"].tolist()) == ("delta", ["2"])
    assert hub.take(source).state == "unchanged"


def test_reconcile_reads_all_rows_when_its_time_has_passed(hub, make_source, tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text("编号,姓名,更新\n1,甲,2024-01-01\n2,乙,2024-03-01\n", encoding="utf-8")
    read = {"kind": "files", "path": "feed.csv", "key": ["编号"], "cursor": "更新", "reconcile": "0 3 * * *"}
    source = make_source(read)
    first = hub.take(source)
    path.write_text("编号,姓名,更新\n2,乙,2024-03-01\n", encoding="utf-8")
    assert hub.take(source).state == "unchanged"  # a row gone silently is no delta
    hub.set(first.load, started_at=dt.datetime.now(dt.UTC) - dt.timedelta(days=2))
    path.write_text("编号,姓名,更新\n2,乙,2024-03-01\n ", encoding="utf-8")
    again = hub.take(source)
    assert (again.mode, again.rows) == ("reconcile", 2)
    assert hub.loads()[-1]["full_scan"]


def test_a_cursor_that_does_not_sort_reads_all_rows_and_says_so(hub, make_source, tmp_path):
    path = tmp_path / "feed.csv"
    path.write_text("编号,姓名,更新\n1,甲,05-01-2024\n2,乙,01-02-2024\n", encoding="utf-8")
    source = make_source({"kind": "files", "path": "feed.csv", "key": ["编号"], "cursor": "更新"})
    assert any("does not sort by time" in warning for warning in hub.take(source).warnings)
    path.write_text("编号,姓名,更新\n1,甲,05-01-2024\n2,乙,03-02-2024\n", encoding="utf-8")
    assert hub.take(source).mode == "snapshot"


def test_a_changed_meaning_reads_all_rows(hub, make_source, tmp_path):
    (tmp_path / "feed.csv").write_text("编号,姓名,更新\n1,甲,2024-01-01\n2,乙,2024-03-01\n", encoding="utf-8")
    read = {"kind": "files", "path": "feed.csv", "key": ["编号"], "cursor": "更新"}
    hub.take(make_source(read))
    again = hub.take(make_source(read, lookups={"姓名": {"甲": "甲某"}}))
    assert (again.mode, again.rows) == ("snapshot", 2)


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "date", "bigint", "text"])
def test_postgresql_columns_of_any_type(database, make_source, kind):
    value = {"bigint": "{}", "text": "'2024-09-{:02} 08:00'", "date": "'2024-09-{:02}'"}.get(
        kind, "'2024-09-{:02} 08:00'"
    )
    factor = 10_000 if kind == "bigint" else 1
    with database.owner_session() as connection:
        connection.execute(text(f'create table resident ("编号" text primary key, "姓名 " text, "更新" {kind})'))
        for n in range(1, 11):
            connection.execute(text(f"insert into resident values ('{n}', '人 {n}%', {value.format(n * factor)})"))
        connection.execute(text("insert into resident values ('n', null, null)"))
    source = make_source(
        {"kind": "sql", "connection": "${FEED}", "table": "resident", "key": ["编号"], "cursor": "更新"},
        {"name": "姓名 "},
    )
    environ = {"FEED": database.owner_url.render_as_string(hide_password=False)}
    whole = read_feed(source, environ=environ)
    assert whole.rows.num_rows == 11
    assert whole.rows.column_names == ["编号", "姓名 ", "更新"]
    later = read_feed(source, whole.cursor, environ)
    assert sorted(later.rows.column("编号").to_pylist()) == (["10", "n"] if kind == "bigint" else ["10", "9", "n"])
    assert later.cursor == whole.cursor
    query = replace(
        source, read=replace(source.read, table=None, query="select * from resident where \"编号\" like '1%'; ")
    )
    assert sorted(read_feed(query, whole.cursor, environ).rows.column("编号").to_pylist()) == ["10"]


def test_the_query_for_mysql_quotes_as_mysql_does(make_source, tmp_path):
    """No MySQL server is at hand here: the statement is compiled for its dialect."""
    from sqlalchemy.dialects import mysql

    sqlite3.connect(tmp_path / "feed.db").execute("create table resident (编号, 更新)").connection.close()
    source = make_source({"kind": "sql", "connection": "sqlite:///feed.db", "table": "resident", "cursor": "更新"})
    assert isinstance(source.read, SqlRead)
    with sql_feed(source) as feed:
        made = feed.statement("2024-01-05", "2024-01-05").compile(dialect=mysql.dialect())
    assert " ".join(str(made).split()) == (
        "SELECT * FROM `resident` WHERE `更新` >= %s OR `更新` IS NULL OR `更新` NOT LIKE %s"
    )
    assert list(made.params.values()) == ["2024-01-04", "____-__-__"]
