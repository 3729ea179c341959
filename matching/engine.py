"""An engine compares people: it finds the pairs worth comparing, scores them, and clusters what belongs together.

It is a function of prepared columns, model and rules, and so there may be several: the one here works in this process,
`matching.spark` on other machines. All give the very same result: the same keys and limits choose the pairs, the same
ladders and weights score them, and the same constrained clustering joins them. Scores are whole millionths of a bit, so
that no engine's order of summing can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.blocking import candidates
from matching.cluster import Rules, cluster
from matching.levels import impossible, levels_of, listed_twice
from matching.model import Model, predict

Integers = npt.NDArray[np.int64]
Weigh = Callable[[Model, pd.DataFrame], npt.NDArray[np.float64]]  # the model's sum over levels: two ways, one result


@dataclass(frozen=True)
class Work:
    """What is to be compared.

    rows: evidence, one row each distinct variant of a group of the exact pass, numbered from 0. node: the group of each
    row. rules: between groups. join: log2 odds of the linkage two clusters need. keep: log2 odds from which pairs are of
    interest whether they join or not.
    """

    rows: pd.DataFrame
    node: Integers
    model: Model
    rules: Rules = field(default_factory=Rules)
    join: float = 0.0
    keep: float = 0.0

    @property
    def loose(self) -> npt.NDArray[np.bool_]:
        """The rows that no number of their own has placed: one at least is in every pair."""
        return ~self.rows["own"].to_numpy(dtype=bool)


@dataclass(frozen=True)
class Linked:
    """What an engine found.

    edges: scored pairs of rows (`a` < `b`, `weight`, `apart`: never one person, `levels`), sorted; those that score `keep` and more
    or lie in one cluster, no others.
    clusters: the cluster of each group, indexed by group; its value the smallest group of the cluster. counts: `pairs`
    compared, and `hubs`, the blocks skipped; seconds of the steps, as `score_seconds`.
    """

    edges: pd.DataFrame
    clusters: pd.Series
    counts: dict[str, float] = field(default_factory=dict)


Engine = Callable[[Work], Linked]


def in_process(work: Work) -> Linked:
    """The engine of one machine: numpy, and Splink on DuckDB for the weights."""
    edges, hubs = score(work)
    on_nodes = edges.assign(a=work.node[edges["a"].to_numpy()], b=work.node[edges["b"].to_numpy()])
    apart = on_nodes.loc[on_nodes["apart"].to_numpy(dtype=bool), ["a", "b"]].drop_duplicates()
    rules = replace(work.rules, apart=pd.concat([apart, work.rules.apart], ignore_index=True))
    clusters = cluster(on_nodes, np.unique(work.node), rules, work.join)
    return Linked(of_interest(edges, clusters, work), clusters, {"pairs": len(edges), "hubs": hubs})


def of_interest(edges: pd.DataFrame, clusters: pd.Series, work: Work) -> pd.DataFrame:
    """The edges that score `keep` and more, or lie in one cluster."""
    group = clusters.to_numpy()[np.searchsorted(clusters.index.to_numpy(), work.node)]
    inside = group[edges["a"].to_numpy()] == group[edges["b"].to_numpy()]
    kept = edges["weight"].to_numpy() >= work.keep
    return edges.iloc[np.flatnonzero(kept | inside)].reset_index(drop=True)


def score(work: Work) -> tuple[pd.DataFrame, int]:
    """The scored candidate pairs (`a` < `b`, `weight`, `apart`: never one person), and how many blocks were skipped."""
    found = candidates(work.rows, work.loose)
    verdict = compare(work.rows, work.model, (found.a, found.b), work.join, predict)
    return pd.concat([pd.DataFrame({"a": found.a, "b": found.b}), verdict], axis=1), sum(found.hubs.values())


def compare(
    rows: pd.DataFrame, model: Model, pairs: tuple[Integers, Integers], join: float, weigh: Weigh
) -> pd.DataFrame:
    """`weight`, `apart` (two people, whatever else speaks for one) and `levels` (as the model packs them) of pairs of positions in the rows, on every engine.

    They depend on the two rows and the model alone. join: log2 odds of the linkage two clusters need.
    """
    levels = levels_of(rows, model.tables, *pairs)
    weight = weigh(model, levels)
    return pd.DataFrame({"weight": weight, "apart": never_one(levels, weight, join), "levels": model.pack(levels)})


def never_one(levels: pd.DataFrame, weight: npt.NDArray[np.float64], join: float) -> npt.NDArray[np.bool_]:
    """The pairs that are two people, whatever else speaks for one: what cannot be, and what one list names twice."""
    return impossible(levels) | listed_twice(levels, weight < join)
