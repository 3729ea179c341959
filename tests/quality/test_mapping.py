"""Rows to keys and property columns."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from quality.mapping import deleted_rows, map_rows, row_keys


def frame(**columns):
    return pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})


def test_a_key_is_the_feeds_own_text(declare):
    source = declare("read: {kind: files, path: x.csv, format: csv, key: [a, b]}\nmaps: {thing: {number: a, name: n}}")
    keys = row_keys(frame(a=["007", " 8", None, ""], b=["x", "y", "z", "w"], n=["1", "2", "3", "4"]), source)
    assert keys[:2].tolist() == ["007|x", " 8|y"]
    assert keys[2:].isna().all()


def test_without_a_key_the_content_of_the_mapped_columns_decides(declare):
    source = declare("read: {kind: files, path: x.csv, format: csv}\nmaps: {thing: {number: a, name: b}}")
    keys = row_keys(frame(a=["1", "1", "1", "1"], b=["x", "x", None, ""], other=["p", "q", "r", "s"]), source)
    assert keys[0] == keys[1]
    assert keys.nunique() == 3
    assert keys.str.fullmatch("[0-9a-f]{32}").all()


def test_a_correction_in_the_source_file_leaves_content_keys_alone(declare):
    body = "read: {kind: files, path: x.csv, format: csv}\nmaps: {thing: {number: a}}\n"
    rows = frame(a=["1", "2"])
    assert row_keys(rows, declare(body)).equals(row_keys(rows, declare(body + 'lookups: {a: {"1": "9"}}')))


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=2, max_size=8, unique=True))
def test_cells_do_not_run_into_each_other(cells):
    from quality.mapping import _content_keys

    clean = [(a.replace("\x1f", ""), b.replace("\x1f", "")) for a, b in cells]
    keys = _content_keys(frame(a=[a for a, _ in clean], b=[b for _, b in clean]), ["a", "b"])
    assert keys.nunique() == len(set(clean))


def test_lookups_then_join_then_values(declare):
    source = declare(
        """
read: {kind: files, path: x.csv, format: csv, key: [id]}
maps:
  person:
    name: xm
    sex: {column: xb, values: {"1": male, "2": female}}
    address: {columns: [jd, sq, dz], join: "-"}
    id_type: {value: resident_id}
lookups: {sq: {"幸福小区居委会": "幸福社区"}}
"""
    )
    rows = frame(
        id=["1", "2"],
        xm=["甲", None],
        xb=[" 1 ", "7"],
        jd=["某街道", None],
        sq=["幸福小区居委会", None],
        dz=["1号", " "],
    )
    (mapped,) = map_rows(rows, source)
    assert mapped.frame["address"][0] == "某街道-幸福社区-1号"
    assert pd.isna(mapped.frame["address"][1])
    assert mapped.frame["sex"].tolist() == ["male", "7"]
    assert mapped.frame["id_type"].tolist() == ["resident_id", "resident_id"]


def test_constants_alone_state_nothing(declare):
    source = declare(
        "read: {kind: files, path: x.csv, format: csv, key: [id]}\nmaps: {place: {kind: {value: estate}, name: n}}"
    )
    (mapped,) = map_rows(frame(id=["1", "2"], n=["幸福里", None]), source)
    assert mapped.stated.tolist() == [True, False]


def test_rows_that_say_they_are_gone(declare):
    source = declare(
        "read: {kind: files, path: x.csv, format: csv, key: [id], cursor: t, deleted: {column: zt, value: '9'}}\n"
        "maps: {thing: {number: id}}"
    )
    assert deleted_rows(frame(id=["1", "2", "3"], zt=["9", "1", None]), source).tolist() == [True, False, False]
