"""Dates and times as the feeds write them, to ISO 8601 text.

Understood: 1990-1-1, 1990.1.1, 1990/1/1, 19900101, 1990年1月1日, 一九九〇年一月一日, spreadsheet serials (1900 system,
18264 to 60000, that is 1950 to 2064), each with or without a time. Not guessed: two-digit years, day or month first,
lunar dates; they stay as folded text for a rule to fail. Partial dates (1990-05, 1990) are kept as such.
Times are wall-clock times in China; a zone that says otherwise is converted (UTC+8, no summer time since 1991).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd

SERIAL_FIRST, SERIAL_LAST = 18264, 60000  # 1950-01-01 .. 2064-04-08, spreadsheet serial days (1900 system)
_SERIAL_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
CHINA = timedelta(hours=8)
LONGEST = 64  # characters; nothing longer is a date

_DATE = r"(?P<y>\d{4})(?: ?[-./\\年 ] ?(?P<m>\d{1,2})(?: ?[-./\\月 ] ?(?P<d>\d{1,2}) ?[日号.]?| ?月)?| ?年)?"
_TIME = (
    r"(?P<noon>上午|下午|AM|PM|am|pm)?"
    r"(?P<H>\d{1,2}):(?P<M>\d{1,2})(?::(?P<S>\d{1,2})(?:[.,]\d+)?)? ?(?P<noon2>AM|PM|am|pm)?"
    r" ?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_PARTS = re.compile(rf"{_DATE}(?:(?:[T ]+|(?<=[日号])){_TIME})?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})?)?(?:\.0*)?")
_YEAR_MONTH = re.compile(r"(19|20)\d{2}(0[1-9]|1[0-2])")
_SERIAL = re.compile(r"\d{5}(\.\d{1,12})?")
_EPOCH = re.compile(r"1\d{9}(\d{3})?(?:\.0)?")
_CHINESE_CLOCK = re.compile(r"(\d{1,2})[时點点](?:(\d{1,2})分?)?(?:(\d{1,2})秒?)?")
_DIGITS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_CHINESE_DATE = re.compile(
    r"([〇○零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十]{1,3})[日号])?"
)

ISO_DATE = r"\d{4}-\d{2}-\d{2}"
ISO_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}"


def to_date(folded: str) -> str:
    """ISO date, or partial date, of a folded cell; what is not understood comes back as it was."""
    whole = to_datetime(folded)
    return whole[:10] if len(whole) == 19 and whole[10] == "T" else whole


def to_datetime(folded: str) -> str:
    """ISO date and time ('YYYY-MM-DDTHH:MM:SS', midnight where no time is given), or partial date, of a folded cell.

    Shape decides, not the calendar: 1990-02-30 becomes 1990-02-30T00:00:00, so that a rule can say it is impossible.
    """
    if len(folded) > LONGEST:
        return folded
    if _SERIAL.fullmatch(folded) and SERIAL_FIRST <= float(folded) <= SERIAL_LAST:
        return from_serial(float(folded))
    if _EPOCH.fullmatch(folded):
        return _from_epoch(folded)
    if found := _COMPACT.fullmatch(folded):
        year, month, day, hour, minute, second = found.groups()
        return f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    if _YEAR_MONTH.fullmatch(folded):
        return f"{folded[:4]}-{folded[4:]}"
    found = _PARTS.fullmatch(folded if folded.isascii() else _with_digits(folded))
    return _iso(found) if found else folded


def from_serial(days: float) -> str:
    """The time of a spreadsheet serial (days since 1899-12-30), to the second."""
    return _text(_SERIAL_ZERO + timedelta(seconds=round(days * 86400)))


def _from_epoch(text: str) -> str:
    number = int(text.split(".", maxsplit=1)[0])
    seconds = number // 1000 if number > 10**11 else number
    return _text(datetime.fromtimestamp(seconds, UTC) + CHINA)


def _with_digits(text: str) -> str:
    """Chinese numerals of the date and Chinese clock words brought to digits: 1990年1月1日 12:00:00."""
    if found := _CHINESE_DATE.match(text):
        year, month, day = found.groups()
        text = (
            f"{year.translate(_DIGITS)}年{_small_number(month)}月"
            + (f"{_small_number(day)}日" if day else "")
            + text[found.end() :]
        )
    return _CHINESE_CLOCK.sub(lambda clock: ":".join((part or "0").zfill(2) for part in clock.groups()), text)


def _small_number(word: str) -> int:
    """一..三十一 as a number."""
    tens, has_ten, ones = word.rpartition("十")
    digit = int(ones.translate(_DIGITS)) if ones else 0
    return digit if not has_ten else 10 * (int(tens.translate(_DIGITS)) if tens else 1) + digit


def _iso(found: re.Match[str]) -> str:
    part = found.groupdict()
    if part["d"] is None:
        return part["y"] if part["m"] is None else f"{part['y']}-{part['m'].zfill(2)}"
    day = f"{part['y']}-{part['m'].zfill(2)}-{part['d'].zfill(2)}"
    hour = int(part["H"] or 0)
    noon = part["noon"] or (part["noon2"] or "").upper()
    if noon in ("下午", "PM", "pm") and hour < 12:
        hour += 12
    elif noon in ("AM", "am") and hour == 12:
        hour = 0
    text = f"{day}T{hour:02d}:{(part['M'] or '0').zfill(2)}:{(part['S'] or '0').zfill(2)}"
    return _to_china(text, part["zone"]) if part["zone"] else text


def _to_china(text: str, zone: str) -> str:
    """The same moment on a clock in China; an impossible time stays for the rule."""
    sign = -1 if zone[0] == "-" else 1
    shift = timedelta() if zone == "Z" else sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    try:
        local = datetime.fromisoformat(text).replace(tzinfo=UTC) - shift + CHINA
    except (ValueError, OverflowError):
        return text
    return _text(local)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def impossible(series: pd.Series) -> pd.Series:
    """Whether an ISO date or time is not in the calendar; `bool`, False for missing and for other text."""
    shaped = series.str.slice(0, 10).where(series.str.match(ISO_DATE).fillna(False))
    bad_day = pd.to_datetime(shaped, format="%Y-%m-%d", errors="coerce").isna() & shaped.notna()
    clock = series.str.slice(11).where(series.str.fullmatch(ISO_TIME).fillna(False))
    bad_time = clock.notna() & ~clock.str.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d").fillna(False)
    return (bad_day | bad_time).astype(bool)


def days(series: pd.Series) -> np.ndarray:
    """ISO dates as `datetime64[D]`, NaT for missing, partial and impossible ones."""
    shaped = series.str.slice(0, 10).where(series.str.match(ISO_DATE).fillna(False))
    found: np.ndarray = pd.to_datetime(shaped, format="%Y-%m-%d", errors="coerce").to_numpy().astype("datetime64[D]")
    return found


def today() -> date:
    """The current date in China."""
    return (datetime.now(UTC) + CHINA).date()
