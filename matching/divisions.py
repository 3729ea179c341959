"""The names of cities, counties and towns, and the division codes they stand for.

Cities and counties are those of the national division table (GB/T 2260 with its history, as python-stdnum ships it),
towns those of the statistical division codes. A name alone says little (there are 朝阳 in many provinces): its codes
are compared with what else an address writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from schemas.dictionaries import dictionary, lines

_LINE = re.compile(r'^\s*(\d{2,4}) (?:province|county)="([^"]+)"')
_SUFFIX = re.compile(r"(?:市|区|县|自治县|自治州|地区)$")
_TOWN_SUFFIX = re.compile(r"(?:街道|镇|乡)$")
_NO_NAMES = ("市辖", "市辖区", "县", "郊区", "城区", "矿区", "新城", "开发")
LONGEST = 11  # characters of a city's or county's name
LONGEST_TOWN = 8  # characters of a town's name with its suffix


@cache
def division_names() -> dict[str, tuple[str, ...]]:
    """Name of a city or county, with and without its suffix -> the division codes (4 or 6 digits) it stands for."""
    found: dict[str, set[str]] = {}
    text = resources.files("stdnum.cn").joinpath("loc.dat").read_text(encoding="utf-8")
    province = ""
    for line in text.splitlines():
        if not (told := _LINE.match(line)):
            continue
        number, names = told.groups()
        if len(number) == 2:
            province = number
            continue
        code = province + (number[:2] if number.endswith("00") else number)
        for name in re.sub(r"\[[^\]]*\]", " ", names).replace(",", " ").split():
            full = name.strip("〔〕()（）")
            for word in {full, _SUFFIX.sub("", full), _without_peoples(full)}:
                if len(word) >= 2 and word not in _NO_NAMES:
                    found.setdefault(word, set()).add(code)
    for code, full in dictionary("county_more").items():
        for word in {full, _SUFFIX.sub("", full)}:
            found.setdefault(word, set()).add(code)
    return {word: tuple(sorted(codes)) for word, codes in found.items()}


def _without_peoples(name: str) -> str:
    """德宏州 for 德宏傣族景颇族自治州, as people write."""
    if "自治" not in name:
        return name
    peoples = "|".join(word for word in dictionary("ethnicity") if word.endswith("族"))
    return re.sub(rf"(?:{peoples})*自治(?=[州县旗]$)", "", name)


@cache
def town_names() -> dict[str, frozenset[str]]:
    """Name of a town, with and without its suffix -> the counties (6 digits) that have one of that name."""
    found: dict[str, set[str]] = {}
    for _, (county, names) in lines("town", ("county", "towns")):
        for full in names.split():
            for word in {full, _TOWN_SUFFIX.sub("", full)}:
                if len(word) >= 2:
                    found.setdefault(word, set()).add(county)
    return {word: frozenset(codes) for word, codes in found.items()}


@cache
def _counties() -> frozenset[str]:
    return frozenset(code for codes in town_names().values() for code in codes)


def is_town_of(name: str, codes: tuple[str, ...]) -> bool:
    """Whether one of the cities or counties has a town of that name.

    A county that was split or merged since has no towns of its own in the table: its city's count.
    """
    known = town_names().get(name)
    if known is None:
        return False
    near = tuple([code if code in _counties() else code[:4] for code in codes])
    return any(code.startswith(near) for code in known)


@cache
def name_lengths() -> dict[str, tuple[int, ...]]:
    """The first two characters of cities and counties -> how long such names are, longest first."""
    return _lengths(division_names(), LONGEST)


@cache
def town_lengths() -> dict[str, tuple[int, ...]]:
    """The first two characters of towns -> how long such names are, longest first."""
    return _lengths(town_names(), LONGEST_TOWN)


def _lengths(names: Iterable[str], longest: int) -> dict[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for name in names:
        if len(name) <= longest:
            found.setdefault(name[:2], set()).add(len(name))
    return {head: tuple(sorted(lengths, reverse=True)) for head, lengths in found.items()}
