"""What an explanation says of a pair is what was computed, and the joins are those that made the clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from matching.cluster import cluster, merges
from matching.engine import score
from matching.evidence import gather
from matching.explain import compare_anew, explain, shared_keys, total, waterfall
from matching.levels import LEVELS
from matching.people import JOIN, PeopleMatch, compared, exact_pass, match_people, rules_of
from matching.words import ALONE, COMPARISONS, FROM_OTHERS, LEVEL_WORDS


@pytest.fixture(scope="module")
def found(street: Any) -> PeopleMatch:
    return match_people(street.records, street.places)


def test_every_level_has_words_in_both_languages() -> None:
    assert set(COMPARISONS) == {"base", *LEVELS}
    for name, levels in LEVELS.items():
        assert tuple(LEVEL_WORDS[name]) == levels
        assert all(words.zh and words.en for words in LEVEL_WORDS[name].values())
        assert ALONE.get(name, frozenset()) <= set(levels)
    assert set(ALONE) <= set(FROM_OTHERS) <= set(LEVELS)


def test_the_steps_of_every_kept_pair_sum_to_its_weight(found: PeopleMatch) -> None:
    edges = found.matched.edges
    assert len(edges) > 100
    sums = np.array([total(explain(found.model, packed)) for packed in edges["levels"].tolist()])
    assert np.abs(sums - edges["weight"].to_numpy()).max() < 1e-6


def test_levels_are_unpacked_as_they_were_packed(found: PeopleMatch) -> None:
    rows = pd.DataFrame(
        {name: [-1, 0, len(ladder) - 1, at % len(ladder)] for at, (name, ladder) in enumerate(LEVELS.items())}
    )
    again = found.model.unpack(pd.Series(found.model.pack(rows)))
    pd.testing.assert_frame_equal(again[list(LEVELS)], rows.astype("int64"))


def scored(evidence: pd.DataFrame, node: np.typing.NDArray[np.int64], found: PeopleMatch) -> pd.DataFrame:
    """The scored pairs by positions in the evidence."""
    work, chosen = compared(evidence, node, found.model)
    edges, _ = score(work)
    return edges.assign(a=chosen[edges["a"].to_numpy()], b=chosen[edges["b"].to_numpy()])


def test_the_joins_make_the_clusters_that_clustering_makes(street: Any, found: PeopleMatch) -> None:
    evidence = gather(street.records, street.places)
    node = exact_pass(evidence)
    edges = scored(evidence, node, found)
    on_nodes = edges.assign(a=node[edges["a"].to_numpy()], b=node[edges["b"].to_numpy()])
    rules = rules_of(evidence, node, None, on_nodes)
    clusters = cluster(on_nodes, np.unique(node), rules, JOIN)
    joins = merges(on_nodes, np.unique(node), rules, JOIN)
    head = {int(n): int(n) for n in np.unique(node)}
    for a, b in zip(joins["a"].tolist(), joins["b"].tolist(), strict=True):
        head = {n: min(a, b) if into in (a, b) else into for n, into in head.items()}
    assert head == {int(n): int(c) for n, c in clusters.items()}
    assert (joins["linkage"] >= JOIN).all()
    # the records of one entity alone, with the edges that were kept, join in the same order
    large = clusters.value_counts()
    rid, kept = evidence["rid"].to_numpy(), found.matched.edges
    ends = {side: np.searchsorted(rid, kept[f"rid_{side}"].to_numpy()) for side in ("a", "b")}
    stored = kept.assign(a=node[ends["a"]], b=node[ends["b"]])
    for name in large[large > 2].index[:20]:
        nodes = clusters.index[clusters == name]
        alone = merges(stored[stored["a"].isin(nodes) & stored["b"].isin(nodes)], nodes, rules, JOIN)
        same = joins[joins["a"].isin(nodes)].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, same)


def test_what_is_judged_comes_first_and_has_no_linkage() -> None:
    from matching.cluster import Rules

    edges = pd.DataFrame({"a": [1, 2], "b": [2, 3], "weight": [5.0, 4.0]})
    rules = Rules(together=pd.DataFrame({"a": [1], "b": [3]}))
    joins = merges(edges, [1, 2, 3], rules)
    assert joins[["a", "b"]].to_numpy().tolist() == [[1, 3], [1, 2]]
    assert np.isnan(joins["linkage"].iloc[0])


def test_two_that_no_run_kept_are_compared_with_their_keys(street: Any, found: PeopleMatch) -> None:
    evidence = gather(street.records, street.places)
    edges = scored(evidence, exact_pass(evidence), found)
    some = edges.head(50)
    fresh = compare_anew(evidence, found.model, some)
    assert [one.packed for one in fresh] == some["levels"].tolist()
    assert [one.impossible for one in fresh] == some["apart"].tolist()
    assert all(one.keys for one in fresh)
    assert shared_keys(evidence, 0, 0)[0] == "id"


def test_the_picture_is_small_and_told_apart_without_colour(found: PeopleMatch) -> None:
    steps = explain(found.model, int(found.matched.edges["levels"].iloc[0]))
    drawn = waterfall(steps)
    assert len(drawn.encode()) < 30_000
    assert drawn.count("<rect") == len(steps) + 2  # the steps, their sum, and the hatch
    assert all(drawn.count(f">{step.weight:+.1f}<") for step in steps)
    taken = [step.weight for step in steps if step.weight < 0]
    assert taken
    assert drawn.count('fill="url(#h)"') == len(taken) + (total(steps) < 0)
