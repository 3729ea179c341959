"""Chinese addresses parsed to the room: areas, road and number, lane, estate, phase, building, unit, floor, room.

Names are kept as written (compared within their parent elsewhere), numbers become plain digits, and every character
of the input is in a part or in `remainder`. Ambiguous forms (3-501) carry their second reading in `alt_*`; which of
them is right is decided by what other addresses show of the building, not here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import compress, pairwise

import numpy as np
import pandas as pd

from matching import address_grammar as grammar
from matching.address_areas import Span, read_areas
from matching.address_tail import TailReader
from onegrid.workers import cores, in_parts
from schemas.numerals import CHINESE, decimal

PARTS = (
    "province", "city", "district", "town", "community", "grid", "road", "road_number", "lane", "estate", "zone",
    "phase", "building", "unit", "floor", "room", "detail", "remark", "alt_building", "alt_unit", "alt_room",
    "remainder", "level",
)  # fmt: skip
LONGEST = 120  # characters read of one address; the rest is remainder
LEVELS = ("room", "unit", "building", "estate", "road", "community", "none")
Parts = dict[str, str]
_MARKS = {
    "—": "-", "–": "-", "−": "-", "﹣": "-", "~": "-", "～": "-", "○": "〇", "棟": "栋", "號": "号", "單": "单",
    "樓": "楼", "層": "层", "間": "间", "區": "区", "縣": "县", "鎮": "镇", "鄉": "乡", "門": "门", "廣": "广",
    "【": "(", "】": ")", "〔": "(", "〕": ")", "〈": "(", "〉": ")", "《": "(", "》": ")", "[": "(", "]": ")",
    "{": "(", "}": ")", "。": ".",
}  # fmt: skip


class _Folded(dict[int, str]):
    """What each character is read as: always one character, learned on first sight."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = unicodedata.normalize("NFKC", character)
        keep = len(folded) != 1 or "Ⅰ" <= character <= "Ⅻ" or character in _MARKS
        self[code] = _MARKS.get(character, character) if keep else _MARKS.get(folded, folded)
        return self[code]


_FOLDED = _Folded()
_BLANK = re.compile(r"[\s\x00-\x1f\u200b-\u200f\ufeff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_DASH_ONE = re.compile(r"(?<=[0-9A-Za-z])一(?=[0-9])")
_LETTER_O = re.compile(r"(?<=[0-9])[oO](?=[0-9]|$)")
_ZONE_NUMBER = re.compile(rf"第?([0-9{CHINESE}]+)")


PARALLEL_FROM = 40_000  # distinct addresses: below, starting a process costs more than it saves


def parse_addresses(addresses: pd.Series, divisions: pd.Series | None = None) -> pd.DataFrame:
    """The parts of each address, aligned with the input; repeated texts are read once.

    addresses: `str` with missing values; in an `object` column a lone surrogate, which is no text, is read as U+FFFD.
    divisions: the division code of each row's feed; its own city and county may be written short, no other area is
    guessed from it. Columns: PARTS, `str`, missing where a part is absent; `level` is one of LEVELS, the finest part
    that could be read.
    """
    context = pd.Series("", index=addresses.index) if divisions is None else divisions.astype("str").fillna("").str[:6]
    known = addresses.notna()
    if addresses.dtype == object:
        addresses = addresses.map(lambda text: _SURROGATE.sub("\ufffd", text), na_action="ignore").astype("str")
    keys = (addresses[known] + "\x1f" + context[known]).to_numpy(dtype=object)
    codes, texts = pd.factorize(keys)
    blank = pd.DataFrame([(None,) * (len(PARTS) - 1) + ("none",)], columns=list(PARTS), dtype="str")
    parts = np.array_split(texts, cores() if len(texts) >= PARALLEL_FROM else 1)
    lines = in_parts(_frame, [part.tolist() for part in parts])
    frame = pd.concat([*lines, blank], ignore_index=True)
    at = pd.Series(len(frame) - 1, index=addresses.index, dtype="int64")
    at[known] = codes
    found = frame.take(at.to_numpy())
    found.index = addresses.index
    return found


def _frame(keys: list[str]) -> pd.DataFrame:
    columns: dict[str, list[str | None]] = {name: [None] * len(keys) for name in PARTS}
    for at, key in enumerate(keys):
        for name, value in _parts(*key.rsplit("\x1f", 1)).items():
            if value and name in columns:
                columns[name][at] = value
    return pd.DataFrame(columns, dtype="str")


def parse_address(text: str, division: str = "") -> Parts:
    """The parts of one address; absent parts are absent keys, `level` is always there."""
    parts = _parts(text, division)
    return {name: parts[name] for name in PARTS if parts.get(name)}


def address_spans(text: str, division: str = "") -> list[tuple[str, str]]:
    """The address cut into (part, text) in order of writing: joined again they are the input, character for character.

    What no part covers is `remainder`, separators and blanks included.
    """
    _, spans, places = _read(text, division)
    owner = ["remainder"] * len(text)
    for label, start, end in spans:
        for at in places[start:end]:
            owner[at] = label
    starts = {places[start] for _, start, end in spans if start < end}
    cuts = [at for at in range(len(text)) if at == 0 or at in starts or owner[at] != owner[at - 1]]
    return [(owner[at], text[at:end]) for at, end in pairwise([*cuts, len(text)])]


def _parts(text: str, division: str) -> Parts:
    parts, spans, places = _read(text, division)
    open_ = bytearray(b"\x01") * len(text)
    for _, start, end in spans:
        if isinstance(places, range):
            open_[start:end] = bytes(end - start)
        else:
            for at in places[start:end]:
                open_[at] = 0
    if 1 in open_:
        rest = _BLANK.sub("", "".join(compress(text, open_)))
        parts["remainder"] = rest if rest.strip(grammar.SEPARATORS) else ""
    parts["level"] = _level(parts)
    return parts


def _read(text: str, division: str) -> tuple[Parts, list[Span], Sequence[int]]:
    """Parts, spans over the folded text, and where each folded character stands in the input (a range: where it was)."""
    body, places = _fold(text)
    parts: Parts = {}
    body, places, remarks = _take_brackets(body, places)
    if remarks:
        parts["remark"] = "".join(text[at] for at in remarks)
    areas, at = read_areas(body, division)
    for label, start, end in areas:
        parts.setdefault(label, body[start:end])
    reader = TailReader(body, at, parts, areas)
    reader.read()
    _set_zone(parts)
    if not remarks:
        return parts, reader.spans, places
    return parts, [*reader.spans, ("remark", len(places), len(places) + len(remarks))], [*places, *remarks]


def _fold(text: str) -> tuple[str, Sequence[int]]:
    """Half width, one kind of dash and bracket, no blanks; character for character, with the place of each."""
    body = text[:LONGEST].translate(_FOLDED)
    places: Sequence[int] = range(len(body))
    if not body.isprintable() or " " in body:
        places = [at for at, c in enumerate(body) if not _BLANK.match(c)]
        body = "".join(body[at] for at in places)
    if "一" in body:
        body = _DASH_ONE.sub("-", body)
    if "o" in body or "O" in body:
        body = _LETTER_O.sub("0", body)
    return body, places


def _take_brackets(body: str, places: Sequence[int]) -> tuple[str, Sequence[int], list[int]]:
    """Remarks in brackets go aside; a phase, zone or building in brackets belongs to the address."""
    if "(" not in body:
        return body, places, []
    kept: list[int] = []
    remarks: list[int] = []
    last = 0
    for found in grammar.BRACKETS.finditer(body):
        if grammar.INLINE.fullmatch(found.group()[1:-1]):
            continue
        kept.extend(range(last, found.start()))
        remarks.extend(places[found.start() : found.end()])
        last = found.end()
    kept.extend(range(last, len(body)))
    body, places = "".join(body[at] for at in kept), [places[at] for at in kept]
    return body, places, remarks


def _set_zone(parts: Parts) -> None:
    """The zone (一区, 东区) an estate's name ends in, or that follows it, with its number in digits."""
    zone = parts.get("zone")
    estate = parts.get("estate", "")
    if zone is None and estate.endswith("区") and (found := grammar.ZONE.search(estate)) and found.start() > 0:
        zone = found.group()
    if zone:
        parts["zone"] = _ZONE_NUMBER.sub(lambda told: decimal(told.group(1)), zone)


def _level(parts: Parts) -> str:
    anchored = "estate" in parts or "road_number" in parts or "lane" in parts or "road" in parts or "community" in parts
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
