"""What the name of a residential estate says: its words, its phase, zone and numbers, and the generic word at its end.

Numbers are exact and words are not: 一期 is never 二期, 东区 never 西区, 三村 never 四村, 188号 never 152号, while 小区 or
家属院 may be missing on one side. Comparable forms are for matching only.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.name_parts import SIMPLIFIED, same_sound
from schemas.numerals import CHINESE, decimal
from schemas.text import fold

NAME_COLUMNS = ("written", "strict", "core", "marks", "stem", "beside")
LONGEST = 60  # characters of a cell that are read as a name
WRITTEN, SAME, ALIKE_BUT_SUFFIX, SIMILAR, ONE_OFF, OTHER_PART, OTHER = range(7)  # levels of compare_estates
SHORTEST_INSIDE = 3  # characters, without numbers, of a name that a longer one may hold
PART_RATIO = 70  # rapidfuzz ratio from which two names with different numbers are parts of one thing, not strangers

_DESIGNATED = "期|组团|街区|街坊|地块|区|村|院|栋|幢|座|坊|里|组|号|苑|园|层|片"
_NUMERAL = re.compile(rf"第?([{CHINESE}]+|[0-9]+|[IVX]+)(?={_DESIGNATED})")
_LATE_ROMAN = re.compile(r"(?<=[^\x00-\x7f])(I{1,3}|IV|V)$")
_BRACKET = re.compile(r"[(\[【〔<《]([^)\]】〕>》]*)[)\]】〕>》]?")
_BESIDE = re.compile(r"\(([\u3400-\u9fff]{1,6}(?:大道|大街|[路街巷]))\)$")
_USE = re.compile(r"\((?:商住楼?|商品房|住宅楼?|住宅小区|小区|安置房|回迁房)\)$")
_BETWEEN = re.compile(rf"(?<=[0-9{CHINESE}])[^\w]+(?=[0-9{CHINESE}])")
_ROUND = str.maketrans("[【〔", "(((") | str.maketrans("]】〕", ")))")
_JOINTS = re.compile(r"[^\w]|_")
_PART = re.compile(
    r"(?:[0-9]+(?:[,至到-][0-9]+)*期|(?:[东西南北中]{1,2}|[0-9A-Z]+)(?:区|组团|街区|地块|院|苑|园)|[0-9A-Z]+号?[栋幢座]|别墅)$"
)
_GENERIC = re.compile(r"(?:住宅小区|小区|社区|住宅区|生活区|住宅楼|职工|家属[院区楼]|宿舍楼?|楼)$")
_ROAD = re.compile(r"^[\u3400-\u9fff]{2,5}?(?:大道|大街|[路街巷])(?=[\u3400-\u9fff]{3})(?![东西南北中]?[路街巷])")
_ROADS = re.compile(r"[\u3400-\u9fff]{0,4}?(?:大道|大街|[路街巷])")
_ADDED = re.compile(r"(?:商住楼|小区|区|散盘|住宅|大院|院|里|楼盘|大厦|花园|公馆|居|楼|号院|号楼|号|附近)+")
_ENDS = frozenset("苑园院庭居")
_MARKS = re.compile(rf"[0-9]+|[A-Z]+|[东西南北中上下前后左右新老旧内外甲乙丙丁戊{CHINESE}]|别墅|公寓|商铺")


def read_estate_names(names: pd.Series, areas: tuple[str, ...] = ()) -> pd.DataFrame:
    """NAME_COLUMNS of each name, aligned; once a distinct name, missing stays missing.

    written: the letters as they stand. strict: one spelling of everything the name says. core: without the road before it
    or in brackets behind it, and the generic word before its phase or zone. marks: all that counts or directs in it, in
    order: two names with different marks are different estates. stem: the core without its phase, zone and building.
    beside: the road that tells it from others of its name, "" for none. areas: names of divisions, which a core does not
    begin with.
    """
    codes, distinct = pd.factorize(names)
    read = pd.DataFrame([read_estate_name(str(name), areas) for name in distinct], columns=list(NAME_COLUMNS)).astype(
        "str"
    )
    return read.reindex(codes).set_axis(names.index)


def read_estate_name(name: str, areas: tuple[str, ...] = ()) -> tuple[str, str, str, str, str, str]:
    """One row of `read_estate_names`.

    >>> read_estate_name("丽江小区（二期）")[1:] == read_estate_name("麗江小区Ⅱ期")[1:]
    True
    """
    folded = fold(name)[:LONGEST].upper().replace(" ", "").translate(_ROUND)
    beside = _BESIDE.search(folded)
    own = _USE.sub("", folded[: beside.start()] if beside else folded)
    stem, parts = _cut_parts(_strict(own))
    shorter = _without_area(_GENERIC.sub("", stem), areas)
    road = _ROAD.match(shorter) if len(shorter) >= 2 else None
    shorter = shorter[road.end() :] if road else shorter if len(shorter) >= 2 else stem
    core = shorter + parts
    at = beside.group(1) if beside else road.group() if road else ""
    return folded, _strict(folded), core, " ".join(_MARKS.findall(core)), shorter, at.translate(SIMPLIFIED)


def _without_area(stem: str, areas: tuple[str, ...]) -> str:
    """The name without the city or district before it, where a name and not a road is left: 武汉三角花园."""
    for area in areas:
        rest = stem.removeprefix(area)
        if len(rest) < len(stem) and len(rest) >= SHORTEST_INSIDE and not _ROADS.match(rest):
            return rest
    return stem


def _strict(folded: str) -> str:
    plain = _BRACKET.sub(lambda found: found.group(1), folded.translate(SIMPLIFIED))
    joined = _BETWEEN.sub("至", plain).translate(_DROPPED)
    spelt = _NUMERAL.sub(lambda found: decimal(found.group(1)), joined)
    return _LATE_ROMAN.sub(lambda found: decimal(found.group(1)) + "期", spelt) or folded


class _Dropped(dict[int, str | None]):
    def __missing__(self, code: int) -> str | None:
        self[code] = None if _JOINTS.match(chr(code)) else chr(code)
        return self[code]


_DROPPED = _Dropped()


def _cut_parts(strict: str) -> tuple[str, str]:
    """The name without its phase, zone and building at the end, and these."""
    stem, parts = strict, ""
    while (found := _PART.search(stem)) and found.start() >= 2:
        stem, parts = stem[: found.start()], found.group() + parts
    return stem, parts


def compare_estates(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.int8]:
    """The level at which the names of two aligned frames of NAME_COLUMNS agree; OTHER where either is missing.

    WRITTEN: letter by letter. SAME: one spelling. ALIKE_BUT_SUFFIX: a generic word more or less. SIMILAR: same marks, and
    a character more, one that sounds alike, or words before the name (a developer, a road). ONE_OFF: same marks, another
    character. OTHER_PART: much the same words, other numbers, or words after the name. OTHER: nothing in common.
    """
    asked = pd.DataFrame({"one": one["core"].fillna("").to_numpy(), "other": other["core"].fillna("").to_numpy()})
    asked["marks"] = _equal(one, other, "marks")
    cases = asked.drop_duplicates(ignore_index=True)
    unlike = asked.merge(cases.assign(level=_unlike(cases)), how="left")["level"].to_numpy()
    known = (one["strict"].notna().to_numpy() & other["strict"].notna().to_numpy()).astype(bool)
    equal = [_equal(one, other, name) for name in ("written", "strict", "core")]
    found = np.select([~known, *equal], [OTHER, WRITTEN, SAME, ALIKE_BUT_SUFFIX], unlike)
    roads = [side["beside"].fillna("").to_numpy(dtype=object) for side in (one, other)]
    elsewhere = (roads[0] != "") & (roads[1] != "") & (roads[0] != roads[1])
    found = np.where(elsewhere & (found > SAME) & (found < OTHER), OTHER_PART, found)
    return found.astype(np.int8)


def _unlike(cases: pd.DataFrame) -> npt.NDArray[np.int8]:
    """The level of two cores that are not equal: `one`, `other`, and whether their `marks` are."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.fuzz import ratio

    first, second = cases["one"].tolist(), cases["other"].tolist()
    off = process.cpdist(first, second, scorer=Levenshtein.distance, score_cutoff=1, dtype=np.uint8) <= 1
    alike = process.cpdist(first, second, scorer=ratio, score_cutoff=PART_RATIO, dtype=np.float32) >= PART_RATIO
    inside = np.fromiter((a in b or b in a for a, b in zip(first, second, strict=True)), bool, len(first))
    marks = cases["marks"].to_numpy(dtype=bool)
    found = np.where(alike | inside, OTHER_PART, OTHER)
    for at in np.flatnonzero(marks & (off | inside)):  # a few hundred of distinct names
        found[at] = _alike(first[at], second[at])
    return found.astype(np.int8)


def _alike(one: str, other: str) -> int:
    """The level of two cores with the same marks, a character apart or one inside the other."""
    short, long = sorted((one, other), key=len)
    if len(_MARKS.sub("", short)) < SHORTEST_INSIDE:
        return OTHER_PART
    if len(short) == len(long):
        differ = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
        return SIMILAR if all(same_sound(a, b) or {a, b} <= _ENDS for a, b in differ) else ONE_OFF
    if long.endswith(short):
        return SIMILAR
    if long.startswith(short):
        return SIMILAR if _ADDED.fullmatch(long[len(short) :]) else OTHER_PART
    return SIMILAR if len(long) == len(short) + 1 else OTHER_PART


def _equal(one: pd.DataFrame, other: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    first, second = (side[name].fillna("").to_numpy(dtype=object) for side in (one, other))
    return np.asarray(first == second, dtype=bool)
