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
AGREEMENT = 0.6  # of the persons of a head that show another head at the same building and room
ALIAS_SHARE = 0.3  # of the persons of a head that show another head anywhere: people who moved, to a like number by chance, are fewer
TOGETHER = 0.6  # of the addresses that write a road and number with an estate, those that name the same estate
RARE_TO_FREQUENT = 5  # a misspelling is at least this many times rarer than the name it means
SUFFIX = re.compile(r"(?:住宅小区|小区|社区|住宅区|生活区|家属院|家属区)$")
_NUMBERS = re.compile(r"[0-9零一二三四五六七八九十东西南北中甲乙丙ABCD]+")


@lru_cache(maxsize=65536)
def fold_estate(name: str) -> str:
    """The form that spellings of one estate's name share: no suffix, no dots, simplified where that is known."""
    plain = re.sub(r"[\s·・\-_.,，。'\"“”]+", "", name).upper()
    shorter = SUFFIX.sub("", plain)
    return shorter if len(shorter) >= 2 else plain


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
    same = [numbers_in(a) == numbers_in(b) for a, b in zip(pairs["rare"], pairs["frequent"], strict=True)]
    pairs = pairs[np.array(same, dtype=bool)]
    pairs = pairs[~pairs.duplicated("rare", keep=False)]
    return dict(zip(pairs["rare"], pairs["frequent"], strict=True))


def written_together(gates: pd.Series, heads: pd.Series) -> dict[str, str]:
    """Road and number -> the estate that addresses write with it, where they agree."""
    both = pd.DataFrame({"gate": gates, "head": heads}).dropna()
    both = both[both["gate"] != both["head"]]
    return _agreed(both.groupby(["gate", "head"]).size().rename("n").reset_index(), "gate", "head", 2, TOGETHER)


def agreed_by_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of heads that persons show at one building and room: `low`, `high`, `persons`.

    rows: `person`, `head`, `building`, `room`; only rows with all four count.
    """
    keys = ["person", "building", "room"]
    seen = rows.dropna().drop_duplicates([*keys, "head"])
    seen = seen[seen.duplicated(keys, keep=False)]
    pairs = seen.merge(seen, on=keys, suffixes=("", "_to"))
    pairs = pairs[pairs["head"] != pairs["head_to"]]
    counted = pairs.drop_duplicates(["person", "head", "head_to"]).groupby(["head", "head_to"]).size().rename("n")
    frame = counted.reset_index()
    total = frame.groupby("head")["n"].transform("sum")
    elsewhere = _persons_with_others(rows)
    share = frame["head"].map(elsewhere).astype("float64").fillna(0) * ALIAS_SHARE  # also where no pair is left
    kept = frame[(frame["n"] >= AGREEING_PERSONS) & (frame["n"] >= AGREEMENT * total) & (frame["n"] >= share)]
    same = [_may_join(a, b) for a, b in zip(kept["head"], kept["head_to"], strict=True)]
    return kept[np.array(same, dtype=bool)].rename(columns={"head": "rare", "head_to": "frequent", "n": "persons"})


def _persons_with_others(rows: pd.DataFrame) -> pd.Series:
    """How many persons of each head are seen under another head too, wherever."""
    seen = rows[["person", "head"]].dropna().drop_duplicates()
    return seen[seen["person"].duplicated(keep=False)].groupby("head").size()


def _may_join(one: str, other: str) -> bool:
    """Names that are alike but for their numbers or directions (东区, 西区) are two estates, whoever says so.

    A road and number, or a name with nothing in common (a popular name beside the official one), may be any.
    """
    if "|" in one or "|" in other:
        return True
    return _NUMBERS.sub("", one) != _NUMBERS.sub("", other) or numbers_in(one) == numbers_in(other)


def _agreed(frame: pd.DataFrame, key: str, value: str, least: int, share: float) -> dict[str, str]:
    total = frame.groupby(key)["n"].transform("sum")
    kept = frame[(frame["n"] >= least) & (frame["n"] >= share * total)]
    return dict(zip(kept[key], kept[value], strict=True))


def joined(pairs: pd.DataFrame, counts: pd.Series) -> dict[str, str]:
    """Head -> the most frequent head it is joined with through `rare`, `frequent` pairs (a small union-find)."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.get(name, name) != name:
            parent[name] = parent.get(parent[name], parent[name])
            name = parent[name]
        return name

    weight = {str(name): int(n) for name, n in counts.items()}
    for one, other in zip(pairs["rare"], pairs["frequent"], strict=True):
        first, second = root(one), root(other)
        if first != second:
            keep, drop = sorted((first, second), key=lambda name: ("|" in name, -weight.get(name, 0), name))
            parent[drop] = keep
    return {name: root(name) for name in parent}
