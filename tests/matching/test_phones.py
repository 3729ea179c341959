"""Phone numbers: folded, classed, and how many people one number is seen with."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from matching.phones import fold_phones, one_digit_off, phone_classes, spread
from schemas.kinds import KINDS


def column(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


def test_classes() -> None:
    numbers = column(
        "13812345678", "0553-3123456", "4008001234", "3123456", "13800138000", "11111111111", "138****5678", "12", None
    )
    expected = ["mobile", "landline", "service", "service", "placeholder", "placeholder", "masked", "other"]
    found = phone_classes(numbers)
    assert found.tolist()[:-1] == expected
    assert found.isna().tolist()[-1]


def test_folding_is_the_kinds_cleaning() -> None:
    raw = column("+86 138-1234-5678", "（0553）3123456", "无", None, "0553-3123456/13812345678")
    pd.testing.assert_series_equal(fold_phones(raw), KINDS["phone"].clean(raw))


def test_spread_counts_people_not_rows() -> None:
    phones = column("1", "1", "1", "2", None, "1")
    people = column("a", "a", "b", "a", "a", None)
    assert spread(phones, people).tolist() == [3, 3, 3, 1, 0, 3]
    assert spread(column(), column()).tolist() == []


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.integers(0, 10), st.integers(1, 9))
def test_one_digit_off(number: str, at: int, shift: int) -> None:
    wrong = number[:at] + str((int(number[at]) + shift) % 10) + number[at + 1 :]
    assert one_digit_off(number, wrong)
    assert one_digit_off(wrong, number)
    assert not one_digit_off(number, number)
    assert not one_digit_off(number, number + "1")
