"""Cron expressions of five fields (minute hour day month weekday), as POSIX crontab(5) reads them, and the usual
@words.

Own and small because the source files are checked wherever Airflow parses its DAG files: nothing heavy may be
imported here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

WORDS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_GAP = timedelta(days=366 * 8)  # 29 February, over a century year that is not a leap year


@dataclass(frozen=True)
class Cron:
    """The minutes at which something is due."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    either_day: bool  # day and weekday are both restricted: one of them suffices (crontab(5))

    def on_day(self, moment: datetime) -> bool:
        """Whether this day is one of the days."""
        day, weekday = moment.day in self.days, moment.isoweekday() % 7 in self.weekdays
        return moment.month in self.months and ((day or weekday) if self.either_day else (day and weekday))

    def last_before(self, now: datetime) -> datetime | None:
        """The last due minute at or before `now`; None when there is none in eight years (30 February)."""
        times = sorted((h, m) for h in self.hours for m in self.minutes)
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        while now - day < LONGEST_GAP:
            if self.on_day(day):
                due = [day.replace(hour=h, minute=m) for h, m in times]
                if passed := [moment for moment in due if moment <= now]:
                    return passed[-1]
            day -= timedelta(days=1)
        return None


def parse_cron(text: str) -> Cron:
    """A cron expression; ValueError says which field is wrong and what it may hold."""
    parts = WORDS.get(text.strip().lower(), text).split()
    if len(parts) != len(FIELDS):
        raise ValueError(f"a cron expression has five fields (minute hour day month weekday), not {len(parts)}")
    fields = [_field(part, *field) for part, field in zip(parts, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays = fields
    either = not parts[2].startswith("*") and not parts[4].startswith("*")
    return Cron(minutes, hours, days, months, frozenset(day % 7 for day in weekdays), either)


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if step and (not step.isdigit() or int(step) == 0):
            raise ValueError(f"its {name} has a step that is not a positive whole number")
        first, last = _span(span, name, low, high, bool(step))
        found.update(range(first, last + 1, int(step or 1)))
    return frozenset(found)


def _span(text: str, name: str, low: int, high: int, stepped: bool) -> tuple[int, int]:
    if text == "*":
        return low, high
    left, dash, right = text.partition("-")
    first = _number(left, name, low, high)
    last = _number(right, name, low, high) if dash else (high if stepped else first)
    if last < first:
        raise ValueError(f"its {name} runs backwards")
    return first, last


def _number(text: str, name: str, low: int, high: int) -> int:
    words = {"month": MONTHS, "weekday": WEEKDAYS}.get(name, ())
    if text.lower() in words:
        return words.index(text.lower()) + (1 if name == "month" else 0)
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"its {name} must be {low} to {high}, *, a range a-b, a list a,b or a step */n")
    return int(text)
