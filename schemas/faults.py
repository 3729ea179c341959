"""How a value can be wrong, as tests over canonical text columns: `str` column in, aligned `bool` column out.

True where the value fails; a missing value never fails. The names people see, the dimensions and the outcomes of these
tests stand in `schemas/data/rules.tsv` (see `schemas.rules`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from schemas import identifiers
from schemas.codes import verify
from schemas.dates import days, impossible, today
from schemas.dictionaries import codes_of
from schemas.text import REPLACEMENT, matches, test_values

Failed = Callable[[pd.Series], pd.Series]

FUTURE_YEARS = 50  # a due date further away is a default such as 2999-12-31

EIGHTEEN = r"\d{17}[\dX]"
_ID_SHAPES = rf"{EIGHTEEN}|\d{{15}}"
_OTHER_DOCUMENTS = (
    r"[A-Z]{3}\d{12}|\d{8,10}|\d{10}[A-Z]|[A-Z0-9]{0,11}[A-Z][A-Z0-9]{0,11}"
    r"|[军士兵武文政后装空海警参联].{0,4}第?\d{5,8}号?"
)
_NO_DOCUMENT = r"[A-Z]+|[A-Z0-9]{1,4}"  # letters alone are a name in the wrong column
SCIENTIFIC = r"\d(\.\d+)?E\+?\d{1,2}"
MASKED = r".*\*.*"
_RUN = "|".join(f"{digit}{{5,}}" for digit in range(10))
PLACEHOLDER_ID = rf"({_RUN})X?|1234567890?\d*X?" r"|\d{6}(19|20)\d{2}0101000[0X]|\d{6}0{8}\d{4}|\d{12}0{6}|\d{6}1{12}"
PLACEHOLDER_PHONE = (
    r"\d?(" + _RUN.replace("5,", "10,") + r")"
    r"|13800138000|12345678901|1[3-9]012345678|1[3-9]?123456789\d?|13[0-9]0{8}"
)
NUMBER_LIKE = r"[A-Z]?[\d*.\-+ ]{2,}X?|\d+"
NO_LETTER = r"[^\p{L}?\x{FFFD}\x{25A1}\x{E000}-\x{F8FF}]*"
PLACEHOLDER_NAME = r"(?i)测试.{0,6}|.{0,6}测试|test\d*|x{2,}|a{3,}|未命名|姓名|新用户|匿名|游客|user\d*|admin"
NAME_REMARK = r".*[(\[【〔{<].*|.*\p{Han}\d+"
DEFAULT_DATE = r"1900-01-0[012]|1899-12-3[01]|0001-01-01|9999-12-31|2999-12-31"
PARTIAL_DATE = r"\d{4}(-\d{2})?"
DECIMAL = r"[+-]?\d{1,9}(\.\d+)?"
MOBILE = r"1[3-9]\d{9}"
LANDLINE = r"0(10|2\d|[3-9]\d{2})-[1-9]\d{6,7}"
SERVICE_NUMBER = r"[48]00\d{7}|[2-9]\d{6,7}"


def not_in(dictionary: str) -> Failed:
    """Fails values that are no code of `schemas/data/<dictionary>.tsv`."""
    return lambda series: test_values(series, lambda value: value not in codes_of(dictionary))


def like(pattern: str) -> Failed:
    """Fails values that match the pattern as a whole."""
    return lambda series: matches(series, pattern)


def unlike(*patterns: str) -> Failed:
    """Fails values that match none of the patterns."""
    either = "|".join(f"(?:{pattern})" for pattern in patterns)
    return lambda series: series.notna() & ~matches(series, either)


def longer_than(limit: int) -> Failed:
    """Fails values of more characters."""
    return lambda series: (series.str.len() > limit).fillna(False).astype(bool)


def lost_characters(series: pd.Series) -> pd.Series:
    """Fails values with U+FFFD or a private-use character: letters lost in some conversion before us."""
    return matches(series, f"(?s).*[{REPLACEMENT}\ue000-\uf8ff].*")


def name_without_letters(series: pd.Series) -> pd.Series:
    """No letter of any script, no lost or private-use character; a number is another rule's."""
    return matches(series, NO_LETTER) & ~matches(series, NUMBER_LIKE)


def outside(low: float, high: float) -> Failed:
    """Fails numbers outside [low, high]; text that is no number is another rule's."""
    return lambda series: matches(series, DECIMAL) & ~within(low, high)(series)


def within(low: float, high: float) -> Failed:
    """Fails numbers inside [low, high]."""

    def failed(series: pd.Series) -> pd.Series:
        values = pd.to_numeric(series, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        return pd.Series((values >= low) & (values <= high), index=series.index, dtype=bool)

    return failed


def abroad(home: tuple[float, float], swapped: tuple[float, float]) -> Failed:
    """Fails numbers outside the range of China that are not the other coordinate's either, and not zero."""
    spared = (within(*home), within(*swapped), within(0, 0))
    return lambda series: matches(series, DECIMAL) & ~(spared[0](series) | spared[1](series) | spared[2](series))


def id_shape(series: pd.Series) -> pd.Series:
    """Of the length or characters of no document; damage that has a name of its own is that rule's."""
    return unlike(_ID_SHAPES, _OTHER_DOCUMENTS, MASKED, SCIENTIFIC)(series) | matches(series, _NO_DOCUMENT)


def id_rounded(series: pd.Series) -> pd.Series:
    """18 digits ending 000 whose check fails: a spreadsheet kept 15 significant digits."""
    return identifiers.id_check_fails(series.where(matches(series, r"\d{15}000")))


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
    registration = test_values(series.where(series.str.len() == 15), _is_registration)
    return impossible(id_dates(series)) & ~registration


def _is_registration(value: str) -> bool:
    digits = len(value) == 15 and value.isdecimal() and value.isascii()
    return digits and identifiers.registration_check(value[:14]) == value[14]


def id_birth_future(series: pd.Series) -> pd.Series:
    """The birth digits lie after today."""
    return in_future(id_dates(series))


def id_birth_too_old(series: pd.Series) -> pd.Series:
    """The birth digits lie more than `identifiers.OLDEST` years back."""
    return too_old(id_dates(series))


def unknown_province(series: pd.Series) -> pd.Series:
    """An 18- or 15-digit id that begins with no province (9: permanent resident card)."""
    shaped = matches(series, _ID_SHAPES) & ~matches(series, r"9.*")
    return shaped & ~series.str.slice(0, 2).isin(identifiers.provinces()).astype(bool)


def unknown_county(series: pd.Series) -> pd.Series:
    """A province that exists with a county that never did, by python-stdnum's list and our additions."""
    shaped = matches(series, _ID_SHAPES) & ~unknown_province(series)
    codes = series.str.slice(0, 6).where(shaped)
    return test_values(codes, lambda code: not identifiers.county_known(code))


def in_future(series: pd.Series) -> pd.Series:
    """A day after today (China)."""
    return pd.Series(days(series) > np.datetime64(today()), index=series.index, dtype=bool)


def too_old(series: pd.Series) -> pd.Series:
    """More than `identifiers.OLDEST` years ago."""
    now = today()
    limit = np.datetime64(f"{now.year - identifiers.OLDEST}-{now.month:02d}-{min(now.day, 28):02d}")
    return pd.Series(days(series) < limit, index=series.index, dtype=bool)


def time_default(series: pd.Series) -> pd.Series:
    """A time no system means: the epochs of computers, or further ahead than FUTURE_YEARS."""
    far = pd.Series(days(series) > np.datetime64(f"{today().year + FUTURE_YEARS}-12-31"), index=series.index)
    return matches(series, r"(1900-01-0[01]|1899-12-3[01]|0001-01-01|1970-01-01)T.*") | far.astype(bool)


def uscc_length(series: pd.Series) -> pd.Series:
    """Not 18 characters."""
    return series.notna() & (series.str.len() != 18).fillna(False).astype(bool)


def uscc_letters(series: pd.Series) -> pd.Series:
    """18 characters, but some outside the alphabet of GB 32100 (no I, O, Z, S, V)."""
    return series.notna() & ~uscc_length(series) & ~matches(series, f"[{identifiers.USCC_ALPHABET}]{{18}}")


def uscc_check(part: int) -> Failed:
    """Fails well-formed codes whose check `part` (0: the whole code, 1: the organization code inside) does not hold."""

    shape = frozenset(identifiers.USCC_ALPHABET)

    def fails(value: str) -> bool:
        return len(value) == 18 and shape.issuperset(value) and not identifiers.uscc_valid(value)[part]

    return lambda series: test_values(series, fails)


def registry_code_check(series: pd.Series) -> pd.Series:
    """What is no code of a registry, or was mistyped."""
    return test_values(series, lambda value: not verify(value))


def phone_shape(series: pd.Series) -> pd.Series:
    """Neither a mobile number, a landline, nor a service number; a masked one is another rule's."""
    return unlike(MOBILE, LANDLINE, SERVICE_NUMBER, MASKED)(series)


def phone_unassigned(series: pd.Series) -> pd.Series:
    """A mobile number in a range that phonenumbers does not know; it lags behind new ranges, so a warning."""
    from phonenumbers import PhoneMetadata

    china = PhoneMetadata.metadata_for_region("CN")
    pattern = china.mobile.national_number_pattern if china and china.mobile else None
    return matches(series, MOBILE) & ~matches(series, pattern or ".*")
