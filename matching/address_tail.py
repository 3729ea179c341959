"""What follows the administrative head: road and number, lane, estate, phase, building, unit, floor, room.

The text is cut into numbered parts (by their marks) and the names between them; a small state machine then gives each
part its place in the order building, unit, floor, room. A number without a mark takes the next free place, counted
from how many numbers still follow it: 3-2-501 is building, unit, room, and 3-501 keeps two readings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from matching import address_grammar as grammar
from matching.address_areas import Span
from matching.address_names import NameReader
from matching.address_tokens import tokens
from schemas.numerals import CHINESE, ROMAN, decimal

NUMBERED = ("plate", "hao", "lane", "yard", "number")
IN_RUN = ("number", "sharp", "room", "hao", "unit", "floor")
NOWHERE, IN_BUILDING, IN_UNIT, ON_FLOOR, IN_ROOM = range(5)
_LEAD = re.compile(
    rf"(?P<below>负|地下|-|B(?=[0-9]))?(?P<prefix>[甲乙附]?)(?P<number>[A-Za-z]{{0,2}}[0-9]+[A-Za-z]?(?:-[0-9]+)*|[A-Za-z]|[{CHINESE}]+|[{ROMAN}]+|[IV]+|[甲乙丙丁戊己庚辛东西南北中]{{1,2}})"
)
_PADDED = re.compile(r"^([A-Z]+)0+(?=[0-9])")
WHOLE_HOUSE = "0"  # the room of a house that is one dwelling
Item = tuple[str, int, int, str]


@lru_cache(maxsize=65536)
def number_of(text: str, *, below: bool = False) -> str:
    """The number a part begins with, in plain digits: 三栋 -> 3, 03单元 -> 3, A座 -> A, 负一楼 -> -1 where `below`."""
    found = _LEAD.match(text.lstrip("第" if below else "第-"))
    if not found:
        return text
    plain = "-".join(_PADDED.sub(r"\1", decimal(part)) for part in found["number"].split("-"))
    sign = "-" if below and found["below"] else ""
    return sign + (found["prefix"] if found["prefix"] != "附" else "") + plain


class TailReader(NameReader):
    """Reads one address from where its areas end; afterwards `parts` holds plain values and `spans` where they stand."""

    def __init__(self, text: str, start: int, parts: dict[str, str], spans: list[Span]) -> None:
        super().__init__(text, start, parts, spans)
        self.items = _items(text, start)
        self.stage = NOWHERE

    def read(self) -> None:
        at = 0
        while at < len(self.items):
            at = HANDLERS[self.items[at][0]](self, at)
            if at < len(self.items) and self.items[at - 1][0] != "text":
                self.road_open = False

    def _text(self, at: int) -> int:
        _, start, end, text = self.items[at]
        if self.stage > NOWHERE and ("estate" in self.parts or "road" in self.parts or len(text) < 2):
            self._after_building(start, end, text)
            return at + 1
        if self.stage > NOWHERE and (grammar.KEEPING.search(text) or grammar.REMARK.search(text)):
            self._after_building(start, end, text)
            return at + 1
        numbered = at + 1 < len(self.items) and self.items[at + 1][0] in NUMBERED
        self._names(start, end, numbered=numbered and self.stage == NOWHERE)
        return at + 1

    def _set(self, label: str, at: int, stage: int) -> int:
        _, start, end, text = self.items[at]
        value = number_of(text, below=label == "floor")
        if label in self.parts:
            self._put("detail", start, end, text)
        else:
            self._put(label, start, end, self.kept_word + value if label == "room" else value)
        self.stage = max(self.stage, stage)
        return at + 1

    def _next(self, at: int) -> str:
        return self.items[at + 1][0] if at + 1 < len(self.items) else ""

    def _joined(self, at: int) -> bool:
        """Whether a dash alone stands between this item and the next."""
        return at + 1 < len(self.items) and self.text[self.items[at][2] : self.items[at + 1][1]] in ("-", "一")

    def _phase(self, at: int) -> int:
        return self._set("phase", at, self.stage)

    def _group(self, at: int) -> int:
        _, start, end, text = self.items[at]
        self._put("building", start, end, number_of(text) + "组")
        self.stage = max(self.stage, IN_BUILDING)
        return at + 1

    def _lane(self, at: int) -> int:
        return self._set("lane", at, NOWHERE)

    def _yard(self, at: int) -> int:
        return self._set("road_number", at, NOWHERE)

    def _building(self, at: int) -> int:
        if self.stage == IN_BUILDING and "alt_room" in self.parts and "road_number" not in self.parts:
            # 文化新村18号3栋: the first number is the gate's
            self.parts["road_number"] = self.parts.pop("building")
            self.spans = [("road_number" if s[0] == "building" else s[0], s[1], s[2]) for s in self.spans]
        self.parts.pop("alt_room", None)
        return self._set("building", at, IN_BUILDING)

    def _unit(self, at: int) -> int:
        return self._set("unit", at, IN_UNIT) if self.stage <= IN_UNIT else self._set("detail", at, self.stage)

    def _cellar(self, at: int) -> int:
        _, start, end, text = self.items[at]
        self._put("detail", start, end, text)
        self.kept_word = text
        return at + 1

    def _floor(self, at: int) -> int:
        text = self.items[at][3]
        if not text.endswith(("楼", "楼层")) or self.stage > NOWHERE or text[0] in "负地-":
            return self._set("floor", at, ON_FLOOR)
        value, follow = number_of(text), self._next(at)
        if follow in ("unit", "sharp") or (follow == "number" and self._run(at + 1) >= 1):
            return self._set("building", at, IN_BUILDING)
        if (
            follow in ("number", "room", "hao")
            and text[0].isdigit()
            and grammar.HOME_END.search(self.parts.get("estate", ""))
        ):
            room = number_of(self.items[at + 1][3])
            if len(room) < 3 or room[:-2] != value:
                return self._set("building", at, IN_BUILDING)
        self.parts["alt_building"] = value
        return self._set("floor", at, ON_FLOOR)

    def _room(self, at: int) -> int:
        return self._set("room", at, IN_ROOM)

    def _sharp(self, at: int) -> int:
        if self.stage == NOWHERE:
            return self._set("building", at, IN_BUILDING)
        if self.stage == IN_BUILDING and self._next(at) in ("number", "room", "sharp"):
            return self._set("unit", at, IN_UNIT)
        return self._set("room", at, IN_ROOM)

    def _plate(self, at: int) -> int:
        if not self.road_open or "road_number" in self.parts:
            return self._number(at)
        short = self._joined(at) and self._run(at) == 1 and len(number_of(self.items[at + 1][3])) <= 2
        if (self._joined(at) and self._next(at) == "hao") or (short and self._next(at) == "number"):
            return self._double_number(at)
        return self._set("road_number", at, NOWHERE)

    def _double_number(self, at: int) -> int:
        first, second = self.items[at], self.items[at + 1]
        low, high = number_of(first[3]), number_of(second[3])
        self._put("road_number", first[1], second[2], f"{low}-{high}")
        if len(low) != len(high) or low >= high:  # 84-66号 is number 66 within 84; 166-178号 a row of gates
            self.spans[-1:] = [("road_number", *first[1:3]), ("annex", *second[1:3])]
        return at + 2

    def _hao(self, at: int) -> int:
        _, start, end, text = self.items[at]
        if text[0] in "附之" and "road_number" in self.parts:
            self.spans.append(("road_number", start, end))
            self.parts["road_number"] += "-" + number_of(text.lstrip("之"))
            return at + 1
        if self.road_open and "road_number" not in self.parts:
            return self._set("road_number", at, NOWHERE)
        if self.stage == NOWHERE:
            return self._house(at)
        if self.stage == IN_BUILDING and self.parts["building"].endswith("组"):
            return self._whole_house(at, self.parts["building"])
        if self.stage == IN_BUILDING and self._next(at) in ("number", "room", "floor"):
            return self._set("unit", at, IN_UNIT)
        return self._set("room", at, IN_ROOM)

    def _house(self, at: int) -> int:
        """18号 after a name: a building where parts of it follow, a house in a village, else either."""
        estate = self.parts.get("estate", "")
        village = bool(grammar.VILLAGE.search(estate)) and not grammar.NUMBERED_VILLAGE.search(estate)
        follow = self._next(at)
        gate = bool({"road_number", "lane"} & set(self.parts))
        if self.kept_word or (follow in ("", "text") and not gate and estate and grammar.TRADE_END.search(estate)):
            return self._set("room", at, IN_ROOM)
        if not gate and (village or (follow in ("", "text") and not grammar.HOME_END.search(estate))):
            return self._whole_house(at, "")
        if "lane" not in self.parts and follow not in ("unit", "room", "number", "floor"):
            self.parts["alt_room"] = number_of(self.items[at][3])
        return self._set("building", at, IN_BUILDING)

    def _whole_house(self, at: int, group: str) -> int:
        """3组12号, 后湖村12号: a house, one dwelling unless a room follows."""
        _, start, end, text = self.items[at]
        self.spans.append(("house", start, end))
        self.parts["building"] = group + number_of(text)
        self.stage = IN_BUILDING
        if self._next(at) not in ("number", "room", "sharp", "unit", "floor"):
            self.parts["room"] = WHOLE_HOUSE
            self.stage = IN_ROOM
        return at + 1

    def _run(self, at: int) -> int:
        """How many numbered parts directly follow this one."""
        count = 0
        while at + 1 < len(self.items) and self.items[at + 1][0] in IN_RUN:
            gap = self.text[self.items[at][2] : self.items[at + 1][1]]
            if len(gap) > 2:
                break
            count, at = count + 1, at + 1
        return count

    def _number(self, at: int) -> int:
        value, rest = number_of(self.items[at][3]), self._run(at)
        if self.road_open and "road_number" not in self.parts:
            return self._set("road_number", at, NOWHERE)
        if self.stage == NOWHERE and not self.kept_word:
            several = self._joined(at) and self._next(at) == "building"
            return self._several_buildings(at, value) if several else self._first_number(at, value, rest)
        short = len(value) <= 2 and not self.kept_word
        if rest and self._joined(at) and self._next(at) == "number" and self.stage == IN_BUILDING:
            short = short or len(value) < len(number_of(self.items[at + 1][3]))  # 18-119-2692
        if short and rest and self.stage in (IN_BUILDING, IN_UNIT):
            building = self.stage == IN_BUILDING
            return self._set("unit" if building else "floor", at, IN_UNIT if building else ON_FLOOR)
        if short and self.stage == IN_BUILDING:
            self.parts["alt_unit"] = value
        if self.stage < IN_ROOM and rest and self._joined(at) and self._next(at) == "number":
            return self._split_room(at, value)
        return self._set("room", at, IN_ROOM)

    def _split_room(self, at: int, value: str) -> int:
        """501-2: a part of a divided flat."""
        first, second = self.items[at], self.items[at + 1]
        self._put("room", first[1], second[2], f"{value}-{number_of(second[3])}")
        self.stage = IN_ROOM
        return at + 2

    def _several_buildings(self, at: int, value: str) -> int:
        """1-10幢: one building that bears several numbers."""
        first, second = self.items[at], self.items[at + 1]
        self._put("building", first[1], second[2], f"{value}-{number_of(second[3])}")
        self.stage = IN_BUILDING
        return at + 2

    def _first_number(self, at: int, value: str, rest: int) -> int:
        if rest == 0:
            whole = "road_number" in self.parts and "estate" not in self.parts
            as_room = len(value.lstrip("ABCDEFGH")) >= 3 or whole
            return self._set("room", at, IN_ROOM) if as_room else self._set("building", at, IN_BUILDING)
        if rest == 1 and self._next(at) in ("number", "room", "hao"):
            long = sum(c.isdigit() for c in value) >= 3
            if long and len(number_of(self.items[at + 1][3])) <= 2 and self._joined(at) and self._next(at) == "number":
                return self._split_room(at, value)
            if not long:
                self.parts["alt_unit"] = value
        return self._set("building", at, IN_BUILDING)


HANDLERS: dict[str, Callable[[TailReader, int], int]] = {
    kind: getattr(TailReader, f"_{kind}")
    for kind in (
        "text", "phase", "group", "lane", "yard", "building", "unit", "floor", "room", "hao", "plate", "sharp",
        "number", "cellar",
    )
}  # fmt: skip


def _items(text: str, start: int) -> list[Item]:
    """Numbered parts and the names between them, in order; separators at the edges of names are left out."""
    items: list[Item] = []
    at = start
    for found in tokens(text, start):
        kind, begin, end = str(found.lastgroup), found.start(), found.end()
        _add_name(items, text, at, begin)
        if _is_name(items, text, kind, begin, end):
            at = items.pop()[1]
            continue
        items.append((kind, begin, end, found.group()))
        at = end
    _add_name(items, text, at, len(text))
    return items


def _add_name(items: list[Item], text: str, at: int, end: int) -> None:
    if found := grammar.NAME_BREAK.search(text, at, end):
        _add_name(items, text, at, found.start())
        at = found.end()
        _add_name(items, text, at, end)
        return
    while at < end and text[at] in grammar.SEPARATORS:
        at += 1
    while at < end and text[end - 1] in grammar.SEPARATORS:
        end -= 1
    if at < end:
        items.append(("text", at, end, text[at:end]))


def _is_name(items: list[Item], text: str, kind: str, begin: int, end: int) -> bool:
    """千岛湖一号, 锦绣一号: a number that belongs to the name before it."""
    if kind != "hao" or not items or items[-1][0] != "text" or items[-1][2] != begin:
        return False
    before = items[-1][3]
    if not grammar.NAMED_NUMBER.match(text, begin, end) or grammar.ROAD_END.search(before) or len(before) < 2:
        return False
    return not grammar.VILLAGE.search(before) and (
        text[begin:end] == "一号" or bool(re.match(rf"[{grammar.HAN}]", text[end : end + 1]))
    )
