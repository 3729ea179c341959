"""Official numbers: their check digits, and which document a number is.

Resident id GB 11643-1999 (15 digits of the first generation are upgraded to 18), residence permits of Hong Kong, Macau
and Taiwan residents (81/82/83), foreign permanent resident cards of 2017 and 2023, travel permits, passports, the
unified social credit code GB 32100-2015 with the organization code GB 11714 inside, registration numbers GS 15-2006,
plates GA 36, components of GB/T 30428.2.

python-stdnum's `cn.ric.validate` is not used: it compares a county's years with the birth year instead of the year of
registration, and so refuses most real numbers of older people; it raises KeyError for counties it does not know.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache
from operator import mul

import numpy as np
import pandas as pd

from schemas.dates import today
from schemas.dictionaries import dictionary
from schemas.text import bytes_of

OLDEST = 130  # years; nobody known lived longer than 122
ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_WEIGHTS: tuple[int, ...] = tuple(ID_WEIGHTS.tolist())
_ZEROS = ord("0") * sum(_WEIGHTS)
ID_CHECKS = "10X98765432"
_CHECK_BYTES = np.frombuffer(ID_CHECKS.encode(), dtype=np.uint8)
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
ORG_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
CENTENARIAN = ("996", "997", "998", "999")  # sequences of 15-digit ids given to people born before 1900

RECOGNISED = ("kind", "normal", "valid", "birth_date", "sex", "county")
Row = tuple[str | None, str | None, bool, str | None, str | None, str | None]
_NOTHING: Row = (None, None, False, None, None, None)

_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("foreign_permanent_resident_card", re.compile(r"[A-Z]{3}\d{12}")),
    ("hk_macau_travel_permit", re.compile(r"[HM](?:\d{8}(?:\d{2})?|A\d{7})")),
    ("passport", re.compile(r"E(?:\d{8}|[A-HJ-NP-Z]\d{7})|G\d{8}|(?:14|15)\d{7}|[DSP]E?\d{7,8}")),
    ("exit_permit", re.compile(r"[CW](?:\d{8}|[A-HJ-NP-Z]\d{7})")),
    ("taiwan_travel_permit", re.compile(r"\d{8}|\d{10}[A-Z]?")),
    (
        "plate",
        re.compile(
            rf"[{_PROVINCES}][A-HJ-NP-Z](?:[A-HJ-NP-Z0-9]{{4}}[A-HJ-NP-Z0-9学警挂港澳试超领使]|[A-HJ-NP-Z0-9]{{6}})|WJ[{_PROVINCES}]?[A-Z0-9]{{4,6}}"
        ),
    ),
    ("birth_certificate", re.compile(r"[A-Z]\d{9}")),
    ("military_id", re.compile(r"[军士兵武文政后装空海警参联南北沈兰成济广]\w{0,3}字?第?\d{5,8}号?")),
    ("foreign_passport", re.compile(r"(?=[A-Z]*\d)[A-Z0-9]{5,12}")),
)


def id_check(first17: str) -> str:
    """The 18th character of a resident id, ISO 7064 MOD 11-2 (GB 11643-1999), from its first 17 digits."""
    return ID_CHECKS[(sum(map(mul, first17.encode(), _WEIGHTS)) - _ZEROS) % 11]


def upgrade(old: str) -> str:
    """The 18-digit form of a 15-digit id: century 19, or 18 for the sequences of centenarians, and the check digit."""
    century = "18" if old[12:] in CENTENARIAN else "19"
    first17 = old[:6] + century + old[6:]
    return first17 + id_check(first17)


def id_check_fails(series: pd.Series) -> pd.Series:
    """Whether an 18-character id has the wrong check digit; `bool`, False for missing and for other shapes."""
    shaped = series.str.fullmatch(r"\d{17}[\dX]").fillna(False).to_numpy(dtype=bool)
    failed = np.zeros(len(series), dtype=bool)
    digits = bytes_of(series[shaped], 18)
    sums = (digits[:, :17].astype(np.int64) - 48) @ ID_WEIGHTS
    failed[shaped] = _CHECK_BYTES[sums % 11] != digits[:, 17]
    return pd.Series(failed, index=series.index)


def uscc_check(first17: str) -> str:
    """The 18th character of a unified social credit code (GB 32100-2015)."""
    total = sum(USCC_ALPHABET.index(letter) * weight for letter, weight in zip(first17, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def org_check(first8: str) -> str:
    """The 9th character of an organization code (GB 11714), which is characters 9 to 17 of a social credit code."""
    rest = (
        11 - sum(ORG_ALPHABET.index(letter) * weight for letter, weight in zip(first8, ORG_WEIGHTS, strict=True)) % 11
    )
    return {10: "X", 11: "0"}.get(rest, str(rest))


def registration_check(first14: str) -> str:
    """The 15th digit of an old business registration number (GS 15-2006), ISO 7064 MOD 11,10."""
    rest = 10
    for digit in first14:
        rest = ((rest + int(digit)) % 10 or 10) * 2 % 11
    return str((11 - rest) % 10)


def uscc_valid(code: str) -> tuple[bool, bool]:
    """Whether the social credit check and the organization check inside it hold, for 18 characters of the alphabet."""
    return uscc_check(code[:17]) == code[17], org_check(code[8:16]) == code[16]


def recognise(series: pd.Series) -> pd.DataFrame:
    """Which document each number is, computed once per distinct value.

    series: folded numbers (`schemas.kinds` id_number). Returns, aligned: `kind` (resident_id | hmt_residence_permit |
    foreign_permanent_resident_card | hk_macau_travel_permit | taiwan_travel_permit | passport | exit_permit |
    foreign_passport | military_id | birth_certificate | uscc | registration_number | component | plate | unknown;
    missing for missing), `normal` (the comparable form: 15 digits upgraded to 18, a reissue count cut off), `valid`
    (bool: form, date and check digit, as far as the document has them), `birth_date` (ISO), `sex` (male | female),
    `county` (6 digits).
    """
    numbers, distinct = pd.factorize(series)
    now = today()
    columns = zip(*(_NOTHING, *(recognise_one(number, now) for number in distinct.tolist())), strict=True)
    return pd.DataFrame(
        {
            name: pd.array(list(values), dtype="bool" if name == "valid" else "str").take(numbers + 1)
            for name, values in zip(RECOGNISED, columns, strict=True)
        },
        index=series.index,
    )


def recognise_one(number: str, now: date) -> Row:
    """One row of `recognise` for one folded number; `now` is the day after which nobody is born."""
    if len(number) == 18 and number.isascii():
        if number[:17].isdigit() and (number[17].isdigit() or number[17] == "X"):
            return _eighteen(number, now)
        if all(letter in USCC_ALPHABET for letter in number):
            return "uscc", number, all(uscc_valid(number)), None, None, number[2:8]
    if number.isascii() and number.isdigit():
        if len(number) == 15:
            return _fifteen(number, now)
        if len(number) == 16:
            return "component", number, number[:2] in provinces(), None, None, number[:6]
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(number[:32]):
            normal = number[:9] if kind == "hk_macau_travel_permit" else number
            return kind, normal, True, None, None, None
    return "unknown", number, False, None, None, None


def _eighteen(number: str, now: date) -> Row:
    """18 digits: an id or permit by its first digits; a social credit code only if it cannot be an id."""
    good = id_check(number[:17]) == number[17]
    born = birth_date(number, now)
    if (not born or number[:2] not in provinces()) and number[2:4] in provinces() and all(uscc_valid(number)):
        return "uscc", number, True, None, None, number[2:8]
    kind = "hmt_residence_permit" if number[:2] in ("81", "82", "83") else "resident_id"
    if number[0] == "9":
        kind = "foreign_permanent_resident_card"
    return kind, number, good and born is not None, born, "male" if number[16] in "13579" else "female", number[:6]


def _fifteen(number: str, now: date) -> Row:
    """15 digits: an id of the first generation if its date and province can be, else a registration number."""
    full = upgrade(number)
    born = birth_date(full, now)
    if born and number[:2] in provinces():
        return "resident_id", full, True, born, "male" if full[16] in "13579" else "female", number[:6]
    if registration_check(number[:14]) == number[14]:
        return "registration_number", number, True, None, None, number[:6]
    return "resident_id", full, False, None, None, number[:6]


def birth_date(number: str, now: date) -> str | None:
    """The ISO birth date inside an 18-digit id, None when it is impossible, after `now` or over OLDEST years ago."""
    return _birth(number[6:14], now)


@lru_cache(maxsize=65536)
def _birth(digits: str, now: date) -> str | None:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
    return born.isoformat() if born <= now and born.year >= now.year - OLDEST else None


@cache
def provinces() -> frozenset[str]:
    """The first two digits an id may begin with (GB/T 2260, and 81, 82, 83 of residence permits)."""
    return frozenset(dictionary("province"))


@lru_cache(maxsize=65536)
def county_known(code: str) -> bool:
    """Whether a 6-digit division is or was one, by python-stdnum's list and our additions; for warnings only.

    Cards of foreign permanent residents (9...) carry a province and a country instead and are not looked up.
    """
    if code[:1] == "9" or code in dictionary("county_more"):
        return True
    return any("county" in info for _, info in _divisions().info(code))


@lru_cache(maxsize=1024)
def division_names(code: str) -> tuple[str, ...]:
    """The names of a 6-digit division, of what it lies in and of the districts of a city, with and without 省, 市, 区, 县;
    the longest first."""
    codes = [code[:2] + "0000", code[:4] + "00", code]
    codes += [f"{code[:4]}{n:02}" for n in range(1, 99)] if code.endswith("00") else []
    found = {
        info[name]
        for each in codes
        for _, info in _divisions().info(each)
        for name in ("province", "county")
        if name in info
    }
    whole = {re.sub(r"^\[[^\]]*\]", "", name) for name in found}
    short = {re.sub(r"[省市区县]$", "", name) for name in whole}
    return tuple(sorted((name for name in whole | short if len(name) >= 2), key=lambda name: (-len(name), name)))


@cache
def _divisions():  # type: ignore[no-untyped-def]
    """python-stdnum's list of divisions, past and present (LGPL, read at run time)."""
    from stdnum import numdb

    return numdb.get("cn/loc")
