"""What numbers still tell when they are damaged, how far two of them agree, and which may be trusted.

Damaged numbers cannot be keys, but each kind of damage leaves a part that compares: the ends of a masked number, the
head of one that a spreadsheet turned into 3.4E+17 or rounded to 15 digits, the whole of a 15-digit one or of one with a
mistyped digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.dates import today
from schemas.identifiers import birth_date, county_known, id_check, recognise, upgrade

UNKNOWN = "?"
FULL = 18  # characters of a resident id, GB 11643-1999
# Documents of which a person has one number for life, or one at a time; passports and travel permits are renewed.
LIFELONG = ("resident_id", "hmt_residence_permit", "foreign_permanent_resident_card")
AGREEING, DISAGREEING = 0.5, 0.9  # of a vote: what a birth column adds to, or takes from, a row's word for its name
LEAST_KNOWN = 4  # characters a pattern must show to say anything
_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_DIGITS = re.compile(r"[0-9]+X?")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]+))?E\+?([0-9]{1,2})")
_EDITED = ("bad_check", "bad_date", "short", "long", "old15")
_DIGITAL = (*LIFELONG, "unknown")
_MASK = re.compile(r"\*+")


class IdLevel(IntEnum):
    """How far two document numbers agree; 0 is the strongest, -1 says that they cannot be compared."""

    INCOMPARABLE = -1
    EXACT = 0  # the same number
    UPGRADED = 1  # the 15-digit and the 18-digit form of one number
    MASKED = 2  # all that a mask left visible agrees
    ROUNDED = 3  # the 15 digits that a spreadsheet kept agree
    SCIENTIFIC = 4  # the digits before the exponent agree, three to six of them at most places
    ONE_EDIT = 5  # one digit mistyped, left out, added, or two swapped, in a number whose check fails
    DIFFERENT = 6  # they disagree, and at least one is damaged, unchecked, or of a document that is renewed
    DIFFERENT_VALID = 7  # two valid numbers of one lifelong document that differ


class Damage(NamedTuple):
    """What one number still tells; the columns of `damaged`."""

    damage: str
    prefix: str | None
    suffix: str | None
    known_pattern: str | None
    birth_hint: str | None


_NONE = Damage("none", None, None, None, None)
_UNREADABLE = Damage("unreadable", None, None, None, None)


def damaged(series: pd.Series) -> pd.DataFrame:
    """What each number still tells, aligned with `series`, once per distinct value.

    series: folded numbers, good or withheld. Columns: `damage` (none: valid, another document, or missing | masked |
    scientific | rounded | old15 | bad_check | bad_date | short | long | unreadable), `prefix` and `suffix` (the known
    characters at either end), `known_pattern` (18 characters of a resident id, `?` where unknown; missing for short and
    long ones), `birth_hint` (YYYY-MM-DD, YYYY-MM or YYYY, as far as the known characters go).
    """
    numbers, distinct = pd.factorize(series)
    now = today()
    columns = zip(*(_NONE, *(damage_of(str(value), now) for value in distinct.tolist())), strict=True)
    found = {
        field: pd.Series(list(values), dtype="str").iloc[numbers + 1].set_axis(series.index)
        for field, values in zip(Damage._fields, columns, strict=True)
    }
    return pd.DataFrame(found, index=series.index)


def damage_of(number: str, now: date) -> Damage:
    """One row of `damaged` for one folded number; `now` is the day after which nobody is born."""
    if _EIGHTEEN.fullmatch(number):
        return _eighteen(number, now)
    if len(number) > 4 * FULL:
        return _UNREADABLE
    if found := _SCIENTIFIC.fullmatch(number):
        return _scientific(found)
    if "*" in number or UNKNOWN in number:
        return _masked(number.replace(UNKNOWN, "*"))
    return _plain(number, now) if _DIGITS.fullmatch(number) else _other(number)


def _other(number: str) -> Damage:
    """Letters: another document if it is short enough, else nothing that can be read."""
    return _NONE if number.isascii() and number.isalnum() and len(number) <= 12 else _UNREADABLE


def _plain(number: str, now: date) -> Damage:
    """Digits of another length than 18; up to 10 they are another document's."""
    if len(number) == 15:
        full = upgrade(number)
        return _patterned("old15", full) if birth_date(full, now) else _UNREADABLE
    if len(number) <= 10:
        return _NONE
    return Damage("short" if len(number) < FULL else "long", number[:6], number[-4:], None, None)


def _eighteen(number: str, now: date) -> Damage:
    good = id_check(number[:17]) == number[17]
    born = birth_date(number, now)
    if good and born:
        return Damage("none", number, number, number, born)
    if number.endswith("000") and not good:
        return _patterned("rounded", number[:15] + UNKNOWN * 3)
    return _patterned("bad_check" if born else "bad_date", number)


def _scientific(found: re.Match[str]) -> Damage:
    digits = (found[1] + (found[2] or "")).rstrip("0")[:15]
    if int(found[3]) != FULL - 1 or len(digits) < LEAST_KNOWN:
        return Damage("scientific", digits, None, None, None)
    # The last written digit was rounded, so it may be one too large.
    return _patterned("scientific", digits[:-1].ljust(FULL, UNKNOWN))


def _masked(number: str) -> Damage:
    """The visible ends; stars are counted where they fill up 18, else taken as a run of any length."""
    prefix, suffix = _MASK.split(number, maxsplit=1)[0], _MASK.split(number)[-1]
    if len(number) == FULL:
        return _patterned("masked", number.replace("*", UNKNOWN))
    if len(_MASK.findall(number)) == 1 and len(prefix) + len(suffix) < FULL:
        return _patterned("masked", prefix + UNKNOWN * (FULL - len(prefix) - len(suffix)) + suffix)
    return Damage("masked", prefix or None, suffix or None, None, None)


def _patterned(damage: str, pattern: str) -> Damage:
    prefix, suffix = pattern.partition(UNKNOWN)[0], pattern.rpartition(UNKNOWN)[2]
    return Damage(damage, prefix or None, suffix or None, pattern, _birth_hint(pattern))


def _birth_hint(pattern: str) -> str | None:
    """The birth date as far as the pattern shows it, if it can be one."""
    year, month, day = pattern[6:10], pattern[10:12], pattern[12:14]
    if not re.fullmatch(r"(18|19|20)\d{2}", year):
        return None
    if not re.fullmatch(r"0[1-9]|1[0-2]", month):
        return year
    return f"{year}-{month}-{day}" if re.fullmatch(r"0[1-9]|[12]\d|3[01]", day) else f"{year}-{month}"


class _Side(NamedTuple):
    """One distinct number as comparisons need it."""

    kind: str
    normal: str
    valid: bool
    damage: str
    pattern: str | None


def compatible(a: pd.Series, b: pd.Series) -> npt.NDArray[np.int8]:
    """How far each pair of folded numbers agrees (`IdLevel`), int8, once per distinct pair.

    a, b: numbers of the two sides, good or withheld, of equal length, aligned by position; missing gives INCOMPARABLE.
    """
    numbers, distinct = pd.factorize(pd.concat([a, b], ignore_index=True))
    left, right = numbers[: len(a)].astype(np.int64), numbers[len(a) :].astype(np.int64)
    level = np.full(len(a), IdLevel.INCOMPARABLE, dtype=np.int8)
    known = (left >= 0) & (right >= 0)
    level[known & (left == right)] = IdLevel.EXACT
    rest = known & (left != right)
    pairs, back = np.unique(left[rest] * len(distinct) + right[rest], return_inverse=True)
    sides = _sides(pd.Series(distinct, dtype="str"))
    found = [_compare_two(sides[pair // len(sides)], sides[pair % len(sides)]) for pair in pairs.tolist()]
    level[rest] = np.array(found, dtype=np.int8)[back]
    return level


def _sides(numbers: pd.Series) -> list[_Side]:
    known, broken = recognise(numbers), damaged(numbers)
    patterns = broken["known_pattern"].astype(object).where(broken["known_pattern"].notna(), None)
    columns = (known["kind"], known["normal"], known["valid"], broken["damage"], patterns)
    return [_Side(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


def _compare_two(one: _Side, two: _Side) -> IdLevel:
    """The level of two numbers that are written differently."""
    if one.normal == two.normal:
        return IdLevel.UPGRADED
    if one.pattern and two.pattern and UNKNOWN in one.pattern + two.pattern:
        return _compare_patterns(one.pattern, two.pattern, {one.damage, two.damage})
    if one.damage in _EDITED or two.damage in _EDITED:
        return _compare_edited(one, two)
    if one.damage != "none" or two.damage != "none" or one.kind != two.kind:
        return IdLevel.INCOMPARABLE
    return IdLevel.DIFFERENT_VALID if one.kind in LIFELONG and one.valid and two.valid else IdLevel.DIFFERENT


def _compare_edited(one: _Side, two: _Side) -> IdLevel:
    """At least one number is mistyped or unchecked; the computed check digit of an old one is not compared."""
    if not {one.damage, two.damage} <= {*_EDITED, "none"} or not (one.kind in _DIGITAL and two.kind in _DIGITAL):
        return IdLevel.INCOMPARABLE
    old = "old15" in (one.damage, two.damage)
    first, second = (one.normal[:17], two.normal[:17]) if old else (one.normal, two.normal)
    return IdLevel.ONE_EDIT if _one_edit(first, second) else IdLevel.DIFFERENT


def _compare_patterns(one: str, two: str, damage: set[str]) -> IdLevel:
    shown = [(x, y) for x, y in zip(one, two, strict=True) if UNKNOWN not in (x, y)]
    if len(shown) < LEAST_KNOWN:
        return IdLevel.INCOMPARABLE
    if any(x != y for x, y in shown):
        return IdLevel.DIFFERENT
    if "scientific" in damage:
        return IdLevel.SCIENTIFIC
    return IdLevel.MASKED if "masked" in damage else IdLevel.ROUNDED


def _one_edit(one: str, two: str) -> bool:
    from rapidfuzz.distance import OSA

    return bool(OSA.distance(one, two, score_cutoff=1) <= 1)


def repairs(number: str, birth: str | None = None, sex: str | None = None) -> tuple[str, ...]:
    """Valid numbers one typing error away from a broken 18-character one: a digit changed, or two neighbours swapped.

    birth: ISO date, sex: male | female, as other columns state them; with them usually one suggestion is left. They
    are suggestions for a person to judge, never applied. Empty for a valid number and for other lengths.
    """
    now = today()
    if not _EIGHTEEN.fullmatch(number) or _eighteen(number, now).damage == "none":
        return ()
    near = {near for near in _neighbours(number) if near[0] == number[0] or "9" not in (near[0], number[0])}
    return tuple(sorted(found for found in near if _agrees(found, birth, sex, now)))


def _neighbours(number: str) -> Iterator[str]:
    for at in range(FULL):
        for letter in "0123456789X" if at == FULL - 1 else "0123456789":
            yield number[:at] + letter + number[at + 1 :]
    for at in range(FULL - 2):
        yield number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if number[-1] != "X":
        yield number[:-2] + number[-1] + number[-2]


def _agrees(number: str, birth: str | None, sex: str | None, now: date) -> bool:
    if id_check(number[:17]) != number[17] or not county_known(number[:6]):
        return False
    born = birth_date(number, now)
    male = number[16] in "13579"
    return born is not None and birth in (None, born) and sex in (None, "unknown", "male" if male else "female")


def trusted(frame: pd.DataFrame) -> pd.Series:
    """Whether each row's number is surely the row's own, so that two different ones hold two people apart.

    frame: `id_number` and `name` (folded), and where the feed has them `birth_date` and `sex` (the feed's own columns,
    never derived from the number). Trusted is a valid number of a LIFELONG document that agrees with the row's birth
    date and sex, in the majority name group of that number: most rows, those with an agreeing birth date weighing more;
    a tie trusts none. Returns `bool`, aligned.
    """
    known = recognise(frame["id_number"])
    birth = _stated(frame, "birth_date", known["birth_date"])
    sex = _stated(frame, "sex", known["sex"])
    valid = known["valid"].to_numpy() & known["kind"].isin(LIFELONG).to_numpy(dtype=bool)
    consistent = valid & (birth >= 0) & (sex >= 0)
    weight = 1.0 + AGREEING * (birth > 0) - DISAGREEING * (birth < 0)
    votes = pd.DataFrame({"id": known["normal"], "name": frame["name"], "votes": weight})
    return pd.Series(consistent & _in_majority(votes, valid), index=frame.index)


def _stated(frame: pd.DataFrame, column: str, derived: pd.Series) -> npt.NDArray[np.int8]:
    """1 where the feed's column agrees with the number, -1 where it does not, 0 where one says nothing."""
    if column not in frame.columns:
        return np.zeros(len(frame), dtype=np.int8)
    said = frame[column].mask(frame[column].isin(["unknown"]).astype(bool)).str.slice(0, 10)
    both = (said.notna() & derived.notna()).to_numpy(dtype=bool)
    same = (said == derived).fillna(False).to_numpy(dtype=bool)
    return np.where(both, np.where(same, 1, -1), 0).astype(np.int8)


def _in_majority(votes: pd.DataFrame, valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Whether the row bears the name that most rows with its number bear; a number that comes without names passes."""
    tally = votes[valid].dropna().groupby(["id", "name"], sort=True)["votes"].sum().reset_index()
    best = tally.groupby("id")["votes"].max()
    leading = tally[tally["votes"].to_numpy() >= tally["id"].map(best).to_numpy()]
    clear = leading[~leading["id"].duplicated(keep=False)].set_index("id")["name"]
    leader = votes["id"].map(clear)
    named = votes["id"].isin(best.index).to_numpy(dtype=bool)
    same = (votes["name"] == leader).fillna(False).to_numpy(dtype=bool)
    found: npt.NDArray[np.bool_] = same | ~named
    return found
