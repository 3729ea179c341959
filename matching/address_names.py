"""The names in an address: roads, estates, villages, and what stands beside them.

A road with a number is a gate; a road's name that an estate's word follows (和平路小区) is the estate's. A village before
another name is where that lies; words of remark (菜场对面) and of use (车库, 商铺) are no names.
"""

from __future__ import annotations

import re

from matching import address_grammar as grammar
from matching.address_areas import Span


class NameReader:
    """Gives the names of one address their parts; afterwards `parts` holds them and `spans` where they stand."""

    def __init__(self, text: str, start: int, parts: dict[str, str], spans: list[Span]) -> None:
        self.text, self.start, self.parts, self.spans = text, start, parts, spans
        self.road_open = False  # the part before is a road still without a number
        self.road_at = self.estate_at = -1
        self.kept_word = ""  # a cellar, garage or shop just named: the number that follows is its own

    def _put(self, label: str, start: int, end: int, value: str) -> None:
        self.spans.append((label, start, end))
        if label == "estate":
            self.estate_at = start
        elif label == "road":
            self.road_at = start
        self.parts[label] = self.parts.get(label, "") + value if label in ("detail", "remark") else value

    def _after_building(self, start: int, end: int, text: str) -> None:
        if grammar.TRAILING.match(text) and "room" in self.parts:
            return
        if grammar.REMARK.search(text) or grammar.HERE.search(text):
            self._put("remark", start, end, text)
        else:
            self._put("detail", start, end, text)
            self.kept_word = text if grammar.KEEPING.search(text) else ""

    def _names(self, start: int, end: int, *, numbered: bool) -> None:
        start = self._park(start, end)
        if numbered and self.text[end - 1] in grammar.ROAD_LAST and grammar.ROAD_END.search(self.text, start, end):
            self._road_before_number(start, end)
            return
        if grammar.ROAD_MARK.search(self.text, start, end):
            start = self._leading_road(start, end)
        if start < end:
            self._name(start, end)

    def _park(self, start: int, end: int) -> int:
        found = grammar.PARK.match(self.text, start, end) if self.text.find("区", start, end) >= 0 else None
        if not found:
            return start
        self._put("detail", start, found.end(), found.group())
        return found.end()

    def _road_before_number(self, start: int, end: int) -> None:
        start = self._leading_road(start, end)
        if start == end:
            self.road_open = True
            return
        split = grammar.PLACE_IN_ROAD.match(self.text, start, end)
        if split and not grammar.ROAD_END.search(split["place"]) and len(split["road"]) > 1:
            self._name(start, split.end("place"))
            start = split.start("road")
        self._road(start, end)
        self.road_open = True

    def _leading_road(self, start: int, end: int) -> int:
        """Takes roads that other names follow; where the whole is a road, or none, stays."""
        while found := grammar.ROAD.match(self.text, start, end):
            after = self.text[found.end() : end]
            if grammar.ESTATE_AFTER_ROAD.match(after) and not re.match(r"口", after):
                return start
            split = grammar.PLACE_IN_ROAD.match(self.text, start, found.end())
            if split and not grammar.ROAD_END.search(split["place"]):
                self._name(start, split.end("place"))
                start = split.start("road")
            self._road(start, found.end())
            start = found.end()
            crossing = grammar.CROSSING.match(self.text, start, end)
            if crossing:
                self._put("remark", start, crossing.end(), crossing.group())
                start = crossing.end()
            if start == end:
                return end
        return start

    def _road(self, start: int, end: int) -> None:
        if start == self.start and (found := grammar.PLACE_THEN_ROAD.match(self.text, start, end)):
            self._put("detail", start, found.end("place"), found["place"])
            start = found.end("place")
        if "road" in self.parts:
            self._put("detail", start, end, self.text[start:end])
            return
        self._put("road", start, end, self.text[start:end])
        if self.text[end - 1] in "段巷" and (section := grammar.SECTION.search(self.text, start, end)):
            self._cut("section", section.start())

    def _cut(self, label: str, at: int) -> None:
        """The end of the name just put is a part of its own: 环城北路东段, 顺达花苑西区. Its value stays whole."""
        whole, start, end = self.spans.pop()
        self.spans += [(whole, start, at), (label, at, end)]

    def _name(self, start: int, end: int) -> None:
        start = self._village(self._beside(start, end), end)
        if start == end or (grammar.BESIDE_MARK.search(self.text, start, end) and self._then_beside(start, end)):
            return
        text = self.text[start:end]
        if text[-1:] in grammar.REMARK_LAST or grammar.REMARK_REST.search(text):
            told = grammar.REMARK_TAIL.search(self.text, start, end)
            if told and told.start() > start and not grammar.KEEPING.fullmatch(text):
                self._put("remark", told.start(), end, told.group())
                end = told.start()
                text = self.text[start:end]
        if text[-1:] in grammar.KEEPING_LAST and self._kept(start, end):
            return
        self._free_estate(text)
        if "estate" in self.parts or ("road_number" in self.parts and len(text) < 2):
            self._more_name(start, end, text)
        elif ("road" in self.parts or len(text) <= 3) and grammar.REMARK.search(text):
            self._put("remark", start, end, text)
        else:
            self._estate(start, end, text)

    def _beside(self, start: int, end: int) -> int:
        """Takes what says where a thing lies to what was named before: 东北侧, 南50米."""
        if self.text[start] not in grammar.BESIDE_FIRST or not ("road" in self.parts or "estate" in self.parts):
            return start
        told = grammar.BESIDE_THEN.match(self.text, start, end)
        if not told:
            return start
        self._put("remark", start, told.end(), told.group())
        return told.end()

    def _village(self, start: int, end: int) -> int:
        if self.text.find("村", start, end) < 0:
            return start
        while village := grammar.VILLAGE_THEN.match(self.text, start, end):
            self._put("detail" if "community" in self.parts else "community", start, village.end(), village["village"])
            start = village.end()
        return start

    def _then_beside(self, start: int, end: int) -> bool:
        """客运站旁同心斋饭店: the place is the first, the second is beside it."""
        told = grammar.THEN_BESIDE.search(self.text, start + 2, end)
        if not told or told.end() >= end:
            return False
        self._name(start, told.start())
        self._put("remark", told.start(), told.end(), told.group())
        self._more_name(told.end(), end, self.text[told.end() : end])
        return True

    def _kept(self, start: int, end: int) -> bool:
        """A garage, a shop, alone or behind the name it belongs to."""
        told = grammar.KEEPING.search(self.text, start, end)
        if not told or start < told.start() < start + 2:
            return False
        if told.start() > start:
            self._name(start, told.start())
        self._put("detail", told.start(), end, told.group())
        self.kept_word = told.group()
        return True

    def _estate(self, start: int, end: int, text: str) -> None:
        cut = grammar.STRONG_END.match(self.text, start, end) if grammar.CATEGORY.search(text, 2) else None
        if cut and not grammar.WHOLE_ZONE.match(cut["more"]) and not grammar.GOES_ON.match(cut["more"]):
            self._put_with_part(start, cut.end("name"), end)
            return
        self._put("estate", start, end, text)
        if text[-1] in grammar.PART_LAST:
            part = grammar.ZONE.search(self.text, start, end) or grammar.BUILDING_NAME.search(self.text, start, end)
            if part and part.start() - start >= 3:
                self._cut("zone", part.start())

    def _put_with_part(self, start: int, middle: int, end: int) -> None:
        """浙江大学紫金港校区 is one place with its part; in 滨海工业园天宇大厦 the first is where the second lies."""
        more = self.text[middle:end]
        if len(more) < 3 or more.endswith(("区", "院", "部", "苑")):
            self._put("estate", start, end, self.text[start:end])
            self._cut("zone", middle)
        else:
            self._put("estate", start, middle, self.text[start:middle])
            self._more_name(middle, end, more)

    def _free_estate(self, text: str) -> None:
        """A name before the road yields to the name after its number: 滨海工业区泰山路74号天宇大厦."""
        if "estate" not in self.parts or "road" not in self.parts or self.road_at < self.estate_at:
            return
        if grammar.WHOLE_ZONE.match(text) or grammar.REMARK.search(text) or len(text) < 2:
            return
        old = self.parts.pop("estate")
        label = "community" if old.endswith("村") and "community" not in self.parts else "detail"
        written = "place" if label == "detail" else label
        self.spans = [(written if name == "estate" else name, start, end) for name, start, end in self.spans]
        self.parts[label] = old + self.parts.get("detail", "") if label == "detail" else old

    def _more_name(self, start: int, end: int, text: str) -> None:
        if text[-1] in grammar.ZONE_LAST and "zone" not in self.parts and grammar.WHOLE_ZONE.match(text):
            self._put("zone", start, end, text)
        elif grammar.REMARK.search(text):
            self._put("remark", start, end, text)
        else:
            self._put("detail", start, end, text)
            self.kept_word = text if grammar.KEEPING.search(text) else ""
