"""Constrained clustering: which scored pairs become one entity, with rules held for whole clusters.

Best-first agglomeration: the two clusters with the highest linkage join first, until none reaches the threshold. The
linkage of two clusters is half the best and half the mean of the known pair scores between them: the best alone chains
siblings, the mean alone splits people whose rows show different sides of them. A pair that was never scored says
nothing. Conflicts are checked between clusters, not between rows: that is what keeps a row without an id from bridging
two people who have one.

The result depends on the edges alone, never on their order: ties go to the smaller node numbers.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
BEST_SHARE = 0.5  # of the best pair in the linkage; the rest is the mean (measured on a made-up street)


def no_pairs() -> pd.DataFrame:
    """An empty frame of node pairs `a`, `b`."""
    return pd.DataFrame({"a": pd.Series(dtype="int64"), "b": pd.Series(dtype="int64")})


@dataclass(frozen=True)
class Rules:
    """What a cluster must hold to.

    exclusive: indexed by node, any columns; a cluster holds at most one known value of each (a trusted id, a code).
    apart: pairs `a`, `b` that never share a cluster. together: pairs that always do; they come first, and stand even
    where they break another rule (a person who judged has seen more than the rule).
    """

    exclusive: pd.DataFrame = field(default_factory=pd.DataFrame)
    apart: pd.DataFrame = field(default_factory=no_pairs)
    together: pd.DataFrame = field(default_factory=no_pairs)


class _Pairs(NamedTuple):
    """Distinct node pairs a < b (positions) with the best, the least, the sum and the number of their scores."""

    a: Integers
    b: Integers
    best: Floats
    least: Floats
    total: Floats
    number: Integers


def cluster(edges: pd.DataFrame, nodes: Iterable[int], rules: Rules | None = None, threshold: float = 0.0) -> pd.Series:
    """The cluster of each node: a Series indexed by the sorted nodes, its value the smallest node of the cluster.

    edges: `a`, `b`, `weight` (log2 odds; several lines a pair count as several known scores); ends that are no node are
    left out. threshold: the linkage two clusters need to join. Time is near linear in the edges.
    """
    held = rules or Rules()
    names = np.unique(np.fromiter(nodes, dtype=np.int64))
    start = components(*_positions(held.together, names), len(names))
    pairs = _gather(edges, names, start)
    firm = pairs.best >= threshold
    group = components(
        np.concatenate([pairs.a[firm], start]), np.concatenate([pairs.b[firm], np.arange(len(names))]), len(names)
    )
    labels = _codes(held.exclusive, names)
    apart = np.stack(_positions(held.apart, names), axis=1)
    hard = _hard_groups(pairs, group, labels, apart, threshold)
    found = np.where(np.isin(group, hard), start, group)
    _agglomerate(
        _only(pairs, (group[pairs.a] == group[pairs.b]) & np.isin(group[pairs.a], hard)),
        found,
        labels,
        apart,
        threshold,
    )
    return pd.Series(names[found], index=pd.Index(names, name="node"), name="cluster")


def components(a: Integers, b: Integers, size: int) -> Integers:
    """The smallest member of each position's connected component, by label propagation with pointer jumping."""
    label = np.arange(size, dtype=np.int64)
    while len(a):
        low = np.minimum(label[a], label[b])
        before = label.copy()
        np.minimum.at(label, label[a], low)
        np.minimum.at(label, label[b], low)
        label = _settle(label)
        if np.array_equal(before, label):
            break
        open_ = label[a] != label[b]
        a, b = a[open_], b[open_]
    return label


def _settle(label: Integers) -> Integers:
    while True:
        further = label[label]
        if np.array_equal(further, label):
            return label
        label = further


def _positions(pairs: pd.DataFrame, names: Integers) -> tuple[Integers, Integers]:
    a = pairs["a"].to_numpy(dtype=np.int64)
    b = pairs["b"].to_numpy(dtype=np.int64)
    if not len(names):
        return a[:0], b[:0]
    at, bt = (np.searchsorted(names, side).clip(max=len(names) - 1) for side in (a, b))
    known = (names[at] == a) & (names[bt] == b)
    return at[known], bt[known]


def _gather(edges: pd.DataFrame, names: Integers, start: Integers) -> _Pairs:
    """The edges between the starting clusters, one line a pair."""
    if not len(names) or edges.empty:
        none, weights = np.empty(0, np.int64), np.empty(0)
        return _Pairs(none, none, weights, weights, weights, none)
    known = edges["a"].isin(names) & edges["b"].isin(names)
    a, b = (start[side] for side in _positions(edges[known], names))
    weight = edges.loc[known, "weight"].to_numpy(dtype=np.float64)
    low, high = np.minimum(a, b), np.maximum(a, b)
    order = np.lexsort((weight, high, low))
    order = order[low[order] != high[order]]
    low, high, weight = low[order], high[order], weight[order]
    first = np.flatnonzero(np.r_[True, (low[1:] != low[:-1]) | (high[1:] != high[:-1])][: len(low)])
    if not len(first):
        return _Pairs(low, high, weight, weight, weight, low)
    count = np.diff(np.r_[first, len(low)])
    best, total = weight[first + count - 1], np.add.reduceat(weight, first)
    return _Pairs(low[first], high[first], best, weight[first], total, count)


def _only(pairs: _Pairs, keep: npt.NDArray[np.bool_]) -> _Pairs:
    a, b, best, least, total, number = pairs
    return _Pairs(a[keep], b[keep], best[keep], least[keep], total[keep], number[keep])


def _codes(exclusive: pd.DataFrame, names: Integers) -> Integers:
    """The exclusive values as codes, a row a node and a column a rule; -1 where nothing is known."""
    if exclusive.empty:
        return np.empty((len(names), 0), dtype=np.int64)
    aligned = exclusive.reindex(names)
    return np.stack([pd.factorize(aligned[name], use_na_sentinel=True)[0] for name in aligned], axis=1).astype(np.int64)


def _hard_groups(pairs: _Pairs, group: Integers, labels: Integers, apart: Integers, threshold: float) -> Integers:
    """The connected groups that are not plainly one cluster: a low score, a conflict, a pair held apart.

    In all others every linkage stays at or above the threshold whatever the order, so that the group is the cluster.
    """
    inside = group[pairs.a] == group[pairs.b]
    weak = inside & (pairs.least < threshold)
    torn = group[apart[:, 0]][group[apart[:, 0]] == group[apart[:, 1]]] if len(apart) else np.empty(0, np.int64)
    return np.unique(np.concatenate([group[pairs.a[weak]], torn, *(_torn(group, column) for column in labels.T)]))


def _torn(group: Integers, codes: Integers) -> Integers:
    """The groups that hold two values of one exclusive column."""
    known = codes >= 0
    distinct: Integers = np.unique(np.stack([group[known], codes[known]], axis=1), axis=0)[:, 0]
    repeated: Integers = distinct[1:][distinct[1:] == distinct[:-1]]
    return repeated


class _Heap:
    """The agglomeration itself: live clusters, the scores between them, and what each must not meet."""

    def __init__(self, threshold: float, labels: Integers, apart: Integers) -> None:
        self.threshold = threshold
        self.links: dict[int, dict[int, tuple[float, float, int]]] = {}
        self.values: dict[int, tuple[frozenset[int], ...]] = {}
        self.foes: dict[int, set[int]] = {}
        self.members: dict[int, list[int]] = {}
        self.queue: list[tuple[float, int, int]] = []
        self.labels, self.apart = labels, apart

    def add(self, node: int, members: list[int]) -> None:
        self.members[node] = members
        self.links.setdefault(node, {})
        self.values[node] = tuple(
            frozenset(code for code in self.labels[members, column].tolist() if code >= 0)
            for column in range(self.labels.shape[1])
        )

    def connect(self, a: int, b: int, known: tuple[float, float, int]) -> None:
        self.links[a][b] = known
        self.links[b][a] = known
        linkage = BEST_SHARE * known[0] + (1 - BEST_SHARE) * known[1] / known[2]
        if linkage >= self.threshold:
            heapq.heappush(self.queue, (-linkage, min(a, b), max(a, b)))

    def current(self, linkage: float, a: int, b: int) -> bool:
        """Whether a queued pair still stands: both clusters live and their linkage unchanged."""
        known = self.links.get(a, {}).get(b)
        return known is not None and linkage == BEST_SHARE * known[0] + (1 - BEST_SHARE) * known[1] / known[2]

    def conflict(self, a: int, b: int) -> bool:
        if b in self.foes.get(a, ()):
            return True
        return any(
            one and two and not (one <= two or two <= one)
            for one, two in zip(self.values[a], self.values[b], strict=True)
        )

    def part(self, a: int, b: int) -> None:
        """Two clusters in conflict never join, nor does what they grow into."""
        del self.links[a][b], self.links[b][a]
        self.foes.setdefault(a, set()).add(b)
        self.foes.setdefault(b, set()).add(a)

    def join(self, a: int, b: int) -> None:
        """Merge into the smaller name; scores to a common neighbour add up."""
        keep, gone = (a, b) if a < b else (b, a)
        self.members[keep] += self.members.pop(gone)
        self.values[keep] = tuple(one | two for one, two in zip(self.values[keep], self.values.pop(gone), strict=True))
        for foe in self.foes.pop(gone, ()):
            self.foes[foe].discard(gone)
            self.foes[foe].add(keep)
            self.foes.setdefault(keep, set()).add(foe)
        moved = self.links.pop(gone)
        moved.pop(keep, None)
        self.links[keep].pop(gone, None)
        for other, known in moved.items():
            del self.links[other][gone]
            present = self.links[keep].get(other)
            merged = (
                known if present is None else (max(known[0], present[0]), known[1] + present[1], known[2] + present[2])
            )
            self.connect(keep, other, merged)


def merges(
    edges: pd.DataFrame, nodes: Iterable[int], rules: Rules | None = None, threshold: float = 0.0
) -> pd.DataFrame:
    """The joins by which `cluster` makes its clusters, in their order: `a`, `b` (smallest nodes of the two), `linkage`.

    What is judged to be together comes first, with a missing linkage. For the records of a few clusters alone the joins
    inside each are the same as among all: what lies outside never joined them.
    """
    held = rules or Rules()
    names = np.unique(np.fromiter(nodes, dtype=np.int64))
    start = components(*_positions(held.together, names), len(names))
    apart = np.stack(_positions(held.apart, names), axis=1)
    state = _begin(_gather(edges, names, start), start, _codes(held.exclusive, names), apart, threshold)
    judged = [(start[at], at, np.nan) for at in np.flatnonzero(start != np.arange(len(names)))]
    found = pd.DataFrame([*judged, *_drain(state)], columns=["a", "b", "linkage"])
    sides = {name: names[found[name].to_numpy(dtype=np.int64)] for name in ("a", "b")}
    return pd.DataFrame({**sides, "linkage": found["linkage"].astype("float64")})


def _agglomerate(pairs: _Pairs, found: Integers, labels: Integers, apart: Integers, threshold: float) -> None:
    """Merge, best linkage first; `found` is changed in place from starting clusters to final ones."""
    state = _begin(pairs, found, labels, apart, threshold)
    for _ in _drain(state):
        pass
    for name, rows in state.members.items():
        found[rows] = name


def _begin(pairs: _Pairs, found: Integers, labels: Integers, apart: Integers, threshold: float) -> _Heap:
    """The starting clusters with the scores between them."""
    state = _Heap(threshold, labels, apart)
    touched = np.union1d(pairs.a, pairs.b)
    if not len(touched):
        return state
    where = np.flatnonzero(np.isin(found, touched))
    where = where[np.argsort(found[where], kind="stable")]
    edges_of = np.flatnonzero(np.r_[True, found[where][1:] != found[where][:-1]])
    for members in np.split(where, edges_of[1:]):
        state.add(int(found[members[0]]), members.tolist())
    for one, two in found[apart].tolist():
        if one in state.members and two in state.members and one != two:
            state.foes.setdefault(one, set()).add(two)
            state.foes.setdefault(two, set()).add(one)
    for a, b, best, _, total, count in zip(*(column.tolist() for column in pairs), strict=True):
        state.connect(a, b, (best, total, count))
    return state


def _drain(state: _Heap) -> Iterator[tuple[int, int, float]]:
    """Joins until no linkage reaches the threshold; gives each join."""
    while state.queue:
        linkage, a, b = heapq.heappop(state.queue)
        if not state.current(-linkage, a, b):
            continue
        if state.conflict(a, b):
            state.part(a, b)
        else:
            state.join(a, b)
            yield a, b, -linkage
