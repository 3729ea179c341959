"""How well what was found agrees with what was asked: from 0 to 1 for each thing that was asked, and in all.

Candidates are few (`search.RANKED`), so that plain Python compares them: names by the ladder of `schemas.name_levels`,
addresses by their numbers, which must be the same, and their names, which may be misspelt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from registry.search_tokens import ROADS, Place, read_place
from schemas.name_levels import NameLevel, compare_two
from schemas.names import MANY, fold_name
from schemas.text import fold

PARTS = {"id_number": 6.0, "phone": 3.0, "name": 3.0, "address": 2.0}  # how much each part asked weighs in the whole
AGREES = 0.8  # of a part: the same but for spelling
LEVELS = {  # of a person's name
    NameLevel.EXACT: 1.0,
    NameLevel.WILDCARD: 0.95,
    NameLevel.SAME_SOUND: 0.85,
    NameLevel.ONE_OFF: 0.7,
    NameLevel.SHORTENED: 0.65,
    NameLevel.SAME_GIVEN: 0.4,
    NameLevel.SAME_SURNAME: 0.15,
}
FRAGMENT = 0.6  # a part of a person's name was asked
BEGINS = 0.65  # the name asked is the surname alone, or a mask behind it
SAME_NUMBERS, PART_NUMBERS, SAME_ROOM = 1.0, 0.9, 0.5  # of two addresses
NAME_LEAST = 60  # rapidfuzz's ratio of two estates' or roads' names from which they may be one
OTHER_NUMBER = 0.7  # of a name that lacks a number that was asked
NAMELESS = 0.8  # an address asked with numbers alone
LETTERS = 10  # characters of a name that are compared: what stands before are areas
_DIGITS = re.compile(r"\d+")


def whole(parts: Mapping[str, float]) -> float:
    """The weighted mean of the parts that were asked."""
    weight = sum(PARTS[name] for name in parts)
    return round(sum(PARTS[name] * score for name, score in parts.items()) / weight, 4) if weight else 0.0


def person_name(asked: str, names: Iterable[str]) -> float:
    """The best agreement of a folded name with raw ones."""
    return max((_person_name(asked, fold_name(name)) for name in names), default=0.0)


@lru_cache(maxsize=65536)
def _person_name(asked: str, name: str) -> float:
    if not name:
        return 0.0
    level = compare_two(asked, name)
    found = LEVELS.get(NameLevel(level), 0.0)
    if len(asked) == 1 and name.startswith(asked):
        return max(found, BEGINS)
    return max(found, FRAGMENT) if len(asked) > 1 and MANY not in asked and asked in name else found


def text_name(asked: str, names: Iterable[str]) -> float:
    """The best agreement of two titles or names of what is no person; numbers in them must be the same."""
    return max((_text_name(fold(asked), fold(name)) for name in names), default=0.0)


def _text_name(asked: str, name: str) -> float:
    from rapidfuzz.fuzz import WRatio

    other = set(_DIGITS.findall(asked)) - set(_DIGITS.findall(name))
    return float(WRatio(asked, name)) / 100 * (OTHER_NUMBER if other else 1)


def address(asked: Iterable[Place], addresses: Iterable[str]) -> float:
    """The best agreement of what was asked, in any of its readings, with raw addresses."""
    known = [read_place(found) for found in addresses]
    return max((_place(one, other) for one in asked for other in known), default=0.0)


def _place(asked: Place, known: Place) -> float:
    numbers = max(_numbers(asked.numbers, found) for found in (known.numbers, *_behind_road(known)))
    return numbers * _names(asked.names, known.names) if numbers else 0.0


def _behind_road(known: Place) -> list[tuple[str, ...]]:
    """The numbers without that of the road: who asks may leave it out."""
    return [known.numbers[1:]] if len(known.numbers) > 2 and known.names and known.names[0].endswith(ROADS) else []


def _numbers(asked: tuple[str, ...], known: tuple[str, ...]) -> float:
    if asked == known:
        return SAME_NUMBERS
    same_room = asked[-1:] == known[-1:]
    if _within(asked, known) or (same_room and _within(known, asked)):
        return PART_NUMBERS
    return SAME_ROOM if same_room else 0.0


def _within(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    """Whether the numbers of one address stand in the other in the same order, from the same building on: 3-502 in
    3-1-502 and not in 1-3-502; a room alone in any."""
    left = iter(many)
    return (len(few) < 2 or few[:1] == many[:1]) and all(number in left for number in few)


def _names(asked: tuple[str, ...], known: tuple[str, ...]) -> float:
    if not asked or not known:
        return NAMELESS
    return max(alike(one, other) for one in asked for other in known)


@lru_cache(maxsize=65536)
def alike(one: str, other: str) -> float:
    """How alike two names of estates or roads are, either with the areas before it; 0 where they are others."""
    from rapidfuzz.fuzz import partial_ratio

    found = partial_ratio(one[-LETTERS:], other[-LETTERS:])
    return float(found) / 100 if found >= NAME_LEAST else 0.0
