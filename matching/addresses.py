"""Chinese addresses parsed to the room: areas, road and number, estate, phase, building, unit, floor, room.

Names are kept as written (compared within their parent elsewhere), numbers become plain digits, and every character
of the input is in a part or in `remainder`. Ambiguous forms (3-501) carry their second reading in `alt_*`; which of
them is right is decided by what other addresses show of the building, not here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pandas as pd

from matching import address_grammar as grammar
from matching.numerals import decimal

AREA_PARTS = ("province", "city", "district", "town", "community", "grid")
PARTS = (
    *AREA_PARTS, "road", "road_number", "estate", "phase", "building", "unit", "floor", "room", "remark",
    "alt_building", "alt_unit", "remainder", "level",
)  # fmt: skip
LONGEST = 120  # characters read of one address; the rest is remainder
_SEPARATORS = re.compile(r"[\s\x00-\x1f]+")
_DASHES = str.maketrans({"—": "-", "–": "-", "－": "-", "﹣": "-", "~": "-", "～": "-", "＃": "#", "〇": "〇", "○": "〇"})
Parts = dict[str, str]


def parse_addresses(addresses: pd.Series, divisions: pd.Series | None = None) -> pd.DataFrame:
    """The parts of each address, aligned with the input; repeated texts are read once.

    addresses: `str` with missing values. divisions: the division code of each row's feed; kept for rules that differ by
    place, never used to guess a city. Columns: PARTS, `str`, missing where a part is absent; level is
    room | unit | building | estate | road | community | none.
    """
    codes, texts = pd.factorize(addresses, use_na_sentinel=True)
    parsed = pd.DataFrame([parse_address(str(text)) for text in texts], columns=list(PARTS)).astype("str")
    found = parsed.reindex(codes) if len(parsed) else pd.DataFrame(index=range(len(addresses)), columns=list(PARTS))
    found.index = addresses.index
    found["level"] = found["level"].fillna("none")
    return found.astype("str")


@lru_cache(maxsize=65536)
def _cached(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(_parse(text).items())


def parse_address(text: str) -> Parts:
    """The parts of one address; absent parts are absent keys, `level` is always there."""
    return dict(_cached(text))


def _parse(text: str) -> Parts:
    parts: Parts = {}
    body, rest = _plain(text)
    body = _take_brackets(body, parts)
    body = _take_areas(body, parts)
    body = _take_head(body, parts)
    _take_tail(body, parts)
    if rest:
        parts["remainder"] = parts.get("remainder", "") + rest
    parts["level"] = _level(parts)
    return {name: value for name, value in parts.items() if value}


def _plain(text: str) -> tuple[str, str]:
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES)
    folded = _SEPARATORS.sub("", folded)
    return folded[:LONGEST], folded[LONGEST:]


def _take_brackets(body: str, parts: Parts) -> str:
    """Remarks in brackets go aside; a phase, zone or building in brackets belongs to the address."""

    def replace(found: re.Match[str]) -> str:
        inside = found.group(1)
        if grammar.INLINE.fullmatch(inside):
            return inside
        parts["remark"] = parts.get("remark", "") + inside
        return ""

    return grammar.BRACKETS.sub(replace, body)


def _take_areas(body: str, parts: Parts) -> str:
    """Province to grid, in order; a prefix written twice is taken twice and kept once."""
    for _ in range(2):
        for name, pattern in grammar.AREAS:
            if (found := pattern.match(body)) and found.end() < len(body):
                parts.setdefault(name, found.group())
                body = body[found.end() :].lstrip("-,，;；")
    return body


def _take_head(body: str, parts: Parts) -> str:
    """Road and number before the estate: an estate may bear a road's name, a road with a number is a road."""
    found = grammar.ROAD_NUMBER.match(body)
    if found:
        parts["road"] = found["road"]
        number = "-".join(decimal(part) for part in re.split("[-之]", found["number"]))
        parts["road_number"] = number + (found["sub"] or "").rstrip("号") + ("弄" if "弄" in found["mark"] else "")
        return body[found.end() :].lstrip("-,，")
    found = grammar.ROAD_ALONE.match(body)
    if found and not _is_estate_name(body[found.end() :]):
        parts["road"] = found["road"]
        return body[found.end() :]
    return body


def _is_estate_name(after: str) -> bool:
    """Whether what follows a road's name shows that the name is an estate's (和平路小区)."""
    return bool(re.match(r"(?:小区|社区|新村|花园|家属|宿舍|公寓|大厦|广场|[一二三四五六七八九十]+[里村区])", after))


def _take_tail(body: str, parts: Parts) -> None:
    if not body:
        return
    if "road_number" in parts and (found := grammar.LANE_HOUSE.match(body)):
        _keep(found, "building", parts)
        return
    for pattern in (grammar.VILLAGE, grammar.VILLAGE_GROUP):
        if "road_number" not in parts and (found := pattern.match(body)):
            _keep_village(found, parts)
            return
    for form, pattern in grammar.TAILS:
        if found := pattern.match(body):
            _keep(found, form, parts)
            return
    parts["estate"] = body


def _keep_village(found: re.Match[str], parts: Parts) -> None:
    parts["estate"] = found["estate"]
    if found["group"]:
        parts["building"] = decimal(found["group"]) + "组"
    parts["room"] = "-".join(decimal(part) for part in found["room"].split("-"))
    parts["remainder"] = found["trailing"] or ""


def _keep(found: re.Match[str], form: str, parts: Parts) -> None:
    named = found.groupdict()
    if estate := named.get("estate"):
        parts["estate"] = estate.rstrip("-,，、#")
    for name in ("phase", "building", "unit", "floor", "room"):
        if value := named.get(name):
            parts[name] = "-".join(decimal(part) for part in value.split("-")) if name != "room" else _room(value)
    parts["remainder"] = named.get("trailing") or ""
    if form == "two":
        parts["alt_unit"] = parts["building"]
    if form == "worded":
        _floor_or_building(found, parts)
    if form == "number" and "estate" not in parts and "road" not in parts:
        parts["remainder"] = found.group()


def _room(value: str) -> str:
    return "-".join(decimal(part) for part in value.rstrip("户").split("-"))


def _floor_or_building(found: re.Match[str], parts: Parts) -> None:
    """5楼501: a floor when the room begins with it and nothing else names a building."""
    text, room, block = found.group(), parts.get("room", ""), parts.get("building", "")
    if f"{found['building']}楼" in text and len(room) >= 3 and room[:-2] == block:
        parts["floor"] = parts.pop("building")


def _level(parts: Parts) -> str:
    anchored = "estate" in parts or "road_number" in parts
    if "room" in parts and (anchored or "building" in parts):
        return "room"
    if "unit" in parts and anchored:
        return "unit"
    if "building" in parts:
        return "building"
    if "estate" in parts:
        return "estate"
    if "road" in parts:
        return "road"
    return "community" if "community" in parts else "none"
