"""The `expect` of a source file: bounds beyond what the entity types demand themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from schemas.source_yaml import Section

T = TypeVar("T")
Range: TypeAlias = tuple[float | str | None, float | str | None]
BOUND_KEYS = ("not_null", "unique", "in_set", "matches", "between", "length")


@dataclass(frozen=True)
class ColumnBounds:
    """What is expected of one column. not_null, unique: least shares, 0 to 1. matches: a regular expression for the
    whole value's beginning (re.match). between: both ends inclusive, numbers, or text (dates as ISO text) when one
    end is no number; None is an open end. length: in characters, both ends inclusive.
    """

    not_null: float | None = None
    unique: float | None = None
    in_set: tuple[str, ...] | None = None
    matches: str | None = None
    between: Range | None = None
    length: tuple[int | None, int | None] | None = None


@dataclass(frozen=True)
class Expect:
    """Bounds of the source: its current rows after a load (below min stops it, above max warns), and of its columns."""

    rows_min: int | None = None
    rows_max: int | None = None
    columns: Mapping[str, ColumnBounds] = field(default_factory=dict)


def parse_expect(root: Section) -> Expect:
    """The `expect` of a source file; SourceFileError names what is wrong with it."""
    section = root.section("expect", ("rows", "columns"))
    if section is None:
        return Expect()
    rows = section.section("rows", ("min", "max"))
    low = high = None
    if rows is not None:
        low, high = (rows.number(key, _count, "a whole number from 0") for key in ("min", "max"))
        if low is not None and high is not None and low > high:
            raise rows.wrong("min", "is above max")
    columns = section.section("columns")
    return Expect(low, high, {} if columns is None else {name: _column(columns, name) for name in columns})


def _column(columns: Section, name: str) -> ColumnBounds:
    section = columns.section(name, BOUND_KEYS)
    if section is None:
        raise columns.wrong(name, f"expects nothing; give one of {', '.join(BOUND_KEYS)}")
    return ColumnBounds(
        not_null=section.number("not_null", _share, "a share from 0 to 1"),
        unique=section.number("unique", _share, "a share from 0 to 1"),
        in_set=section.texts("in_set") or None,
        matches=_pattern(section),
        between=_between(section),
        length=_ends(section, "length", _count, "whole numbers from 0"),
    )


def _pattern(section: Section) -> str | None:
    text = section.text("matches")
    try:
        return text if text is None else re.compile(text).pattern
    except re.error as error:
        raise section.wrong("matches", f"is no regular expression: {error.msg}") from None


def _between(section: Section) -> Range | None:
    texts = _ends(section, "between", str, "two values")
    if texts is None:
        return None
    try:
        numbers = (texts[0] and float(texts[0]), texts[1] and float(texts[1]))
    except ValueError:
        return texts
    return (numbers[0] or (0.0 if numbers[0] == 0 else None), numbers[1] or (0.0 if numbers[1] == 0 else None))


def _ends(section: Section, key: str, read: Callable[[str], T], what: str) -> tuple[T | None, T | None] | None:
    """A range as [low, high] or {min, max} (one end may be left out or ~), or one value for both ends."""
    item = section.get(key)
    if item is None:
        return None
    if item.keys is not None:
        below = section.section(key, ("min", "max"))
        texts = [below.text("min"), below.text("max")] if below else []
    else:
        texts = [part.text for part in item.items] if item.items is not None else [item.text, item.text]
    if len(texts) != 2 or texts == [None, None]:
        raise section.wrong(key, "must be [low, high] or {min: low, max: high}")
    try:
        low, high = (None if text is None else read(text) for text in texts)
    except ValueError:
        raise section.wrong(key, f"must hold {what}") from None
    if low is not None and high is not None and _above(low, high):
        raise section.wrong(key, "has its low end above its high end")
    return low, high


def _above(low: object, high: object) -> bool:
    try:
        return float(str(low)) > float(str(high))
    except ValueError:
        return str(low) > str(high)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise ValueError(text)
    return share


def _count(text: str) -> int:
    count = float(text)
    if count < 0 or not math.isfinite(count) or count != int(count):
        raise ValueError(text)
    return int(count)
