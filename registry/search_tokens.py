"""What a name or an address is found by: short tokens, tagged by kind, for equality alone.

`n:` a person's folded name, two neighbouring characters of it, or its ends (张*国); `y:` its toneless pinyin; `p:` the
keyed digest of a phone number; `t:` two neighbouring characters of any other text; `a:` two characters of the name of
an estate or road beside the number of the room or house, and building beside room. The same functions read what is
published and what is asked.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from onegrid.sealing import Keyring
from schemas.cleaning import phone
from schemas.name_parts import SIMPLIFIED
from schemas.names import MANY, ONE, name_parts
from schemas.numerals import CHINESE, decimal
from schemas.text import fold, is_null

VERSION = "1"  # of what these functions say; another one and every key is written anew
PURPOSE = "search"  # of the blind index of phone numbers
STEM = 6  # characters of a name before a number that are kept: the estate or road, not the areas before it
LONGEST = 120  # characters of a text that are read
BIGRAMS_MOST = 40  # of one text

ROADS = ("路", "街", "道", "巷", "弄", "胡同")

_BRACKETS = re.compile(r"[(\[【〔<《][^)\]】〕>》]*[)\]】〕>》]?")
_MARKED = "号楼|号院|号|#|栋|幢|座|单元|室|弄|门|层|组|户|房"
_NUMERAL = re.compile(rf"([{CHINESE}]+)(?=号?楼|{_MARKED}|$)")
_NUMBER = re.compile(rf"([A-Z]?[0-9]+[A-Z]?|[A-Z](?=[座栋幢]))(?:{_MARKED}|楼)?")
_BY_ROAD = re.compile(rf"[{''.join(name[-1] for name in ROADS)}] ?[0-9０-９{CHINESE}]")  # most addresses are not
_LETTERS = re.compile(r"[^\W\d_]+")
_WORDS = re.compile(r"[^\W_]+")


class Place(NamedTuple):
    """An address read lightly: the runs of letters before and between its numbers, and the numbers in plain digits."""

    names: tuple[str, ...]
    numbers: tuple[str, ...]


def person_tokens(raw: str) -> tuple[str, ...]:
    """The tokens of a person's name, the whole name first; none where it names nobody."""
    parts = name_parts(raw)
    folded = parts.folded
    if folded is None:
        return ()
    found = [f"n:{folded}"]
    if parts.kind == "display":
        return (*found, "y:" + "".join(_LETTERS.findall(folded.lower())))
    if parts.pinyin and not parts.wild:
        found.append("y:" + parts.pinyin.replace(" ", ""))
    if len(folded) > 2 and "·" not in folded and not {folded[0], folded[-1]} & {ONE, MANY}:
        found.append(f"n:{folded[0]}{MANY}{folded[-1]}")
    segments = folded.split("·")
    if len(segments) > 1:
        found.append(f"n:{segments[0]}")
    found += [f"n:{pair}" for segment in segments for pair in _pairs(segment) if ONE not in pair and MANY not in pair]
    return tuple(dict.fromkeys(found))


def text_tokens(raw: str) -> tuple[str, ...]:
    """Two neighbouring characters each of a title or a name of something that is no person."""
    folded = _plain(raw)
    pairs = [pair for word in _WORDS.findall(folded) for pair in (_pairs(word) or [word])]
    return tuple(f"t:{pair}" for pair in list(dict.fromkeys(pairs))[:BIGRAMS_MOST])


def place_tokens(raw: str) -> tuple[str, ...]:
    """The tokens of an address: each pair of its names' letters beside its last number, and building beside room.

    Without a number the pairs alone.
    """
    return tokens_of(read_place(raw))


def tokens_of(place: Place, stem: int = STEM) -> tuple[str, ...]:
    """`place_tokens` of an address that was read; `stem` letters at the end of each name count."""
    numbers, pairs = place.numbers, _name_pairs(place.names, stem)
    if not numbers:
        return tuple(f"t:{pair}" for pair in pairs)
    found = [f"a:{pair}{numbers[-1]}" for pair in pairs]
    return tuple([*found, f"a:{numbers[0]}-{numbers[-1]}"] if len(numbers) > 1 else found)


def road_tokens(raw: str) -> tuple[str, ...]:
    """`place_tokens` of an address by road and number down to the room; none of others.

    Homes are reached through their dwelling, which is called by its estate; only this spelling leads past it.
    """
    if not _BY_ROAD.search(raw):
        return ()
    place = read_place(raw)
    by_road = len(place.numbers) > 1 and place.names and place.names[0].endswith(ROADS)
    return tokens_of(place) if by_road else ()


def gate_tokens(place: Place) -> tuple[str, ...]:
    """The tokens of road and number alone (长虹路36号) of an address that goes on behind them; else none."""
    if len(place.numbers) < 2:
        return ()
    return tuple(f"a:{pair}{place.numbers[0]}" for pair in _name_pairs(place.names[:1], STEM))


def phone_token(raw: str, keyring: Keyring) -> str | None:
    """The token of a phone number in any spelling; None where it is none."""
    folded = fold(raw)
    number = None if is_null(folded) else phone(folded)
    return f"p:{keyring.blind(number, PURPOSE).hex()}" if number and number.strip("*") else None


@lru_cache(maxsize=16384)
def read_place(raw: str) -> Place:
    """Names and numbers of an address in order of writing; remarks in brackets are left out.

    >>> read_place("幸福小区（加油站后面）3栋二单元５０２")
    Place(names=('幸福小区',), numbers=('3', '2', '502'))
    """
    folded = _NUMERAL.sub(lambda found: decimal(found[1]), _BRACKETS.sub("", _plain(raw)))
    parts = _NUMBER.split(folded)
    names = [part for rest in parts[::2] if rest for part in ([rest] if rest.isalpha() else _LETTERS.findall(rest))]
    return Place(
        tuple(name for name in names if len(name) > 1), tuple(number.lstrip("0") or "0" for number in parts[1::2])
    )


def _plain(raw: str) -> str:
    return fold(raw[:LONGEST]).upper().translate(SIMPLIFIED)


def _pairs(word: str) -> list[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _name_pairs(names: tuple[str, ...], stem: int) -> list[str]:
    return list(dict.fromkeys(pair for name in names for pair in _pairs(name[-stem:])))[:BIGRAMS_MOST]
