"""What the name of a residential estate says: its words, its phase, zone and numbers, and the generic word at its end.

Numbers are exact and words are not: 一期 is never 二期, 东区 never 西区, 三村 never 四村, 188号 never 152号, while 小区 or
家属院 may be missing on one side. Comparable forms are for matching only.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.name_parts import SIMPLIFIED
from matching.numerals import CHINESE, decimal
from schemas.text import fold

NAME_COLUMNS = ("written", "strict", "core", "marks")
LONGEST = 60  # characters of a cell that are read as a name
WRITTEN, SAME, ALIKE_BUT_SUFFIX, SIMILAR, OTHER_PART, OTHER = range(6)  # levels of compare_estates
SHORTEST_INSIDE = 3  # characters of a name that may be found inside a longer one
PART_RATIO = 70  # rapidfuzz ratio from which two names with different numbers are parts of one thing, not strangers

_DESIGNATED = "期|组团|街区|街坊|地块|区|村|院|栋|幢|座|坊|里|组|号|苑|园|层|片"
_NUMERAL = re.compile(rf"第?([{CHINESE}]+|[0-9]+|[IVX]+)(?={_DESIGNATED})")
_LATE_ROMAN = re.compile(r"(?<=[^\x00-\x7f])(I{1,3}|IV|V)$")
_BRACKET = re.compile(r"[(\[【〔<《]([^)\]】〕>》]*)[)\]】〕>》]?")
_JOINTS = re.compile(r"[^\w]|_")
_PART = re.compile(
    r"(?:[0-9]+(?:[,至到-][0-9]+)*期|(?:[东西南北中]{1,2}|[0-9A-Z]+)(?:区|组团|街区|地块|院|苑|园)|[0-9A-Z]+号?[栋幢座]|别墅)$"
)
_GENERIC = re.compile(r"(?:住宅小区|小区|社区|住宅区|生活区|住宅楼|职工|家属[院区楼]|宿舍楼?|楼)$")
_ROAD = re.compile(r"^[\u3400-\u9fff]{2,5}?(?:大道|大街|[路街巷])(?=[\u3400-\u9fff]{3})(?![东西南北中]?[路街巷])")
_MARKS = re.compile(rf"[0-9]+|[A-Z]+|[东西南北中上下前后左右新老旧内外甲乙丙丁戊{CHINESE}]|别墅|公寓|商铺")


def read_estate_names(names: pd.Series) -> pd.DataFrame:
    """`written`, `strict`, `core` and `marks` of each name, aligned; once a distinct name, missing stays missing.

    written: the letters as they stand. strict: one spelling of everything the name says. core: without the road before it
    and the generic word before its phase or zone. marks: all that counts or directs in it, in order: two names with
    different marks are different estates.
    """
    codes, distinct = pd.factorize(names)
    read = pd.DataFrame([read_estate_name(str(name)) for name in distinct], columns=list(NAME_COLUMNS)).astype("str")
    return read.reindex(codes).set_axis(names.index)


def read_estate_name(name: str) -> tuple[str, str, str, str]:
    """One row of `read_estate_names`.

    >>> read_estate_name("丽江小区（二期）")[1:] == read_estate_name("麗江小区Ⅱ期")[1:]
    True
    """
    folded = fold(name)[:LONGEST].upper().replace(" ", "")
    strict = _strict(folded)
    stem, parts = _cut_parts(strict)
    shorter = _GENERIC.sub("", stem)
    shorter = _ROAD.sub("", shorter) if len(shorter) >= 2 else stem
    core = shorter + parts
    return folded, strict, core, " ".join(_MARKS.findall(core))


def _strict(folded: str) -> str:
    plain = _BRACKET.sub(lambda found: found.group(1), folded.translate(SIMPLIFIED))
    spelt = _NUMERAL.sub(lambda found: decimal(found.group(1)), re.sub(r"[~—–/、]", "-", plain))
    spelt = _LATE_ROMAN.sub(lambda found: decimal(found.group(1)) + "期", spelt)
    return re.sub(r"(?<=\d)-(?=\d)", "至", spelt).translate(_DROPPED) or folded


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

    WRITTEN: letter by letter. SAME: one spelling. ALIKE_BUT_SUFFIX: a generic word more or less. SIMILAR: same marks, and one character off or one
    name inside the other. OTHER_PART: much the same words, other numbers. OTHER: nothing in common.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein
    from rapidfuzz.fuzz import ratio

    known = (one["strict"].notna().to_numpy() & other["strict"].notna().to_numpy()).astype(bool)
    first, second = (side["core"].fillna("").tolist() for side in (one, other))
    near = process.cpdist(first, second, scorer=Levenshtein.distance, score_cutoff=1, dtype=np.uint8) <= 1
    alike = process.cpdist(first, second, scorer=ratio, score_cutoff=PART_RATIO, dtype=np.float32) >= PART_RATIO
    shorter = np.fromiter((min(len(a), len(b)) for a, b in zip(first, second, strict=True)), np.int64, len(first))
    inside = np.fromiter((a in b or b in a for a, b in zip(first, second, strict=True)), bool, len(first))
    same_marks = _equal(one, other, "marks")
    similar = same_marks & (near | inside) & (shorter >= SHORTEST_INSIDE)
    equal = [_equal(one, other, name) for name in ("written", "strict", "core")]
    tests = [~known, *equal, similar, ~same_marks & (alike | inside)]
    found = np.select(tests, [OTHER, WRITTEN, SAME, ALIKE_BUT_SUFFIX, SIMILAR, OTHER_PART], OTHER)
    return found.astype(np.int8)


def _equal(one: pd.DataFrame, other: pd.DataFrame, name: str) -> npt.NDArray[np.bool_]:
    return (one[name].fillna("").to_numpy(dtype=object) == other[name].fillna("").to_numpy(dtype=object)).astype(bool)
