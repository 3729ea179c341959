"""Working days in China: weekends, public holidays and the weekends worked in exchange for them (调休).

The days are data, `schemas/data/working_day.tsv`, a year after its notice. A year that the file lacks is never guessed.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from onegrid.errors import SettingsError
from schemas.dictionaries import lines

FILE = "working_day"
COLUMNS = ("first", "last", "kind", "occasion", "source", "confidence")
SATURDAY = 5
ONE = timedelta(days=1)


class YearUnknown(SettingsError):
    """The calendar does not know a year."""


def is_worked(day: date) -> bool:
    """Whether offices work on a day. YearUnknown for a day of a year that the file lacks."""
    if day.year not in _years():
        raise YearUnknown(
            f"schemas/data/{FILE}.tsv does not know the working days of {day.year}: add the State Council's notice for it."
        )
    return _days().get(day, day.weekday() < SATURDAY)


def after(day: date, number: int) -> date:
    """The working day that is `number` working days after `day`. YearUnknown as `is_worked`."""
    while number > 0:
        day += ONE
        number -= is_worked(day)
    return day


@cache
def _years() -> frozenset[int]:
    return frozenset(day.year for day in _days())


@cache
def _days() -> dict[date, bool]:
    """Every day the file names -> whether it is worked; SettingsError naming the line that is wrong."""
    found: dict[date, bool] = {}
    for number, (first, last, kind, *_) in lines(FILE, COLUMNS):
        try:
            begin, end, worked = (
                date.fromisoformat(first),
                date.fromisoformat(last),
                {"free": False, "worked": True}[kind],
            )
        except (ValueError, KeyError):
            raise SettingsError(
                f"schemas/data/{FILE}.tsv, line {number}: needs two days as YYYY-MM-DD, and free or worked."
            ) from None
        found |= {begin + ONE * step: worked for step in range((end - begin).days + 1)}
    return found
