"""People: which records speak of the same person.

First the exact pass: rows whose valid number is surely their own, by it. Then each row left is compared with the rows
that share a key with it, the levels of agreement are scored by the model, and the constrained clustering joins what
belongs together: never two trusted numbers, never what a person judged to be different.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.cluster import Rules
from matching.doubt import doubts
from matching.engine import Engine, Linked, Work, in_process
from matching.evidence import Homes, gather
from matching.model import Model
from matching.training import train_people
from schemas.records import DOUBT_COLUMNS, Matched, Records

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
    """matched: members, edges and doubts of type person. model: the one that scored. evidence: what each record says.
    report: counts, and seconds by step.
    """

    matched: Matched
    model: Model
    evidence: pd.DataFrame
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
    records: Records,
    places: Homes,
    judgements: pd.DataFrame | None = None,
    model: Model | None = None,
    engine: Engine = in_process,
) -> PeopleMatch:
    """Cluster the person records.

    judgements: `rid_a`, `rid_b`, `verdict` (same | different), obeyed before any rule. model: None trains one now.
    The result depends on the records, judgements and model, not on the engine or the order of rows.
    """
    clock = _Clock()
    evidence = gather(records, places, model.tables if model else None)
    node = exact_pass(evidence)
    clock.step("evidence")
    counts = {}
    if model is None:
        model, counts["blocking_recall"] = train_people(evidence, node)
    clock.step("train")
    judged = _judged(evidence, judgements)
    work, chosen = compared(evidence, node, model, judged)
    linked = engine(work)
    clock.step("link")
    matched = _matched(evidence, node, linked, chosen, work.rules, judged)
    clock.step("members")
    counts |= {"rows": len(evidence), "loose": int((~evidence["own"]).sum()), "people": linked.clusters.nunique()}
    counts |= {"doubts": len(matched.doubts)}
    return PeopleMatch(matched, model, evidence, {**clock.report, **counts, **linked.counts})


def exact_pass(evidence: pd.DataFrame) -> Integers:
    """The group of each row: the first position of the rows with the same own number, itself where it has none."""
    position = pd.Series(np.arange(len(evidence)))
    number = evidence["id"].where(evidence["own"])
    first = position.groupby(number.to_numpy()).transform("min")
    return first.fillna(position).to_numpy(dtype=np.int64)


def compared(
    evidence: pd.DataFrame, node: Integers, model: Model, judged: pd.DataFrame | None = None
) -> tuple[Work, Integers]:
    """The work of the engine, and the position in the evidence of each of its rows.

    A group of the exact pass is compared by its distinct variants alone: rows that say the same score the same.
    """
    chosen = np.flatnonzero(~evidence.assign(node=node).duplicated(["node", *VARIANT]))
    rows = evidence.iloc[chosen].reset_index(drop=True)
    rules = _rules(evidence, node, _judged(evidence, None) if judged is None else judged)
    return Work(rows, node[chosen], model, rules, JOIN, KEEP), chosen


def rules_of(evidence: pd.DataFrame, node: Integers, judgements: pd.DataFrame | None, edges: pd.DataFrame) -> Rules:
    """What clusters must hold to: trusted numbers, the pairs that are `apart`, and what people judged."""
    rules = _rules(evidence, node, _judged(evidence, judgements))
    apart = edges.loc[edges["apart"].to_numpy(dtype=bool), ["a", "b"]].drop_duplicates()
    return replace(rules, apart=pd.concat([apart, rules.apart], ignore_index=True))


def _judged(evidence: pd.DataFrame, judgements: pd.DataFrame | None) -> pd.DataFrame:
    """What persons decided, by positions: `a`, `b`, `verdict`; of records that are still there."""
    if judgements is None or judgements.empty:
        return pd.DataFrame({"a": [], "b": [], "verdict": []}).astype({"a": "int64", "b": "int64", "verdict": "str"})
    where = pd.Series(np.arange(len(evidence)), index=evidence["rid"].to_numpy())
    ends = {side: judgements[f"rid_{side}"].map(where) for side in "ab"}
    return judgements[["verdict"]].assign(**ends).dropna().astype({"a": "int64", "b": "int64"})


def _rules(evidence: pd.DataFrame, node: Integers, judged: pd.DataFrame) -> Rules:
    trusted = evidence.loc[evidence["trusted"].to_numpy(), ["id"]]
    exclusive = trusted.set_index(pd.Index(node[trusted.index])).groupby(level=0).first()
    sides = judged.assign(a=node[judged["a"]], b=node[judged["b"]])
    same = (judged["verdict"] == "same").to_numpy()
    return Rules(exclusive, sides.loc[~same, ["a", "b"]], sides.loc[same, ["a", "b"]])


def _matched(
    evidence: pd.DataFrame, node: Integers, linked: Linked, chosen: Integers, rules: Rules, judged: pd.DataFrame
) -> Matched:
    rid, found = evidence["rid"].to_numpy(), linked.clusters
    edges = linked.edges.assign(a=chosen[linked.edges["a"]], b=chosen[linked.edges["b"]])
    group = found.to_numpy()[np.searchsorted(found.index.to_numpy(), node)]
    asked = doubts(edges, node, group, rules.exclusive["id"], JOIN, judged[["a", "b"]])
    members = pd.DataFrame({"rid": rid, "type": "person", "kind": "", "cluster": rid[group]})
    size = members.groupby("cluster")["rid"].transform("size").to_numpy()
    alone = np.bincount(node, minlength=len(node))[node] == size
    members["how"] = np.select([size == 1, alone, evidence["own"]], ["single", "exact_id", "exact_id"], default="model")
    members["weight"] = np.where(members["how"] == "model", _best(edges, group), np.nan)
    # pairs inside a cluster are kept however weak: the linkage counted them
    pairs = {"type": "person", "rid_a": rid[edges["a"]], "rid_b": rid[edges["b"]]}
    scores = {name: edges[name].to_numpy() for name in ("weight", "levels")}
    lines = asked.assign(type="person", cluster=rid[asked["cluster"]], rid=rid[asked["position"]])
    return Matched(members=members, edges=pd.DataFrame({**pairs, **scores}), doubts=lines[list(DOUBT_COLUMNS)])


def _best(edges: pd.DataFrame, group: Integers) -> npt.NDArray[np.float64]:
    """The best score of each position with another of its cluster; missing where none was scored."""
    a, b, weight = (edges[name].to_numpy() for name in ("a", "b", "weight"))
    inside = group[a] == group[b]
    best = np.full(len(group), -np.inf)
    np.maximum.at(best, a[inside], weight[inside])
    np.maximum.at(best, b[inside], weight[inside])
    return np.where(np.isinf(best), np.nan, best)
