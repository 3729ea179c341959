"""Which estates are parts of another: a phase, a zone, a named quarter of it. A relation, never a merge.

A part bears the name of the whole with more behind it: 期, 区, 组团, a building; or the name of a quarter (…苑, …公馆), where the
place must agree too, since one name may begin another by chance.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from matching.candidates import distances
from matching.estate_names import read_estate_name
from schemas.records import RELATION_COLUMNS

SHORTEST_WHOLE = 4  # characters of a name that may stand before the name of a quarter
LONGEST_QUARTER = 6  # characters of the name of a quarter
FAR = 1500.0  # metres: beyond, a quarter is of another estate of the name
OUT_OF_REACH = 4000.0  # metres: beyond, a phase or zone is, too

_QUARTER = re.compile(
    r"[^0-9]{1,5}(?:[苑园区城邸府庭湾里阁轩居墅郡]|组团|公馆|公寓|国际|广场|中心)$|[A-Z0-9]+$|别墅$|公寓$|公馆$"
)


def estate_parts(rows: pd.DataFrame, gates: pd.DataFrame, cluster: pd.Series) -> pd.DataFrame:
    """Relations `part_of` between estates, a line a part.

    rows: what `matching.estates` reads of each listed estate; gates: their roads and numbers; cluster: of each row. Of several
    wholes that could be meant the one is taken that shares most of the place; of equals none.
    """
    lines = rows.assign(at=np.arange(len(rows)), cluster=cluster.to_numpy())
    pairs = _named(lines)
    one, other = (lines.iloc[pairs[side].to_numpy()].reset_index(drop=True) for side in ("a", "b"))
    distance = distances(lines[["east", "north"]].to_numpy(dtype=np.float64), pairs)
    road = _shared(gates, pairs)
    district = (one["district"] == other["district"]).fillna(False).to_numpy(dtype=bool)
    near = distance <= FAR
    score = 4.0 * near + 3.0 * road + 1.0 * district
    quarter = pairs["quarter"].to_numpy(dtype=bool)
    usable = (one["cluster"] != other["cluster"]).to_numpy() & ~(distance > np.where(quarter, FAR, OUT_OF_REACH))
    usable &= ~quarter | (score > 0)
    found = pd.DataFrame({"cluster": one["cluster"], "to_cluster": other["cluster"], "rid": one["rid"], "score": score})
    return _clearest(found[usable])


def _named(lines: pd.DataFrame) -> pd.DataFrame:
    """Row positions `a`, `b` where the name of a is the name of b and more; `quarter`: more than a number or a zone."""
    whole = lines[(lines["core"] == lines["stem"]).fillna(False)][["area", "core", "at"]]
    names = set(whole["core"])
    asked = [
        (core, stem, quarter) for core in lines["core"].dropna().unique() for stem, quarter in _wholes(str(core), names)
    ]
    of = pd.DataFrame(asked, columns=["core", "whole", "quarter"])
    parts = lines[["area", "core", "at"]].merge(of, on="core")
    both = parts.merge(whole, left_on=["area", "whole"], right_on=["area", "core"], suffixes=("_a", "_b"))
    return pd.DataFrame({"a": both["at_a"], "b": both["at_b"], "quarter": both["quarter"]})


def _wholes(core: str, names: set[str]) -> list[tuple[str, bool]]:
    """The names that `core` may be a part of: its stem, else the longest name before the name of a quarter."""
    stem = read_estate_name(core)[4]
    if stem != core and stem in names:
        return [(stem, False)]
    for length in range(len(core) - 1, SHORTEST_WHOLE - 1, -1):
        rest = core[length:]
        if len(rest) <= LONGEST_QUARTER and core[:length] in names and _QUARTER.fullmatch(rest):
            return [(core[:length], True)]
    return []


def _shared(gates: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    asked = pairs.reset_index(drop=True).reset_index(names="pair")
    roads = gates[["at", "road"]].dropna().drop_duplicates()
    first = asked.merge(roads, left_on="a", right_on="at")[["pair", "b", "road"]]
    both = first.merge(roads, left_on=["b", "road"], right_on=["at", "road"])["pair"]
    return np.isin(asked["pair"].to_numpy(), both.to_numpy())


def _clearest(found: pd.DataFrame) -> pd.DataFrame:
    """The best whole of each part; none where two are equally good."""
    best = found.sort_values(["cluster", "score", "to_cluster", "rid"], ascending=[True, False, True, True])
    best = best.drop_duplicates(["cluster", "to_cluster"])
    top = best.groupby("cluster")["score"].transform("max")
    kept = best[best["score"] == top]
    kept = kept[~kept["cluster"].duplicated(keep=False)]
    kept = kept.assign(type="place", kind="estate", relation="part_of", to_type="place", to_kind="estate")
    return kept[list(RELATION_COLUMNS)].reset_index(drop=True)
