"""Constrained clustering against slow oracles: the same greedy written plainly, and every partition."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.cluster import BEST_SHARE, Rules, _Heap, cluster, components

Edge = tuple[int, int, float]
SCORES = [-8.0, -3.0, -1.0, 1.0, 2.0, 3.0, 5.0, 9.0]
graphs = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from(SCORES)).filter(lambda e: e[0] != e[1]), max_size=16
)
labellings = st.lists(st.sampled_from([None, None, "x", "y"]), min_size=7, max_size=7)
pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda e: e[0] != e[1]), max_size=2)


def frame(edges: list[Edge]) -> pd.DataFrame:
    return pd.DataFrame(edges, columns=["a", "b", "weight"]).astype({"a": "int64", "b": "int64", "weight": "float64"})


def rules(labels: list[str | None], apart: list[tuple[int, int]]) -> Rules:
    pairs = pd.DataFrame(apart, columns=["a", "b"]).astype("int64")
    return Rules(exclusive=pd.DataFrame({"id": pd.Series(labels, dtype="str")}), apart=pairs)


def groups(found: pd.Series) -> set[frozenset[int]]:
    return {frozenset(part.index) for _, part in found.groupby(found)}


def allowed(members: list[int], labels: list[str | None], apart: list[tuple[int, int]]) -> bool:
    known = {labels[node] for node in members} - {None}
    return len(known) < 2 and not any(a in members and b in members for a, b in apart)


def plain_greedy(edges: list[Edge], labels: list[str | None], apart: list[tuple[int, int]]) -> set[frozenset[int]]:
    """The definition, word for word: join the two clusters with the best allowed linkage until none reaches zero."""
    parts = [frozenset([node]) for node in range(len(labels))]
    while True:
        found = []
        for one, two in itertools.combinations(sorted(parts, key=min), 2):
            known = sorted(w for a, b, w in edges if (a in one and b in two) or (a in two and b in one))
            if known and allowed([*one, *two], labels, apart):
                linkage = BEST_SHARE * max(known) + (1 - BEST_SHARE) * sum(known) / len(known)
                found.append((-linkage, min(one), min(two), one, two))
        if not found or min(found)[0] > 0:
            return set(parts)
        _, _, _, one, two = min(found)
        parts = [part for part in parts if part not in (one, two)] + [one | two]


def partitions(nodes: list[int]) -> Iterator[list[list[int]]]:
    if not nodes:
        yield []
        return
    for rest in partitions(nodes[1:]):
        for at in range(len(rest)):
            yield [*rest[:at], [nodes[0], *rest[at]], *rest[at + 1 :]]
        yield [[nodes[0]], *rest]


def value(parts: list[list[int]], edges: list[Edge]) -> float:
    where = {node: number for number, part in enumerate(parts) for node in part}
    return sum(w for a, b, w in edges if where[a] == where[b])


@given(graphs, labellings, pairs)
@settings(max_examples=300, deadline=None)
def test_does_what_its_definition_says(
    edges: list[Edge], labels: list[str | None], apart: list[tuple[int, int]]
) -> None:
    found = cluster(frame(edges), range(7), rules(labels, apart))
    assert groups(found) == plain_greedy(edges, labels, apart)


@given(graphs, labellings, pairs, st.randoms())
@settings(max_examples=100, deadline=None)
def test_order_of_edges_does_not_matter(edges, labels, apart, random) -> None:  # type: ignore[no-untyped-def]
    turned = [(b, a, w) if random.random() < 0.5 else (a, b, w) for a, b, w in edges]
    random.shuffle(turned)
    held = rules(labels, apart)
    pd.testing.assert_series_equal(cluster(frame(edges), range(7), held), cluster(frame(turned), range(7), held))


@given(graphs, labellings, pairs)
@settings(max_examples=100, deadline=None)
def test_no_rule_is_ever_broken(edges: list[Edge], labels: list[str | None], apart: list[tuple[int, int]]) -> None:
    for part in groups(cluster(frame(edges), range(7), rules(labels, apart))):
        assert allowed(sorted(part), labels, apart)


def test_near_the_best_correlation_clustering() -> None:
    """Summed over graphs like ours (few people, one score in nine of the wrong sign), 95 % of the best is reached."""
    random = np.random.default_rng(7)
    reached = best = 0.0
    for _ in range(60):
        person = random.integers(0, 3, 6)
        labels = [f"id{person[node]}" if random.random() < 0.4 else None for node in range(6)]
        edges = []
        for a, b in itertools.combinations(range(6), 2):
            if random.random() < 0.8:
                edges.append((a, b, random.normal(6.0 if person[a] == person[b] else -6.0, 5.0)))
        found = cluster(frame(edges), range(6), rules(labels, []))
        options = (p for p in partitions(list(range(6))) if all(allowed(part, labels, []) for part in p))
        best += max(value(parts, edges) for parts in options)
        reached += value([sorted(part) for part in groups(found)], edges)
    assert reached >= 0.95 * best


def test_a_row_without_id_does_not_bridge_two_people() -> None:
    edges = frame([(1, 2, 9.0), (2, 3, 8.0)])
    held = Rules(exclusive=pd.DataFrame({"id": pd.Series(["x", "y"], index=[1, 3], dtype="str")}))
    assert groups(cluster(edges, [1, 2, 3], held)) == {frozenset([1, 2]), frozenset([3])}


def test_judgements_come_before_rules() -> None:
    same = pd.DataFrame({"a": [1], "b": [3]})
    held = Rules(exclusive=pd.DataFrame({"id": pd.Series(["x", "y"], index=[1, 3], dtype="str")}), together=same)
    assert groups(cluster(frame([]), [1, 2, 3], held)) == {frozenset([1, 3]), frozenset([2])}


def test_half_best_half_mean_stops_a_chain() -> None:
    chain = frame([(1, 2, 6.0), (2, 3, 4.0), (1, 3, -20.0)])
    assert groups(cluster(chain, [1, 2, 3])) == {frozenset([1, 2]), frozenset([3])}


def test_components_are_named_by_their_smallest() -> None:
    a, b = np.array([5, 3, 1]), np.array([3, 4, 0])
    assert components(a, b, 6).tolist() == [0, 0, 2, 3, 3, 3]


def test_ends_that_are_no_node_are_left_out() -> None:
    assert cluster(frame([(1, 99, 5.0)]), [1, 2]).tolist() == [1, 2]


def test_no_nodes() -> None:
    assert cluster(frame([]), []).empty


@given(graphs, labellings, pairs, st.permutations(range(7)))
@settings(max_examples=100, deadline=None)
def test_names_of_nodes_do_not_matter_where_scores_differ(edges, labels, apart, new) -> None:  # type: ignore[no-untyped-def]
    distinct = [(a, b, w + np.sin(n + 1) / 64) for n, (a, b, w) in enumerate(dict.fromkeys(edges))]
    found = cluster(frame(distinct), range(7), rules(labels, apart))
    turned = [(new[a], new[b], w) for a, b, w in distinct]
    named = [labels[new.index(node)] for node in range(7)]
    again = cluster(frame(turned), range(7), rules(named, [(new[a], new[b]) for a, b in apart]))
    assert groups(again) == {frozenset(new[node] for node in part) for part in groups(found)}


def test_work_grows_with_the_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight times the street, about eight times the steps: counted, since seconds depend on what else a machine does."""
    steps = []
    seen = _Heap.current
    monkeypatch.setattr(_Heap, "current", lambda *arguments: steps.append(1) or seen(*arguments))
    counts = []
    for homes in (200, 1600):
        random = np.random.default_rng(5)
        a = np.repeat(np.arange(homes) * 8, 20) + random.integers(0, 8, 20 * homes)
        b = np.repeat(np.arange(homes) * 8, 20) + random.integers(0, 8, 20 * homes)
        edges = pd.DataFrame({"a": a, "b": b, "weight": random.normal(0, 5, 20 * homes)})
        steps.clear()
        cluster(edges[edges["a"] != edges["b"]], range(8 * homes))
        counts.append(len(steps))
    assert 1000 < counts[1] < 10 * counts[0]


def test_a_hundred_thousand_pairs_take_seconds() -> None:
    random = np.random.default_rng(3)
    a = random.integers(0, 50_000, 100_000)
    edges = pd.DataFrame(
        {"a": a, "b": (a + random.integers(1, 4, 100_000)) % 50_000, "weight": random.normal(0, 4, 100_000)}
    )
    assert len(cluster(edges, range(50_000))) == 50_000
