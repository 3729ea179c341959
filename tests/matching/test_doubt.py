"""Doubt: one question an entity, of the right reason, about the record that is tied the least."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.doubt import SURE, doubts

NONE = pd.DataFrame({"a": [], "b": []}, dtype="int64")
Line = tuple[int, int, str]


def asked(
    edges: list[tuple[int, int, float, bool]],
    group: list[int],
    node: list[int] | None = None,
    held: dict[int, str] | None = None,
    judged: list[tuple[int, int]] | None = None,
) -> list[Line]:
    """Cluster, record and reason of each line."""
    pairs = pd.DataFrame(edges, columns=["a", "b", "weight", "apart"]).astype({"a": "int64", "b": "int64"})
    decided = pd.DataFrame(judged, columns=["a", "b"]) if judged else NONE
    sure = np.arange(len(group)) if node is None else np.array(node)
    values = pd.Series(held or {}, dtype="str")
    found = doubts(pairs, sure, np.array(group), values, -2.0, decided)
    assert found["weight"].is_monotonic_decreasing
    return [(int(c), int(p), str(r)) for c, p, r in found[["cluster", "position", "reason"]].to_numpy().tolist()]


def test_a_record_joined_on_little_is_asked_about_and_its_entity_is_not() -> None:
    edges = [(0, 2, SURE - 1, False), (0, 3, SURE + 1, False)]
    assert asked(edges, [0, 0, 0, 0], node=[0, 0, 2, 3]) == [(0, 2, "weak")]


def test_two_entities_are_asked_about_once_at_their_best() -> None:
    edges = [(0, 1, 9.0, False), (0, 2, 1.0, False), (1, 2, 3.0, False), (1, 3, -4.0, False)]
    assert asked(edges, [0, 0, 2, 3]) == [(0, 2, "contradicted")]


def test_a_rule_that_holds_apart_is_said() -> None:
    assert asked([(0, 1, 5.0, True)], [0, 1]) == [(0, 1, "held")]
    edges = [(0, 1, 5.0, False), (1, 2, 5.0, False)]
    assert asked(edges, [0, 1, 1], held={0: "x", 2: "y"}) == [(0, 1, "held")]
    assert asked(edges, [0, 1, 1], held={0: "x"}) == [(0, 1, "contradicted")]


def test_a_record_tied_better_to_its_own_entity_is_not_asked_about_another_that_a_rule_excludes() -> None:
    held = {0: "x", 3: "y"}
    better = [(0, 1, 3.0, False), (1, 3, 9.0, False)]
    assert asked(better, [0, 3, 2, 3], held=held) == []
    rival = [(0, 1, 9.0, False), (1, 3, 9.0, False)]
    assert asked(rival, [0, 3, 2, 3], held=held) == [(0, 1, "held")]


def test_what_a_person_judged_is_not_asked_again() -> None:
    assert asked([(0, 1, 5.0, False)], [0, 1], judged=[(1, 0)]) == []
    assert asked([(0, 1, 1.0, False)], [0, 0], judged=[(0, 1)]) == []


def test_no_edges() -> None:
    assert asked([], [0, 1]) == []
