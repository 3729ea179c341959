"""What can be wrong with one value, as rules over canonical text columns.

A rule fails values, never missing ones. Its outcome is the default: withhold (this value is wrong, the row flows on without
it) or warn; a type file may override it in `checks:`. Sentences are for the data officer and never hold a value.
Dimensions are those of GB/T 36344-2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from schemas import identifiers
from schemas.dates import days, impossible, today
from schemas.dictionaries import codes_of
from schemas.text import REPLACEMENT, matches, test_values

DIMENSIONS = ("conformity", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
Failed = Callable[[pd.Series], pd.Series]

LONGEST_NAME = 50  # characters, GB/T 31000 姓名 C50
LONGEST_ADDRESS = 200  # characters; GB/T 31000 allows 80 for the part below the county
FUTURE_YEARS = 50  # a due date further away is a default such as 2999-12-31
CHINA_LONGITUDE, CHINA_LATITUDE = (73.0, 136.0), (3.0, 54.0)  # degrees, rounded outwards

EIGHTEEN = r"\d{17}[\dX]"
_ID_SHAPES = rf"{EIGHTEEN}|\d{{15}}"
_OTHER_DOCUMENTS = (
    r"[A-Z]{3}\d{12}|\d{8}|\d{10}[A-Z]?|[A-Z0-9]{0,11}[A-Z][A-Z0-9]{0,11}|\d{9}|[军士兵武文].{0,4}第?\d{5,8}号?"
)
SCIENTIFIC = r"\d(\.\d+)?E\d{1,2}"
MASKED = r".*\*.*"
_RUN = r"0{5,}|1{5,}|2{5,}|3{5,}|4{5,}|5{5,}|6{5,}|7{5,}|8{5,}|9{5,}"
PLACEHOLDER_ID = (
    rf"({_RUN})X?|1234567890?\d*X?|\d{{6}}(19|20)\d{{2}}0101000[0X]|\d{{6}}0{{8}}\d{{4}}|\d{{12}}0{{6}}|\d{{6}}1{{12}}"
)
_PLACEHOLDER_PHONE = (
    r"(\d)?(?:"
    + _RUN.replace("5,", "10,")
    + r")|13800138000|12345678901|1[3-9]012345678|1[3-9]{0,1}123456789\d?|13[0-9]0{8}"
)
NUMBER_LIKE = r"[A-Z]?[\d*.\-+ ]{2,}X?|\d+"
NO_LETTER = r"[^\p{L}?\x{FFFD}\x{25A1}\x{E000}-\x{F8FF}]*"
PLACEHOLDER_NAME = r"(?i)测试.{0,6}|.{0,6}测试|test\d*|x{2,}|a{3,}|未命名|姓名|新用户|匿名|游客|user\d*|admin"
DEFAULT_DATE = r"1900-01-0[01]|1900-01-02|1899-12-3[01]|0001-01-01|1970-01-01T.*|9999-12-31|2999-12-31"
DECIMAL = r"[+-]?\d{1,9}(\.\d+)?"
_LANDLINE = r"0(10|2\d|[3-9]\d{2})-[2-9]\d{6,7}"
_SERVICE_NUMBER = r"[48]00\d{7}|[2-9]\d{6,7}"


@dataclass(frozen=True)
class Rule:
    """One thing that can be wrong with a value of a kind.

    failed: canonical `str` column -> `bool` column aligned with it, True where the value fails; missing never fails.
    """

    name: str
    dimension: str
    outcome: str
    sentence: str
    failed: Failed


def not_in(dictionary: str) -> Failed:
    """Fails values that are no code of `schemas/data/<dictionary>.tsv`."""
    return lambda series: test_values(series, lambda value: value not in codes_of(dictionary))


def like(pattern: str) -> Failed:
    """Fails values that match the pattern as a whole."""
    return lambda series: matches(series, pattern)


def unlike(*patterns: str) -> Failed:
    """Fails values that match none of the patterns."""
    return lambda series: series.notna() & ~matches(series, "|".join(f"(?:{pattern})" for pattern in patterns))


def longer_than(limit: int) -> Failed:
    """Fails values of more characters."""
    return lambda series: (series.str.len() > limit).fillna(False).astype(bool)


def holds_replacement(series: pd.Series) -> pd.Series:
    """Fails values with U+FFFD or a private-use character: letters lost in some conversion before us."""
    return matches(series, f"(?s).*[{REPLACEMENT}\ue000-\uf8ff].*")


def _inside(low: float, high: float) -> Callable[[pd.Series], np.ndarray]:
    def test(series: pd.Series) -> np.ndarray:
        values = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        found: np.ndarray = (values >= low) & (values <= high)
        return found

    return test


def outside(low: float, high: float) -> Failed:
    """Fails numbers outside [low, high]; text that is no number is another rule's."""
    inside = _inside(low, high)
    return lambda series: pd.Series(~inside(series), index=series.index) & matches(series, r"[+-]?\d+(\.\d+)?")


def within(low: float, high: float) -> Failed:
    """Fails numbers inside [low, high]."""
    inside = _inside(low, high)
    return lambda series: pd.Series(inside(series), index=series.index)


def abroad(home: tuple[float, float], swapped: tuple[float, float]) -> Failed:
    """Fails numbers outside the range of China that are not the other coordinate's either, and not zero."""
    ours, other, low_zero = _inside(*home), _inside(*swapped), _inside(0, 0)
    return lambda series: (
        pd.Series(~(ours(series) | other(series) | low_zero(series)), index=series.index) & matches(series, DECIMAL)
    )


def id_shape(series: pd.Series) -> pd.Series:
    """Of the length or characters of no document; damage that has a name of its own is that rule's."""
    named = matches(series, MASKED) | matches(series, SCIENTIFIC)
    return unlike(_ID_SHAPES, _OTHER_DOCUMENTS)(series) & ~named


def time_default(series: pd.Series) -> pd.Series:
    """A time no system means: the epochs of computers, or further ahead than FUTURE_YEARS."""
    return matches(series, r"(1900-01-0[01]|1899-12-3[01]|0001-01-01|1970-01-01)T.*") | far_future(series)


def id_rounded(series: pd.Series) -> pd.Series:
    """18 digits ending 000 whose check fails: a spreadsheet kept 15 significant digits."""
    return matches(series, r"\d{15}000") & identifiers.id_check_fails(series)


def id_check(series: pd.Series) -> pd.Series:
    """A wrong check digit that is not the spreadsheet's rounding."""
    return identifiers.id_check_fails(series) & ~matches(series, r"\d{15}000")


def id_dates(series: pd.Series) -> pd.Series:
    """ISO text of the birth digits inside 18- and 15-digit ids, missing elsewhere."""
    full = series.str.slice(6, 14).where(matches(series, EIGHTEEN))
    old = ("19" + series.str.slice(6, 12)).where(matches(series, r"\d{15}"))
    digits = full.fillna(old)
    return digits.str.slice(0, 4) + "-" + digits.str.slice(4, 6) + "-" + digits.str.slice(6, 8)


def id_birth_impossible(series: pd.Series) -> pd.Series:
    """The birth digits name no day of the calendar; of 15 digits a registration number may be meant."""
    registration = matches(series, r"\d{15}") & test_values(series, _is_registration)
    return impossible(id_dates(series)) & ~registration


def _is_registration(value: str) -> bool:
    return (
        len(value) == 15
        and value.isdecimal()
        and value.isascii()
        and identifiers.registration_check(value[:14]) == value[14]
    )


def in_future(series: pd.Series) -> pd.Series:
    """A day after today (China)."""
    found = days(series)
    return pd.Series(found > np.datetime64(today()), index=series.index)


def too_old(series: pd.Series) -> pd.Series:
    """More than `identifiers.OLDEST` years ago."""
    limit = np.datetime64(
        f"{today().year - identifiers.OLDEST:04d}-{today():%m-%d}"
        if today().month != 2
        else f"{today().year - identifiers.OLDEST}-02-28"
    )
    return pd.Series(days(series) < limit, index=series.index)


def far_future(series: pd.Series) -> pd.Series:
    """More than FUTURE_YEARS years ahead."""
    return pd.Series(days(series) > np.datetime64(f"{today().year + FUTURE_YEARS}-12-31"), index=series.index)


def unknown_province(series: pd.Series) -> pd.Series:
    """An 18- or 15-digit id that begins with no province (9: permanent resident card)."""
    shaped = matches(series, _ID_SHAPES) & ~matches(series, r"9.*") & ~id_birth_impossible(series)
    return shaped & ~series.str.slice(0, 2).isin(identifiers.codes_of_provinces()).astype(bool)


def unknown_county(series: pd.Series) -> pd.Series:
    """A province that exists with a county that never did, by python-stdnum's list and our additions."""
    shaped = matches(series, _ID_SHAPES) & ~unknown_province(series) & ~id_birth_impossible(series)
    codes = series.str.slice(0, 6).where(shaped)
    return test_values(codes, lambda code: not identifiers.county_known(code))


def uscc_length(series: pd.Series) -> pd.Series:
    """Not 18 characters."""
    return (series.str.len() != 18).fillna(False).astype(bool) & series.notna()


def uscc_letters(series: pd.Series) -> pd.Series:
    """18 characters, but some outside the alphabet of GB 32100 (no I, O, Z, S, V)."""
    return ~uscc_length(series) & series.notna() & ~matches(series, f"[{identifiers.USCC_ALPHABET}]{{18}}")


def uscc_check(part: int) -> Failed:
    """Fails well-formed codes whose check `part` (0: the whole code, 1: the organization code inside) does not hold."""
    shape = frozenset(identifiers.USCC_ALPHABET)

    def fails(value: str) -> bool:
        return len(value) == 18 and shape.issuperset(value) and not identifiers.uscc_valid(value)[part]

    return lambda series: test_values(series, fails)


def phone_shape(series: pd.Series) -> pd.Series:
    """Neither a mobile number, a landline, nor a service number; masked ones are another rule's."""
    return unlike(r"1[3-9]\d{9}", _LANDLINE, _SERVICE_NUMBER, MASKED)(series)


def phone_placeholder(series: pd.Series) -> pd.Series:
    """A number typed to get past a required field."""
    return matches(series, _PLACEHOLDER_PHONE)


def phone_unassigned(series: pd.Series) -> pd.Series:
    """A mobile number in a range that phonenumbers does not know; it lags behind new ranges, so a warning."""
    import phonenumbers

    pattern = phonenumbers.PhoneMetadata.metadata_for_region("CN").mobile.national_number_pattern
    return matches(series, r"1[3-9]\d{9}") & ~matches(series, pattern)
