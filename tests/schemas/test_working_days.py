"""Working days: weekends, holidays, and the weekends worked for them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from onegrid.errors import SettingsError
from schemas.working_days import YearUnknown, after, is_worked

# What the notices say in sum: 365 or 366 days less weekends and holidays, with the weekends worked.
WORKED = {2024: 251, 2025: 248, 2026: 248}


@pytest.mark.parametrize("year", WORKED)
def test_a_year_has_its_working_days(year: int) -> None:
    days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    assert sum(map(is_worked, days)) == WORKED[year]


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2024-02-09", True),  # New Year's Eve was a working day that year
        ("2024-02-18", True),  # a Sunday
        ("2025-01-26", True),
        ("2025-01-28", False),
        ("2025-10-08", False),
        ("2026-01-02", False),
        ("2026-01-04", True),
        ("2026-02-14", True),
        ("2026-02-23", False),
        ("2026-10-10", True),
        ("2026-11-28", False),
        ("2026-11-30", True),
    ],
)
def test_single_days(day: str, worked: bool) -> None:
    assert is_worked(date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("day", "number", "due"),
    [
        ("2026-09-30", 1, "2026-10-08"),  # over the national holidays
        ("2026-09-30", 3, "2026-10-10"),  # a Saturday that is worked
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-14", 1, "2026-02-24"),
        ("2026-11-27", 10, "2026-12-11"),
        ("2026-11-28", 0, "2026-11-28"),
        ("2024-12-31", 1, "2025-01-02"),
    ],
)
def test_counting_on(day: str, number: int, due: str) -> None:
    assert after(date.fromisoformat(day), number) == date.fromisoformat(due)


def test_an_unknown_year_is_no_guess_but_names_the_file() -> None:
    with pytest.raises(YearUnknown, match=r"schemas/data/working_day\.tsv .* 2031"):
        after(date(2031, 3, 1), 1)
    assert issubclass(YearUnknown, SettingsError)
