"""Doubt: which entities a person should look at, and at which record.

A line is one question, "does this record belong to that entity?", of one of three reasons:

- weak: the record was joined, but its best score with the rest of the entity is below SURE;
- contradicted: a pair score would have been enough to join two entities, but other scores between them speak against;
- held: the same, and a rule keeps the two apart (two trusted numbers, another birth date, a number borrowed).

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
SURE = 2.0


def doubts(
    edges: pd.DataFrame, node: Integers, group: Integers, held: pd.Series, enough: float, judged: pd.DataFrame
) -> pd.DataFrame:
    """The doubtful entities, the likeliest first: `cluster`, `position` (the record asked about), `weight`, `reason`.

    edges: scored pairs `a`, `b` (positions), `weight`, `apart`. node, group: the sure group and the final cluster of each
    position. held: by cluster, a value of which no two different ones are one entity's (a trusted number). enough: log2
    odds that join two clusters of one record each. judged: `a`, `b` (positions) that a person has decided.
    """
    weak, near = _weak(edges, node, group), _near(edges, group, held, enough)
    ends = judged.to_numpy(dtype=np.int64)
    weak = weak[~weak["position"].isin(node[ends.ravel()])]
    met = pd.MultiIndex.from_arrays(group[np.concatenate([ends, ends[:, ::-1]])].T)
    near = near[~pd.MultiIndex.from_arrays([near["cluster"], group[near["position"]]]).isin(met)]
    lines = pd.concat([weak, near], ignore_index=True)
    return lines.sort_values(["weight", "cluster", "position"], ascending=[False, True, True], ignore_index=True)


def _weak(edges: pd.DataFrame, node: Integers, group: Integers) -> pd.DataFrame:
    """Of each cluster of several sure groups, the groups that no score ties firmly; the largest group is the entity."""
    inside = edges[group[edges["a"]] == group[edges["b"]]]
    best = np.full(len(node), -np.inf)
    for side in ("a", "b"):
        np.maximum.at(best, node[inside[side]], inside["weight"].to_numpy())
    size = np.bincount(node, minlength=len(node))
    parts = np.flatnonzero((node == np.arange(len(node))) & np.isfinite(best))
    found = pd.DataFrame({"cluster": group[parts], "position": parts, "weight": best[parts], "size": size[parts]})
    first = found.sort_values(["cluster", "size", "position"], ascending=[True, False, True]).drop_duplicates("cluster")
    weak = found[(found["weight"] < SURE) & ~found["position"].isin(first["position"])]
    return weak.drop(columns="size").assign(reason="weak")


def _near(edges: pd.DataFrame, group: Integers, held: pd.Series, enough: float) -> pd.DataFrame:
    """The pairs of clusters that one score would have joined: the record of the smaller one is asked about."""
    near = edges[(edges["weight"] >= enough) & (group[edges["a"]] != group[edges["b"]])]
    size = np.bincount(group, minlength=len(group))
    a, b = near["a"].to_numpy(), near["b"].to_numpy()
    one, two = size[group[a]], size[group[b]]
    first = (one < two) | ((one == two) & (group[a] > group[b]))
    ask, entity = np.where(first, a, b), group[np.where(first, b, a)]
    found = near.assign(cluster=entity, position=ask, other=group[ask])
    found["apart"] = found.groupby(["cluster", "other"])["apart"].transform("any")
    best = found.sort_values(["weight", "position"], ascending=[False, True]).drop_duplicates(["cluster", "other"])
    values = [best[side].map(held) for side in ("cluster", "other")]
    differ = values[0].notna() & values[1].notna() & (values[0] != values[1])
    rule = best["apart"].to_numpy(dtype=bool) | differ.to_numpy()
    reason = np.where(rule, "held", "contradicted")
    lines: pd.DataFrame = best[["cluster", "position", "weight"]].assign(reason=reason)
    return lines
