"""Files of every format as batches of text: what is written is what is read, and what cannot be read is told."""

from __future__ import annotations

import csv
import datetime as dt
import json
import tempfile
import zipfile
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from connectors.feed import head, read_feed
from onegrid.errors import FeedUnavailable, FeedUnreadable
from schemas.sources import read_source


def rows(source, environ=None) -> list[dict[str, str | None]]:
    return read_feed(source, environ=environ or {}).rows.to_pylist()


def files(path: str, **options: object) -> dict[str, object]:
    return {"kind": "files", "path": path, **options}


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A hand-kept sheet: a title above the header, typed cells, an empty row."""
    path = tmp_path / "feed.xlsx"
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("说明").write(0, 0, "略")
    sheet = book.add_worksheet("网格 & 一")
    sheet.write_row(0, 0, ["网格员手工台账"])
    sheet.write_row(1, 0, ["编号", "身份证号", "日期", "时间", "数", "是", "备注 ", "", "长号"])
    day, minute = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_string(2, 0, "007")
    sheet.write_string(2, 1, "340202199003074215")
    sheet.write_datetime(2, 2, dt.datetime(2024, 1, 5), day)
    sheet.write_datetime(2, 3, dt.datetime(2024, 1, 5, 8, 30), minute)
    sheet.write_number(2, 4, 3)
    sheet.write_boolean(2, 5, True)
    sheet.write_number(2, 8, 340202199003074215)
    sheet.write_number(4, 4, 0.1)
    sheet.write_formula(4, 6, "=1/0", None, "#DIV/0!")
    book.close()
    return path


def test_csv_keeps_quoted_newlines_blanks_and_zeros(make_source, tmp_path):
    (tmp_path / "feed.csv").write_bytes('\ufeff编号,姓名 ,备注\r\n007,"张\n三"," a ""b"" "\r\n\r\n8,,\r\n'.encode())
    found = rows(make_source(files("feed.csv")))
    assert found == [
        {"编号": "007", "姓名 ": "张\n三", "备注": ' a "b" '},
        {"编号": "8", "姓名 ": "", "备注": ""},
    ]


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(
    table=st.lists(st.lists(cells, min_size=3, max_size=3), max_size=6), encoding=st.sampled_from(["utf-8", "gb18030"])
)
def test_whatever_text_is_written_is_what_is_read(table, encoding):
    names = ["编号", "姓名 ", "姓名"]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with (place / "feed.csv").open("w", encoding=encoding, newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows([names, *table])
        lines = [json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) for row in table]
        (place / "feed.jsonl").write_bytes("\n".join(lines).encode(encoding))
        for form in ("csv", "jsonl"):
            (place / "feed.yml").write_text(SOURCE.format(form=form, encoding=encoding), encoding="utf-8")
            found = [tuple(row.values()) for row in rows(read_source(place / "feed.yml"))]
            assert found == [tuple(row) for row in table]


SOURCE = """
name: feed
title: feed
owner: 区民政局
level: district
division: "340202"
read: {{kind: files, path: feed.{form}, encoding: {encoding}}}
maps: {{person: {{name: 姓名}}}}
"""


def test_csv_in_gb18030_with_a_header_row_and_a_delimiter(make_source, tmp_path):
    (tmp_path / "feed.csv").write_bytes("城管台账\n编号;姓名\n1;𠮷田㐂\n".encode("gb18030"))
    source = make_source(files("feed.csv", encoding="gb18030", header=2, delimiter=";"))
    assert rows(source) == [{"编号": "1", "姓名": "𠮷田㐂"}]


@pytest.mark.parametrize(
    ("written", "declared", "words"),
    [
        ("gb18030", "utf-8", "line 3: is not utf-8; declare encoding: gb18030"),
        ("utf-16", "utf-8", "line 1: is not utf-8; declare encoding: utf-16"),
        ("utf-8", "gb18030", "is utf-8, not gb18030 as its source file says; remove read.encoding"),
        ("utf-8-sig", "gb18030", "is utf-8, not gb18030"),
    ],
)
def test_a_wrong_encoding_names_the_file_the_line_and_the_right_one(make_source, tmp_path, written, declared, words):
    (tmp_path / "feed.csv").write_bytes("id,name\n1,a\n2,张三\n".encode(written))
    with pytest.raises(FeedUnreadable, match=rf"feed.csv.*{words}") as told:
        rows(make_source(files("feed.csv", encoding=declared)))
    assert "张三" not in str(told.value)


def test_bytes_of_no_encoding_are_refused_not_replaced(make_source, tmp_path):
    (tmp_path / "feed.csv").write_bytes(b"id,name\n1,\xff\xff\n")
    with pytest.raises(FeedUnreadable, match=r"line 2.*in utf-8"):
        rows(make_source(files("feed.csv")))


def test_a_cut_off_csv_is_told_from_a_long_cell(make_source, tmp_path):
    (tmp_path / "feed.csv").write_text('编号,姓名\n1,甲\n2,"乙\n3,丙\n', encoding="utf-8")
    with pytest.raises(FeedUnreadable, match=r"quoted cell is never closed"):
        rows(make_source(files("feed.csv")))


def test_text_after_a_closing_quote_costs_no_row(make_source, tmp_path):
    lines = [f"{n},甲" for n in range(60_000)] + ['x,"乙"丙', "y,丁"]
    (tmp_path / "feed.csv").write_text("\n".join(["编号,姓名", *lines]), encoding="utf-8")
    found = rows(make_source(files("feed.csv")))
    assert len(found) == 60_002
    assert found[-2:] == [{"编号": "x", "姓名": "乙丙"}, {"编号": "y", "姓名": "丁"}]


@pytest.mark.parametrize("header", ["编号,姓名,编号", ",,"])
def test_headers_that_do_not_name_columns_are_refused(make_source, tmp_path, header):
    (tmp_path / "feed.csv").write_text(f"{header}\n1,2,3\n", encoding="utf-8")
    with pytest.raises(FeedUnreadable, match=r"columns of one name, 1 and 3|no names"):
        rows(make_source(files("feed.csv")))


def test_a_column_without_a_name_is_told_by_its_place(make_source, tmp_path):
    (tmp_path / "feed.csv").write_text("编号,,姓名,\n1,x,甲,\n", encoding="utf-8")
    assert rows(make_source(files("feed.csv"))) == [{"编号": "1", "column 2": "x", "姓名": "甲"}]


def test_jsonl_keeps_numbers_as_written_and_dots_what_is_nested(make_source, tmp_path):
    lines = [
        '{"编号": 1.50, "a": {"b": {"c": true}, "l": [1.0, {"x": null}]}, "z": 340202199003074215}',
        "",
        '{"n": null, "s": "\\ud800"}',
    ]
    (tmp_path / "feed.jsonl").write_text("\n".join(lines), encoding="utf-8")
    first, second = rows(make_source(files("feed.jsonl")))
    assert first == {
        "编号": "1.50",
        "a.b.c": "true",
        "a.l": '[1.0,{"x":null}]',
        "z": "340202199003074215",
        "n": None,
        "s": None,
    }
    assert second["s"] == "\ufffd"


@pytest.mark.parametrize(("line", "words"), [('{"a": ', "is no JSON"), ("[1]", "is not a JSON object")])
def test_a_broken_line_of_jsonl_is_named(make_source, tmp_path, line, words):
    (tmp_path / "feed.jsonl").write_text(f'{{"a": 1}}\n{line}\n', encoding="utf-8")
    with pytest.raises(FeedUnreadable, match=rf"feed.jsonl, line 2: {words}"):
        rows(make_source(files("feed.jsonl")))


def test_geojson_properties_are_dotted_and_the_geometry_stays_geojson(make_source, tmp_path):
    shape = '{"type":"Polygon","coordinates":[[[118.3810,31.340],[118.39,31.34],[118.39,31.35],[118.3810,31.340]]]}'
    feature = f'{{"type": "Feature", "id": 7, "properties": {{"id": "01", "长": {{"名": "甲"}}}}, "geometry": {shape}}}'
    bare = '{"type": "Feature", "properties": {"id": "02"}, "geometry": null}'
    (tmp_path / "feed.geojson").write_text(
        f'{{"type": "FeatureCollection", "features": [{feature}, {bare}]}}', encoding="utf-8"
    )
    assert rows(make_source(files("feed.geojson"))) == [
        {"id": "7", "properties.id": "01", "properties.长.名": "甲", "geometry": shape},
        {"id": None, "properties.id": "02", "properties.长.名": None, "geometry": None},
    ]
    (tmp_path / "feed.geojson").write_text('{"type": "Feature', encoding="utf-8")
    with pytest.raises(FeedUnreadable, match=r"line 1: is no JSON"):
        rows(make_source(files("feed.geojson")))
    (tmp_path / "feed.geojson").write_text("[]", encoding="utf-8")
    with pytest.raises(FeedUnreadable, match=r"no GeoJSON FeatureCollection"):
        rows(make_source(files("feed.geojson")))


def test_xlsx_cells_are_what_they_mean(make_source, book):
    assert rows(make_source(files("feed.xlsx", sheet="网格 & 一", header=2))) == [
        {
            "编号": "007", "身份证号": "340202199003074215", "日期": "2024-01-05", "时间": "2024-01-05 08:30:00",
            "数": "3", "是": "true", "备注 ": None, "长号": "340202199003074200",
        },
        dict.fromkeys(["编号", "身份证号", "日期", "时间", "是", "备注 ", "长号"]) | {"数": "0.1"},
    ]  # fmt: skip
    assert rows(make_source(files("feed.xlsx", sheet=1, header=2)))[0]["编号"] == "007"


def test_an_id_typed_as_a_number_keeps_every_digit_the_file_holds(make_source, book, tmp_path):
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(tmp_path / "long.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"3.402021990030742E+17", b"340202199003074215"))
    assert rows(make_source(files("long.xlsx", sheet=1, header=2)))[0]["长号"] == "340202199003074215"


def test_a_truncated_xlsx_and_a_missing_sheet_are_told(make_source, book, tmp_path):
    with pytest.raises(FeedUnreadable, match=r"no sheet 网格一; did you mean 网格 & 一"):
        rows(make_source(files("feed.xlsx", sheet="网格一")))
    with pytest.raises(FeedUnreadable, match=r"none is number 9; correct read.header"):
        rows(make_source(files("feed.xlsx", sheet=1, header=9)))
    content = book.read_bytes()
    for size in (len(content) // 2, len(content) - 30, 10):
        (tmp_path / "cut.xlsx").write_bytes(content[:size])
        with pytest.raises(FeedUnreadable, match=r"cut.xlsx: is no whole xlsx file"):
            rows(make_source(files("cut.xlsx")))


def test_parquet_of_any_types(make_source, tmp_path):
    table = pa.table(
        {
            "编号": pa.array(["007", None]),
            "n": pa.array([340202199003074215, 2]),
            "f": pa.array([3.0, 0.5]),
            "d": pa.array([dt.date(2024, 1, 5), None]),
            "t": pa.array([dt.datetime(2024, 1, 5, 8, 30), None]),
            "s": pa.array([{"x": True}, {"x": None}]),
            "l": pa.array([["a"], None]),
        }
    )
    parquet.write_table(table, tmp_path / "feed.parquet")
    assert rows(make_source(files("feed.parquet"))) == [
        {"编号": "007", "n": "340202199003074215", "f": "3", "d": "2024-01-05", "t": "2024-01-05 08:30:00",
         "s.x": "true", "l": '["a"]'},
        {"编号": None, "n": "2", "f": "0.5", "d": None, "t": None, "s.x": None, "l": None},
    ]  # fmt: skip
    (tmp_path / "feed.parquet").write_bytes((tmp_path / "feed.parquet").read_bytes()[:200])
    with pytest.raises(FeedUnreadable, match=r"no whole Parquet file"):
        rows(make_source(files("feed.parquet")))


def test_urls_of_other_file_systems_and_variables(make_source, tmp_path):
    fsspec.filesystem("memory").pipe_file("/town/a.csv", "编号\n1\n".encode())
    fsspec.filesystem("memory").pipe_file("/town/b.csv", "编号\n2\n".encode())
    source = make_source(files("memory://town/${PART}*.csv"))
    assert [row["编号"] for row in rows(source, {"PART": ""})] == ["1", "2"]
    assert [row["编号"] for row in rows(source, {"PART": "b"})] == ["2"]
    with pytest.raises(FeedUnavailable, match=r"environment variable PART that .*feed.yml names is not set"):
        rows(source)
    (tmp_path / "a.csv").write_text("编号\n3\n", encoding="utf-8")
    assert rows(make_source(files(f"file://{tmp_path}/a.csv"))) == [{"编号": "3"}]
    assert rows(make_source(files(str(tmp_path / "a.csv")))) == [{"编号": "3"}]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none.csv", "none.csv is not there"),
        ("none-*.csv", "no file matches none-.+csv"),
        ("..", "is a folder"),
        ("nowhere://a.csv", "no driver knows URLs of nowhere://"),
    ],
)
def test_a_feed_that_is_not_there_is_one_sentence(make_source, path, words):
    with pytest.raises(FeedUnavailable, match=words):
        rows(make_source(files(path, format="csv")))


def test_a_file_named_like_a_glob_is_taken_by_its_name(make_source, tmp_path):
    (tmp_path / "a[1].csv").write_text("编号\n1\n", encoding="utf-8")
    assert rows(make_source(files("a[1].csv"))) == [{"编号": "1"}]


def test_the_head_is_a_frame_of_text(make_source, tmp_path):
    content = "\n".join(json.dumps({"编号": n}) for n in range(500))
    (tmp_path / "feed.jsonl").write_text(content, encoding="utf-8")
    frame = head(make_source(files("feed.jsonl")), rows=20)
    assert (len(frame), str(frame["编号"].dtype), frame["编号"].iloc[-1]) == (20, "str", "19")
