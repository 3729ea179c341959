"""Dates as feeds write them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import days, from_serial, impossible, to_date, to_datetime

GOLDEN = Path(__file__).parents[1] / "golden" / "dates.tsv"
CASES = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("raw", "day", "moment"), CASES)
def test_golden_dates(raw: str, day: str, moment: str) -> None:
    assert (to_date(raw), to_datetime(raw)) == (day, moment)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2100, 1, 1)))
def test_every_usual_form_of_a_day_is_the_same_day(day: date) -> None:
    forms = (
        f"{day.year}-{day.month}-{day.day}",
        f"{day:%Y.%m.%d}",
        f"{day:%Y/%m/%d}",
        f"{day:%Y%m%d}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y-%m-%d} 00:00:00.0",
    )
    assert {to_date(form) for form in forms} == {day.isoformat()}


@given(st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2064, 1, 1)))
def test_spreadsheet_serials_to_the_second(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    serial = (whole - datetime(1899, 12, 30)) / timedelta(days=1)
    assert from_serial(serial) == whole.isoformat()


def test_impossible_days_and_times() -> None:
    series = pd.Series(
        ["1990-02-30", None, "2024-01-01T25:00:00", "junk", "2024-02-29", "2023-02-29T00:00:00"], dtype="str"
    )
    assert impossible(series).tolist() == [True, False, True, False, False, True]
    assert np.isnat(days(series)).tolist() == [True, True, False, True, False, True]
