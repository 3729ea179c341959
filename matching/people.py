"""People: which records speak of the same person.

First the exact pass: rows whose valid number is surely their own, by it. Then each row left is compared with the rows
that share a key with it, the levels of agreement are scored by the model, and the constrained clustering joins what
belongs together: never two trusted numbers, never what a person judged to be different.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.blocking import candidates
from matching.cluster import Rules, cluster
from matching.evidence import Homes, gather
from matching.levels import Comparer, impossible
from matching.model import Model, predict
from matching.training import train_people
from schemas.records import Matched, Records

Integers = npt.NDArray[np.int64]
# log2 odds of the linkage two clusters need. Below even odds, since the mean in it counts pairs that are weak only because
# little is known of them; on three made-up towns pairwise F1 is best here, with 998 pairs in 1,000 right.
JOIN = -2.0
KEEP = -6.0  # log2 odds from which a pair is kept for review; below, it is one to sixty-four against
VARIANT = (
    "name", "former", "birth", "sex", "phone", "dwelling", "building", "household_number", "head_id", "relation",
    "id_mask", "ethnicity", "registered", "room", "beside_dwelling", "beside_building",
)  # fmt: skip


@dataclass(frozen=True)
class PeopleMatch:
    """matched: members and edges of type person. model: the one that scored. report: counts, and seconds by step."""

    matched: Matched
    model: Model
    report: dict[str, float] = field(default_factory=dict)


class _Clock:
    def __init__(self) -> None:
        self.report: dict[str, float] = {}
        self.last = time.perf_counter()

    def step(self, name: str) -> None:
        now = time.perf_counter()
        self.report[f"{name}_seconds"] = round(now - self.last, 3)
        self.last = now


def match_people(
    records: Records, places: Homes, judgements: pd.DataFrame | None = None, model: Model | None = None
) -> PeopleMatch:
    """Cluster the person records.

    judgements: `rid_a`, `rid_b`, `verdict` (same | different), obeyed before any rule. model: None trains one now.
    The result depends on the records, judgements and model, not on the order of rows.
    """
    clock = _Clock()
    evidence = gather(records, places)
    node = exact_pass(evidence)
    clock.step("evidence")
    counts = {}
    if model is None:
        model, counts["blocking_recall"] = train_people(evidence, node)
    clock.step("train")
    edges, more = score(evidence, node, model)
    clock.step("score")
    on_nodes = edges.assign(a=node[edges["a"].to_numpy()], b=node[edges["b"].to_numpy()])
    found = cluster(on_nodes, np.unique(node), rules_of(evidence, node, judgements, on_nodes), JOIN)
    clock.step("cluster")
    matched = _matched(evidence, node, found, edges)
    clock.step("members")
    return PeopleMatch(matched, model, {**clock.report, **counts, **more, "people": int(found.nunique())})


def exact_pass(evidence: pd.DataFrame) -> Integers:
    """The group of each row: the first position of the rows with the same own number, itself where it has none."""
    position = pd.Series(np.arange(len(evidence)))
    number = evidence["id"].where(evidence["own"])
    first = position.groupby(number.to_numpy()).transform("min")
    return first.fillna(position).to_numpy(dtype=np.int64)


def score(evidence: pd.DataFrame, node: Integers, model: Model) -> tuple[pd.DataFrame, dict[str, float]]:
    """The scored candidate pairs (positions `a` < `b`, `weight`, `apart`: never one person, `levels` as the model packs
    them) and how many there were.

    A group of the exact pass is compared by its distinct variants alone: rows that say the same score the same.
    """
    chosen = np.flatnonzero(~evidence.assign(node=node).duplicated(["node", *VARIANT]))
    view = evidence.iloc[chosen].reset_index(drop=True)
    found = candidates(view, ~view["own"].to_numpy())
    levels = Comparer(view, model.tables).levels(found.a, found.b)
    pairs = {"a": chosen[found.a], "b": chosen[found.b], "weight": predict(model, levels), "apart": impossible(levels)}
    edges = pd.DataFrame({**pairs, "levels": model.pack(levels)})
    counts = {"rows": len(evidence), "loose": int((~evidence["own"]).sum()), "pairs": len(edges)}
    return edges, {**counts, "hubs": sum(found.hubs.values())}


def rules_of(evidence: pd.DataFrame, node: Integers, judgements: pd.DataFrame | None, edges: pd.DataFrame) -> Rules:
    """What clusters must hold to: trusted numbers, the pairs that are `apart`, and what people judged."""
    trusted = evidence.loc[evidence["trusted"].to_numpy(), ["id"]]
    apart = edges.loc[edges["apart"].to_numpy(dtype=bool), ["a", "b"]].drop_duplicates()
    exclusive = trusted.set_index(pd.Index(node[trusted.index])).groupby(level=0).first()
    if judgements is None or judgements.empty:
        return Rules(exclusive, apart)
    where = pd.Series(node, index=evidence["rid"].to_numpy())
    pairs = pd.DataFrame({"a": judgements["rid_a"].map(where), "b": judgements["rid_b"].map(where)})
    known = pairs.notna().all(axis=1)
    same = (judgements["verdict"] == "same").to_numpy()
    sides = [pairs[known & flag].astype("int64") for flag in (~same, same)]
    return Rules(exclusive, pd.concat([apart, sides[0]], ignore_index=True), sides[1])


def _matched(evidence: pd.DataFrame, node: Integers, found: pd.Series, edges: pd.DataFrame) -> Matched:
    rid = evidence["rid"].to_numpy()
    group = found.to_numpy()[np.searchsorted(found.index.to_numpy(), node)]
    members = pd.DataFrame({"rid": rid, "type": "person", "kind": "", "cluster": rid[group]})
    size = members.groupby("cluster")["rid"].transform("size").to_numpy()
    alone = np.bincount(node, minlength=len(node))[node] == size
    members["how"] = np.select([size == 1, alone, evidence["own"]], ["single", "exact_id", "exact_id"], default="model")
    members["weight"] = np.where(members["how"] == "model", _best(edges, group), np.nan)
    inside = group[edges["a"].to_numpy()] == group[edges["b"].to_numpy()]  # the linkage counted those that are weak too
    kept = edges[(edges["weight"] >= KEEP).to_numpy() | inside]
    pairs = {"type": "person", "rid_a": rid[kept["a"]], "rid_b": rid[kept["b"]]}
    scores = {name: kept[name].to_numpy() for name in ("weight", "levels")}
    return Matched(members=members, edges=pd.DataFrame({**pairs, **scores}))


def _best(edges: pd.DataFrame, group: Integers) -> npt.NDArray[np.float64]:
    """The best score of each position with another of its cluster; missing where none was scored."""
    a, b, weight = (edges[name].to_numpy() for name in ("a", "b", "weight"))
    inside = group[a] == group[b]
    best = np.full(len(group), -np.inf)
    np.maximum.at(best, a[inside], weight[inside])
    np.maximum.at(best, b[inside], weight[inside])
    return np.where(np.isinf(best), np.nan, best)
