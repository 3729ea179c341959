"""Doubt: which entities a person should look at, and at which record.

A line is one question, "does this record belong to that entity?", of one of three reasons:

- weak: the record was joined, but its best score with the rest of the entity is below SURE;
- contradicted: one score would have been enough to join two entities, but others between them speak against it;
- held: the same, but a rule keeps the two apart (two trusted numbers, another birth date, one list that names both), and
  the record is tied no better to where it is.

Entities are asked about, not pairs: two entities give one line, at their best score. What a person judged is not asked.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# log2 odds: pairs of records in one entity whose scored records all reach it are right in 999 of 1,000 (bench.doubts)
SURE = 4.0


def doubts(
    edges: pd.DataFrame, node: Integers, group: Integers, held: pd.Series, enough: float, judged: pd.DataFrame
) -> pd.DataFrame:
    """The doubtful entities, the likeliest first: `cluster`, `position` (the record asked about), `weight`, `reason`.

    edges: scored pairs `a`, `b` (positions), `weight`, `apart`. node, group: the sure group and the final cluster of each
    position. held: by sure group, a value of which no two different ones are one entity's (a trusted number). enough: log2
    odds that join two clusters of one record each. judged: `a`, `b` (positions) that a person has decided.
    """
    tie = _ties(edges, node, group)
    weak = _weak(tie, node, group)
    near = _near(edges[edges["weight"] >= enough], np.where(np.isin(node, held.index), np.inf, tie[node]), group, held)
    ends = judged.to_numpy(dtype=np.int64)
    weak = weak[~weak["position"].isin(node[ends.ravel()])]
    met = pd.MultiIndex.from_arrays(group[np.concatenate([ends, ends[:, ::-1]])].T)
    near = near[~pd.MultiIndex.from_arrays([near["cluster"], group[near["position"]]]).isin(met)]
    lines = pd.concat([weak, near], ignore_index=True)
    return lines.sort_values(["weight", "cluster", "position"], ascending=[False, True, True], ignore_index=True)


def _ties(edges: pd.DataFrame, node: Integers, group: Integers) -> Floats:
    """By sure group: its best score with the others of its cluster, minus infinity where there is none."""
    inside = edges[group[edges["a"]] == group[edges["b"]]]
    best = np.full(len(node), -np.inf)
    for side in ("a", "b"):
        np.maximum.at(best, node[inside[side]], inside["weight"].to_numpy())
    return best


def _weak(tie: Floats, node: Integers, group: Integers) -> pd.DataFrame:
    """Of each cluster of several sure groups, those that no score ties firmly; the largest group is the entity."""
    size = np.bincount(node, minlength=len(node))
    parts = np.flatnonzero((node == np.arange(len(node))) & np.isfinite(tie))
    found = pd.DataFrame({"cluster": group[parts], "position": parts, "weight": tie[parts], "size": size[parts]})
    first = found.sort_values(["cluster", "size", "position"], ascending=[True, False, True]).drop_duplicates("cluster")
    weak = found[(found["weight"] < SURE) & ~found["position"].isin(first["position"])]
    return weak.drop(columns="size").assign(reason="weak")


def _near(edges: pd.DataFrame, tie: Floats, group: Integers, held: pd.Series) -> pd.DataFrame:
    """The pairs of clusters that one score would have joined, asked about the end that is tied the least."""
    edges = edges[group[edges["a"]] != group[edges["b"]]]
    a, b = edges["a"].to_numpy(), edges["b"].to_numpy()
    size = np.bincount(group, minlength=len(group))
    one, two = size[group[a]], size[group[b]]
    first = np.select([tie[a] != tie[b], one != two], [tie[a] < tie[b], one < two], default=a > b)
    ask, entity = np.where(first, a, b), group[np.where(first, b, a)]
    found = edges.assign(cluster=entity, position=ask, low=np.minimum(entity, group[ask]), other=group[ask])
    found["high"] = np.maximum(found["cluster"], found["other"])
    found["apart"] = found.groupby(["low", "high"])["apart"].transform("any")
    best = found.sort_values(["weight", "position"], ascending=[False, True]).drop_duplicates(["low", "high"])
    value = held.groupby(group[held.index]).first()
    low, high = best["low"].map(value), best["high"].map(value)
    rule = (best["apart"] | (low.notna() & high.notna() & (low != high))).to_numpy(dtype=bool)
    open_ = ~rule | (tie[best["position"]] <= best["weight"].to_numpy())
    best = best.assign(reason=np.where(rule, "held", "contradicted"))
    return best.loc[open_, ["cluster", "position", "weight", "reason"]]
