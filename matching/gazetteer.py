"""Which head of an address (estate name, or road and number) means which estate: spelling, and aliases people agree on.

A head is named by text within a division. Spellings of one name are folded together; a rare spelling joins a frequent
one that differs by a character. A road and number stands for an estate where addresses write both, and any two heads
are one where enough persons are seen under both at the same building and room.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd

AGREEING_PERSONS = 2  # distinct persons that must show two heads at one building and room
AGREEMENT = 0.6  # of the persons seen under both heads, those whose building and room agree: movers do by chance only
LINKED = 0.05  # of all persons of the rarer head, those that must show it: two large estates share some by chance
MOVERS = 3  # persons seen under both heads from which on hardly any agreement is proof that the two differ
CHANCE = 0.2  # share of those persons that agree by chance
TOGETHER = 0.6  # of the addresses that write a road and number with an estate, those that name the same estate
MOST_GATES = 8  # door plates of one estate; a word written with more (a kind of shop) names no estate
RARE_TO_FREQUENT = 5  # a misspelling is at least this many times rarer than the name it means
SUFFIX = re.compile(r"(?:住宅小区|小区|社区|住宅区|生活区|家属院|家属区)$")
_NUMBERS = re.compile(r"[0-9零一二三四五六七八九十东西南北中甲乙丙ABCD]+")
_DIGIT = re.compile(r"[0-9]")
_ZONE = re.compile(r"(?:[东西南北中]{1,2}|[A-Z]|第?[0-9零一二三四五六七八九十]{1,3})区$")
_PHASE = re.compile(r"(?<![0-9])[0-9]+期$")
_PART = re.compile(
    # the direction in 城南1区 is of the name: the zone is the number
    r"(?:(?P<zone>[东西南北中]{1,2}|[A-Z0-9零一二三四五六七八九十]{1,3})(?=[区苑园院])|(?P<village>[0-9零一二三四五六七八九十]{1,3})(?=[村里])|(?P<phase>[0-9]+)期)"
)


@lru_cache(maxsize=65536)
def fold_estate(name: str) -> str:
    """The form that spellings of one estate's name share: no suffix, no dots, simplified where that is known."""
    plain = re.sub(r"[\s·・\-_.,，。'\"“”]+", "", name).upper()
    shorter = SUFFIX.sub("", plain)
    return shorter if len(shorter) >= 2 else plain


@lru_cache(maxsize=65536)
def estate_head(name: str, zone: str, phase: str) -> str:
    """The head an estate's name makes: 翠苑一区 and 翠苑小区1区 -> 翠苑1区; phases end in 期, and are estates of their own."""
    base = fold_estate(name)
    if zone:
        base = fold_estate(_ZONE.sub("", base)) + zone.upper()
    return f"{base}{phase}期" if phase else base


def base_of(head: str) -> str:
    """The head without its zone and phase."""
    return _ZONE.sub("", _PHASE.sub("", head)) or head


def numbers_in(name: str) -> tuple[str, ...]:
    """The numbers, directions and letters in a name: what may never differ between two spellings."""
    return tuple(_NUMBERS.findall(name))


def spellings(heads: pd.Series) -> dict[str, str]:
    """Rare head -> the frequent head it misspells: one character other, same numbers, same length class, no rival.

    heads: the head of every address (with repeats), so that counts tell rare from frequent.
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    counts = heads.dropna().value_counts()
    names = [name for name in counts.index if "|" not in str(name)]
    found: dict[str, str] = {}
    frequent = [str(name) for name in names if counts[name] >= RARE_TO_FREQUENT]
    rare = [str(name) for name in names if counts[name] * RARE_TO_FREQUENT <= counts.iloc[0] and len(str(name)) >= 3]
    if not frequent or not rare:
        return found
    distance = process.cdist(rare, frequent, scorer=Levenshtein.distance, score_cutoff=1, dtype=np.uint8)
    at, to = np.nonzero(distance <= 1)
    pairs = pd.DataFrame({"rare": np.array(rare)[at], "frequent": np.array(frequent)[to]})
    pairs = pairs[pairs["rare"] != pairs["frequent"]]
    pairs = pairs[pairs["rare"].map(counts) * RARE_TO_FREQUENT <= pairs["frequent"].map(counts)]
    same = [_may_misspell(a, b) for a, b in zip(pairs["rare"], pairs["frequent"], strict=True)]
    pairs = pairs[np.array(same, dtype=bool)]
    pairs = pairs[~pairs.duplicated("rare", keep=False)]
    return dict(zip(pairs["rare"], pairs["frequent"], strict=True))


def _may_misspell(rare: str, frequent: str) -> bool:
    """One character off: never another number (五一, 五四); one lost or added, where zone, village and phase stay."""
    if numbers_in(rare) == numbers_in(frequent):
        return True
    return len(rare) != len(frequent) and _parts_of(rare) == _parts_of(frequent) and not _DIGIT.search(rare + frequent)


def written_together(gates: pd.Series, heads: pd.Series) -> dict[str, str]:
    """Road and number -> the estate that addresses write with it, where they agree."""
    both = pd.DataFrame({"gate": gates, "head": heads}).dropna()
    both = both[both["gate"] != both["head"]]
    counted = both.groupby(["gate", "head"]).size().rename("n").reset_index()
    gates_of = counted.groupby("head")["gate"].transform("size")
    return _agreed(counted[gates_of <= MOST_GATES], "gate", "head", 2, TOGETHER)


def agreed_by_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of heads by what persons seen under both show: `one` < `other`, `persons` who agree, `apart`.

    rows: `person`, `head`, `building`, `room`; only rows with all four count. Of the persons seen under both heads,
    enough must show the same building and room: those who moved from one estate to the other rarely do, and where
    several did and hardly any agrees, the two are `apart`.
    """
    seen = rows.dropna().drop_duplicates()
    several = seen[["person", "head"]].drop_duplicates()
    of_head = several.groupby("head").size()
    several = several[several["person"].duplicated(keep=False)]
    seen = seen[seen["person"].isin(several["person"])]
    both = _head_pairs(several, ["person"])
    same = _head_pairs(seen, ["person", "building", "room"])
    found = both.to_frame("both").join(same.rename("persons")).fillna({"persons": 0}).reset_index()
    found = found.rename(columns={"head": "one", "head_to": "other"})
    share = found["persons"] / found["both"]
    smaller = np.minimum(found["one"].map(of_head), found["other"].map(of_head))
    agree = (found["persons"] >= np.maximum(AGREEING_PERSONS, LINKED * smaller)) & (share >= AGREEMENT)
    found["apart"] = (found["both"] >= MOVERS) & (share <= CHANCE)
    return found.loc[agree | found["apart"], ["one", "other", "persons", "apart"]].reset_index(drop=True)


def _head_pairs(rows: pd.DataFrame, keys: list[str]) -> pd.Series:
    """How many persons show each pair of heads (index `head` < `head_to`) with the same `keys`."""
    pairs = rows.merge(rows, on=keys, suffixes=("", "_to"))
    pairs = pairs[pairs["head"] < pairs["head_to"]].drop_duplicates(["person", "head", "head_to"])
    return pairs.groupby(["head", "head_to"]).size()


def _may_join(one: str, other: str) -> bool:
    """Names that are alike but for their numbers, or that bear different zones (东区, 西区), are two estates, whoever says so.

    A road and number, or a name with nothing in common (a popular name beside the official one), may be any.
    """
    if "|" in one or "|" in other:
        return True
    first, second = _parts_of(one), _parts_of(other)
    if any(first[kind] != second[kind] for kind in first.keys() & second.keys()):
        return False
    return _NUMBERS.sub("", one) != _NUMBERS.sub("", other) or numbers_in(one) == numbers_in(other)


@lru_cache(maxsize=65536)
def _parts_of(head: str) -> dict[str, str]:
    """Zone, numbered village and phase that a head names."""
    return {str(found.lastgroup): found.group(str(found.lastgroup)) for found in _PART.finditer(head)}


def _agreed(frame: pd.DataFrame, key: str, value: str, least: int, share: float) -> dict[str, str]:
    total = frame.groupby(key)["n"].transform("sum")
    kept = frame[(frame["n"] >= least) & (frame["n"] >= share * total)]
    return dict(zip(kept[key], kept[value], strict=True))


def joined(pairs: pd.DataFrame, counts: pd.Series) -> dict[str, str]:
    """Head -> the most frequent head it is joined with through pairs of `agreed_by_people`, those of most persons first.

    A pair that would bring together two heads that may not join (东区, 西区), or that people keep apart, is left out.
    """
    apart = {frozenset(pair) for pair in pairs.loc[pairs["apart"], ["one", "other"]].itertuples(index=False, name=None)}
    groups: dict[str, set[str]] = {}
    ranked = pairs[~pairs["apart"]].sort_values(["persons", "one", "other"], ascending=[False, True, True])
    for one, other in zip(ranked["one"], ranked["other"], strict=True):
        first, second = groups.get(one, {one}), groups.get(other, {other})
        if first is second:
            continue
        if all(_may_join(a, b) and frozenset((a, b)) not in apart for a in first for b in second):
            together = first | second
            groups.update(dict.fromkeys(together, together))
    weight = {str(name): int(n) for name, n in counts.items()}
    return {
        name: min(group, key=lambda head: ("|" in head, -weight.get(head, 0), head)) for name, group in groups.items()
    }
