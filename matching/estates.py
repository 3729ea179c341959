"""Estates that several feeds list: which rows mean the same residential estate.

Rows are compared where they share a name or alias, a road and number, or a spot. A name says most: two spellings of one name are
one estate unless they lie apart; a generic word more, or a character off, needs the place to agree; other numbers
(phase, zone, village) are never the same. One feed lists an estate once, so its rows stay apart unless name and place agree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.candidates import distances, near_pairs, pairs_within, read_points, stepped
from matching.cluster import Rules, cluster, components
from matching.estate_names import (
    ALIKE_BUT_SUFFIX,
    NAME_COLUMNS,
    ONE_OFF,
    OTHER,
    OTHER_PART,
    SAME,
    SIMILAR,
    WRITTEN,
    compare_estates,
    read_estate_names,
)
from matching.estate_parts import estate_parts
from matching.estate_places import coarse_points, estate_gates, read_districts
from schemas.identifiers import division_names
from schemas.records import RELATION_COLUMNS, Records, column

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

ALIAS_COLUMNS = {f"alias_{name}": name for name in NAME_COLUMNS}  # of the other name a row gives for its estate
NAME_WEIGHTS = {
    WRITTEN: 9.0,
    SAME: 8.0,
    ALIKE_BUT_SUFFIX: 2.5,
    SIMILAR: 1.0,
    ONE_OFF: -3.0,
    OTHER_PART: -20.0,
    OTHER: -20.0,
}
DISTANCE_STEPS = (150.0, 300.0, 700.0, 1500.0, 4000.0)  # metres; feeds mix GCJ-02 and BD-09 and set pins by hand
DISTANCE_WEIGHTS = (5.0, 4.0, 2.0, 0.0, -8.0, -16.0)  # up to each step, and beyond the last
COARSE_WEIGHTS = (2.0, 2.0, 1.0, 0.0, 0.0, -16.0)  # where a row's position is one that its feed gives to several
LETTER_BY_LETTER = 12.0  # one written name, not far apart: joined before all others
SAME_GATE = 5.0  # a road and number in common
SAME_ROAD = 5.0  # a road in common, for rows of one name
ONE_OF_NAME = 2.5  # names alike but for a generic word, of which no feed lists two
DIVISION = 6  # digits of a division code down to the county
ONE_LIKE_IT = 4.0  # similar names, of which no feed lists two, and neither is the end of a third
SHORTEST_NAME = 3  # characters of a core that is a name of its own
BOTH_LISTED = -6.0  # two unlike names that one feed lists both: it knows them for two
OTHER_DISTRICT = -6.0  # named districts that do not overlap; only where coordinates say nothing
THRESHOLD = 5.0
HOUSING = "家属|宿舍|职工"  # each county has a tobacco office, and each of these its housing
NEAR = 700.0  # metres: what two maps' datums and hand-set pins may differ for one estate
SPOT = 300.0  # metres within which rows are compared whatever their names


class Estates(NamedTuple):
    """`clusters`: `rid`, `cluster` (the smallest rid of the estate); `parts`: relations `part_of` between clusters."""

    clusters: pd.DataFrame
    parts: pd.DataFrame


def match_estates(records: Records, heads: pd.DataFrame | None = None) -> Estates:
    """Which place records of kind estate are one, and which are parts of others.

    heads: by rid, the head that the name makes (`read`) and the one that it stands for (`head`); two names are one estate's
    where people use them so, and these are then read apart under one head.
    """
    raw = records.frame("place")
    rows = _read(records, raw[column(raw, "kind") == "estate"])
    if rows.empty:
        none = pd.DataFrame({"rid": rows["rid"], "cluster": rows["rid"]}).astype("int64").reset_index(drop=True)
        return Estates(none, pd.DataFrame(columns=list(RELATION_COLUMNS)))
    known = pd.DataFrame(columns=["read", "head"]) if heads is None else heads
    rows[["read", "head"]] = known.reindex(rows["rid"]).astype("str").set_axis(rows.index)
    gates = estate_gates(rows)
    edges = _scored(rows, gates, _candidates(rows, gates))
    rules = Rules(exclusive=_listed_once(rows, edges))
    found = cluster(edges, rows["rid"], rules, THRESHOLD)
    listed = raw["rid"][raw["rid"].isin(rows["rid"])].reset_index(drop=True)
    clusters = pd.DataFrame({"rid": listed, "cluster": listed.map(found)}).astype("int64")
    return Estates(clusters, estate_parts(rows, gates, rows["rid"].map(found)))


def _read(records: Records, raw: pd.DataFrame) -> pd.DataFrame:
    """What the rows say, by `rid`: source, area, name parts, address, district, and metres east and north."""
    raw = raw.sort_values("rid", ignore_index=True)
    rows = pd.DataFrame({"rid": raw["rid"], "source": raw["source"], "area": records.division(raw).str[:6].fillna("")})
    names = {name for code in rows["area"].unique() if len(code) == DIVISION for name in division_names(code)}
    areas = tuple(sorted(names, key=lambda name: (-len(name), name)))
    rows[list(NAME_COLUMNS)] = read_estate_names(column(raw, "name"), areas)
    rows["name"], rows["address"] = column(raw, "name"), column(raw, "address")
    rows[list(ALIAS_COLUMNS)] = read_estate_names(column(raw, "alias"), areas)
    rows["district"] = read_districts(rows["address"])
    rows[["east", "north"]] = read_points(column(raw, "longitude"), column(raw, "latitude"))
    rows["coarse"] = coarse_points(rows)
    return rows


def _candidates(rows: pd.DataFrame, gates: pd.DataFrame) -> pd.DataFrame:
    """Pairs `a` < `b` of row positions of one area that share a spelling, a core, a gate or a spot."""
    at = np.arange(len(rows))
    blocks = [
        pd.DataFrame(
            {"at": np.r_[at, at], "key": pd.concat([rows["area"] + "|" + rows[pre + name] for pre in ("", "alias_")])}
        )
        for name in ("strict", "core")
    ]
    blocks.append(pd.DataFrame({"at": at, "key": rows["area"] + "|" + rows["head"]}))
    long = rows["core"].where(rows["core"].str.len() > SHORTEST_NAME)
    blocks += [
        pd.DataFrame({"at": at, "key": rows["area"] + "|" + end})
        for end in (long.str[-SHORTEST_NAME:], long.str[:SHORTEST_NAME])
    ]
    blocks.append(pd.DataFrame({"at": gates["at"], "key": rows["area"].to_numpy()[gates["at"]] + "|" + gates["gate"]}))
    pairs = pd.concat([*(pairs_within(block) for block in blocks), near_pairs(_points(rows), SPOT)], ignore_index=True)
    pairs = pairs.drop_duplicates(ignore_index=True)
    area = rows["area"].to_numpy(dtype=object)
    one_area: npt.NDArray[np.bool_] = area[pairs["a"]] == area[pairs["b"]]
    return pairs.loc[one_area].reset_index(drop=True)


def _scored(rows: pd.DataFrame, gates: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Edges `a`, `b` (rids), `weight`, with `name` (level), `distance` and `same_gate`."""
    one, other = (rows.iloc[pairs[side]] for side in ("a", "b"))
    level = _compared(one, other)
    related = level < OTHER
    pairs, level = pairs[related], level[related]
    distance = distances(_points(rows), pairs)
    same_gate = _share(gates, pairs, "gate")
    same_road = _share(gates, pairs, "road") & (level <= SIMILAR) & ~same_gate
    far = _other_district(rows, pairs, level, distance)
    weight = np.select([level == known for known in NAME_WEIGHTS], list(NAME_WEIGHTS.values()))
    weight = (
        weight
        + _distance_weight(rows, pairs, distance)
        + OTHER_DISTRICT * far
        + BOTH_LISTED * _both_listed(rows, pairs)
    )
    weight = weight + SAME_GATE * same_gate + SAME_ROAD * same_road
    alone = _alone(rows, pairs)
    weight = weight + ONE_OF_NAME * ((level == ALIKE_BUT_SUFFIX) & alone) + ONE_LIKE_IT * ((level == SIMILAR) & alone)
    weight = weight + LETTER_BY_LETTER * ((level == WRITTEN) & (weight >= THRESHOLD))
    rid = rows["rid"].to_numpy()
    return pd.DataFrame(
        {
            "a": rid[pairs["a"]], "b": rid[pairs["b"]], "weight": weight, "name": level, "distance": distance,
            "same_gate": same_gate,
        }
    )  # fmt: skip


def _compared(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.int8]:
    """The best level of the rows' names; an alias that is the other's name counts as if it were written so, and so does
    a name that people use for the other.
    """
    level = compare_estates(one, other)
    same, read_alike = (
        one[name].to_numpy(dtype=object) == other[name].to_numpy(dtype=object) for name in ("head", "read")
    )
    called = same & ~read_alike & one["head"].notna().to_numpy()
    level = np.where(called & (level != OTHER_PART), np.minimum(level, SAME), level).astype(np.int8)
    for left, right in ((True, False), (False, True), (True, True)):
        sides = [_by_alias(side) if alias else side for side, alias in ((one, left), (other, right))]
        known = sides[0]["written"].notna().to_numpy() & sides[1]["written"].notna().to_numpy()
        found = compare_estates(*(side[known] for side in sides))
        level[known] = np.where(found <= SAME, np.minimum(level[known], found), level[known])
    return level


def _by_alias(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=list(NAME_COLUMNS)).rename(columns=ALIAS_COLUMNS)


def _points(rows: pd.DataFrame) -> Floats:
    return rows[["east", "north"]].to_numpy(dtype=np.float64)


def _distance_weight(rows: pd.DataFrame, pairs: pd.DataFrame, distance: Floats) -> Floats:
    coarse = rows["coarse"].to_numpy()
    rough, fine = (stepped(distance, DISTANCE_STEPS, weights) for weights in (COARSE_WEIGHTS, DISTANCE_WEIGHTS))
    weights: Floats = np.where(coarse[pairs["a"]] | coarse[pairs["b"]], rough, fine)
    return weights


def _share(gates: pd.DataFrame, pairs: pd.DataFrame, what: str) -> Flags:
    """Whether the two rows of each pair name a gate (or road) in common."""
    asked = pairs.reset_index(drop=True).reset_index(names="pair")
    named = gates[["at", what]].dropna().drop_duplicates()
    first = asked.merge(named, left_on="a", right_on="at")[["pair", "b", what]]
    both = first.merge(named, left_on=["b", what], right_on=["at", what])["pair"]
    shared: Flags = np.isin(asked["pair"].to_numpy(), both.to_numpy())
    return shared


def _both_listed(rows: pd.DataFrame, pairs: pd.DataFrame) -> Flags:
    """Whether some feed lists both spellings of a pair: it knows them for two names."""
    names, _ = pd.factorize(rows["strict"])
    one, other = names[pairs["a"]], names[pairs["b"]]
    asked = pd.DataFrame({"one": np.minimum(one, other), "other": np.maximum(one, other)})
    unlike = asked[(asked["one"] != asked["other"]) & (asked["one"] >= 0)].drop_duplicates()
    listed = pd.DataFrame({"source": rows["source"], "name": names}).drop_duplicates()
    first = unlike.merge(listed, left_on="one", right_on="name")[["one", "other", "source"]]
    both = first.merge(listed, left_on=["other", "source"], right_on=["name", "source"])[["one", "other"]]
    return asked.merge(both.drop_duplicates().assign(listed=True), how="left")["listed"].notna().to_numpy(dtype=bool)


def _alone(rows: pd.DataFrame, pairs: pd.DataFrame) -> Flags:
    """Whether the cores of both rows are names of their own: long enough, listed by no feed for two estates of the area, the
    end of no third name (阳光花园 is the end of many), and not what every office's housing is called."""
    listed = rows[["area", "core", "source", "strict"]].drop_duplicates()
    names = listed.groupby(["area", "core", "source"]).size().groupby(level=[0, 1]).max().rename("most").reset_index()
    if names.empty:
        return np.zeros(len(pairs), dtype=bool)
    length = names["core"].str.len()
    ends = [names["area"] + "|" + names["core"].str[-n:] for n in range(SHORTEST_NAME, int(length.max()) + 1)]
    seen = pd.concat([names["area"].iloc[:0], *(end[length >= n] for n, end in enumerate(ends, SHORTEST_NAME))])
    number = (names["area"] + "|" + names["core"]).map(seen.value_counts()).fillna(0).to_numpy()
    own = (names["most"] == 1) & (length >= SHORTEST_NAME) & (number <= 2)
    keys = pd.MultiIndex.from_frame(rows[["area", "core"]])
    alone = own.set_axis(pd.MultiIndex.from_frame(names[["area", "core"]])).reindex(keys).eq(True).to_numpy(dtype=bool)
    alone = alone & ~rows["strict"].str.contains(HOUSING).fillna(False).to_numpy(dtype=bool)
    flags: Flags = alone[pairs["a"]] & alone[pairs["b"]]
    return flags


def _other_district(rows: pd.DataFrame, pairs: pd.DataFrame, level: npt.NDArray[np.int8], distance: Floats) -> Flags:
    """Whether two rows without a distance name districts that no estate of both feeds is seen in.

    People write neighbouring districts for one another (a development zone and the district around it): two districts
    overlap where rows of one name lie near each other under both.
    """
    district = rows["district"].fillna("").to_numpy(dtype=object)
    one, other = district[pairs["a"]], district[pairs["b"]]
    low, high = np.minimum(one, other), np.maximum(one, other)
    key = pd.Series(low + "|" + high)
    seen = set(key[(level <= SAME) & (distance <= NEAR)])
    other_one = (low != high) & (low != "") & ~key.isin(seen).to_numpy()
    flags: Flags = (other_one & np.isnan(distance)).astype(bool)
    return flags


def _listed_once(rows: pd.DataFrame, edges: pd.DataFrame) -> pd.DataFrame:
    """A column a feed, by rid: rows of one feed share a value only where name and place agree."""
    place = (edges["distance"] <= NEAR) | (edges["distance"].isna() & edges["same_gate"])
    again = edges[(edges["name"] == WRITTEN) & place]
    at = pd.Series(np.arange(len(rows)), index=rows["rid"])
    source = rows.set_index("rid")["source"]
    again = again[again["a"].map(source).to_numpy() == again["b"].map(source).to_numpy()]
    blank = rows["address"].isna() & rows["east"].isna()
    bare = rows["rid"].where(~blank, rows.groupby(["source", "area", "written"], dropna=False)["rid"].transform("min"))
    first, second = at[again["a"]].to_numpy(), at[again["b"]].to_numpy()
    first, second = np.r_[first, np.arange(len(rows))], np.r_[second, at[bare].to_numpy()]
    label = pd.Series(components(first, second, len(rows)), index=rows["rid"])
    return pd.DataFrame({name: label[(source == name).to_numpy()] for name in sorted(rows["source"].unique())})
