"""The dry run says what would become of a feed, and shows nobody's values."""

from __future__ import annotations

import pytest

from quality.preview import preview, preview_text

ROWS = [
    {"id": "1", "sfzh": "11010519491231002X", "xm": "张三", "xb": "女", "dh": "13812345678", "dz": "x"},
    {"id": "2", "sfzh": "110105194912310021", "xm": "李小四", "xb": "女"},
    {"id": "3"},
    {"id": None, "xm": "王五"},
]


@pytest.fixture
def found(declare, landed):
    return preview(declare(), landed(ROWS, columns=("id", "sfzh", "xm", "xb", "csrqi", "dh", "dz")).rows)


def test_fill_rates_and_failures_of_kinds(found):
    lines = {(line.role, line.property): line for line in found.properties}
    assert lines["", "name"].filled == 0.75
    assert [failure.count for failure in lines["", "id_number"].failures if failure.rule == "id_check_digit"] == [1]
    assert lines["", "phone"].columns == ("dh",)


def test_what_the_checks_would_say_of_rows(found):
    assert {failure.rule: failure.count for failure in found.rows} == {"no_key": 1, "empty_row": 1}
    assert (found.counts.clean, found.counts.quarantined, found.counts.withheld) == (2, 2, 1)


def test_columns_on_either_side_that_do_not_meet(found):
    assert found.unmapped == ("csrqi", "dz")
    assert found.missing["csrq"] == "csrqi"
    assert set(found.missing) == {"csrq", "gxsj", "fdxm", "fddh"}


def test_the_text_masks_every_value(found):
    text = preview_text(found)
    for value in ("11010519491231002X", "110105194912310021", "张三", "李小四", "13812345678"):
        assert value not in text
    assert "person.name <- xm: 75.0% filled" in text
    assert "did you mean csrqi?" in text
