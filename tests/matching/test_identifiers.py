"""What damaged numbers tell, how far numbers agree, repairs, and trust."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from matching.identifiers import Damage, IdLevel, compatible, damaged, repairs, trusted
from schemas.identifiers import id_check
from schemas.kinds import KINDS

GOLDEN = Path(__file__).parents[1] / "golden"
GOOD = "11010519491231002X"


def golden(name: str) -> list[list[str]]:
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


def column(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(min_value=pd.Timestamp("1930-01-01").date(), max_value=pd.Timestamp("2020-12-31").date()))
    first17 = f"340202{born:%Y%m%d}{draw(st.integers(1, 999)):03d}"
    return first17 + id_check(first17)


def level(one: str, two: str) -> IdLevel:
    there, back = compatible(column(one, two), column(two, one)).tolist()
    assert there == back
    return IdLevel(there)


def test_golden_damage() -> None:
    rows = golden("damaged_ids.tsv")
    found = damaged(column(*(row[0] for row in rows))).fillna("")
    assert list(found.columns) == list(Damage._fields)
    assert [[row[0], *parts] for row, parts in zip(rows, found.to_numpy().tolist(), strict=True)] == rows


@pytest.mark.parametrize(("one", "two", "name"), golden("id_pairs.tsv"))
def test_golden_pairs_both_ways(one: str, two: str, name: str) -> None:
    assert level(one, two).name == name


@given(resident_ids(), st.integers(2, 10), st.integers(0, 4))
def test_a_mask_of_a_number_fits_it(number: str, head: int, tail: int) -> None:
    assume(head + tail >= 4)
    mask = number[:head] + "*" * (18 - head - tail) + number[18 - tail :]
    assert level(number, mask) == IdLevel.MASKED


@given(resident_ids())
def test_what_a_spreadsheet_does_to_a_number_fits_it(number: str) -> None:
    digits = int(number[:17] + ("0" if number[17] == "X" else number[17]))
    clean = KINDS["id_number"].clean(column(f"{digits:.5E}", f"{digits:.9E}"))
    assert [level(number, value) for value in clean] == [IdLevel.SCIENTIFIC] * 2
    rounded = number[:15] + "000"
    assume(rounded != number and id_check(rounded[:17]) != rounded[17])
    assert level(number, rounded) == IdLevel.ROUNDED


@given(resident_ids())
def test_both_generations_are_one_number(number: str) -> None:
    assume(number[6:8] == "19" and not number[14:17] >= "996")
    assert level(number, number[:6] + number[8:17]) == IdLevel.UPGRADED


@given(resident_ids(), st.integers(6, 16), st.integers(1, 9))
def test_one_mistyped_digit_is_found_and_can_be_repaired(number: str, at: int, shift: int) -> None:
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]
    assume(not wrong.endswith("000"))
    assert level(number, wrong) == IdLevel.ONE_EDIT
    birth = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    sex = "male" if number[16] in "13579" else "female"
    suggested = repairs(wrong, birth, sex)
    assert number in suggested
    assert set(suggested) <= set(repairs(wrong))


def test_nothing_to_repair() -> None:
    assert repairs(GOOD) == ()
    assert repairs("E12345678") == ()
    assert repairs("") == ()


def rows(*lines: tuple[str | None, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(lines), columns=["id_number", "name", "birth_date", "sex"]).astype("str")


def test_trust_needs_the_rows_own_columns_and_the_majority_name() -> None:
    frame = rows(
        (GOOD, "张三", "1949-12-31", "female"),
        (GOOD, "张三", None, "unknown"),
        ("110105491231002", "张三", None, None),
        (GOOD, "李四", "1949-12-31", "female"),
        (GOOD, "张三", "1950-12-31", "female"),
        (GOOD, "张三", None, "male"),
    )
    assert trusted(frame).tolist() == [True, True, True, False, False, False]


def test_two_names_of_equal_weight_trust_neither() -> None:
    assert trusted(rows((GOOD, "张三", None, None), (GOOD, "李四", None, None))).tolist() == [False, False]
    settled = trusted(rows((GOOD, "张三", "1949-12-31", None), (GOOD, "李四", None, None)))
    assert settled.tolist() == [True, False]


def test_broken_missing_and_renewed_numbers_are_not_trusted() -> None:
    frame = rows(
        ("110105194912310029", "张三", None, None), (None, "张三", None, None), ("E12345678", "张三", None, None)
    )
    assert not trusted(frame).any()
    assert trusted(frame.head(0)).dtype == bool


def test_trust_works_without_birth_and_sex_columns() -> None:
    frame = rows((GOOD, "张三", None, None))[["id_number", "name"]].set_axis([5])
    found = trusted(frame)
    assert found.to_dict() == {5: True}


def test_missing_and_empty_columns() -> None:
    assert compatible(column(None, GOOD), column(GOOD, None)).tolist() == [IdLevel.INCOMPARABLE] * 2
    assert compatible(column(), column()).dtype == np.int8
    assert damaged(column()).empty
    assert damaged(column(None))["damage"].tolist() == ["none"]


@given(st.lists(st.text(alphabet="0123456789XE+.*?张", max_size=20), min_size=1, max_size=6))
def test_any_text_is_judged(values: list[str]) -> None:
    series = column(*values)
    found = damaged(series)
    assert found["damage"].notna().all()
    assert found["known_pattern"].dropna().str.len().eq(18).all()
    assert compatible(series, series).tolist() == [IdLevel.EXACT] * len(series)
