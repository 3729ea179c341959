"""Weights learned from pairs that are mixed with chance meetings, given what chance meetings look like."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from matching.chance import Weights, chances, excess, joined, learn

START = Weights(-4.0, {"where": np.array([1.0, 0.0, -1.0]), "what": np.array([1.0, -1.0])})
MET = {"where": (0.1, 0.3, 0.6), "what": (0.2, 0.8)}  # shares of the levels among chance meetings
SAME = {"where": (0.7, 0.2, 0.1), "what": (0.9, 0.1)}  # and among pairs of one matter


def drawn(rng: np.random.Generator, number: int, shares: dict[str, tuple[float, ...]]) -> pd.DataFrame:
    return pd.DataFrame({name: rng.choice(len(p), number, p=p) for name, p in shares.items()})


def mixed(matters: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(5)
    near = pd.concat([drawn(rng, matters, SAME), drawn(rng, 9000, MET)], ignore_index=True)
    return near, drawn(rng, 36_000, MET)  # four chance meetings for each one among the pairs


def test_the_shares_of_both_kinds_of_pairs_are_found_again() -> None:
    near, chance = mixed(1000)
    found = learn(near, chance, 0.25, START, most=np.inf)
    assert found.base == pytest.approx(np.log2(1000 / 9000), abs=0.3)
    for name, weights in found.levels.items():
        true = np.log2(np.array(SAME[name]) / np.array(MET[name]))
        assert np.abs(weights - true).max() < 0.6 * np.abs(START.levels[name] - true).max()
    assert chances(found.of(near)).sum() == pytest.approx(1000, rel=0.25)


def test_where_all_is_chance_next_to_nothing_is_found() -> None:
    near, chance = mixed(0)
    more, deviation = excess(START.of(near), START.of(chance), 0.25)
    assert abs(more) < 3 * deviation
    assert chances(learn(near, chance, 0.25, START, most=50).of(near)).sum() < 70


def test_likely_pairs_outnumber_chance_by_the_pairs_of_one_matter() -> None:
    near, chance = mixed(1000)
    more, deviation = excess(START.of(near), START.of(chance), 0.25)
    assert more > 10 * deviation
    assert more == pytest.approx(1000 * 0.7 * 0.9 + 1000 * 0.2 * 0.9, rel=0.2)  # those that start at 1:8 or better


def test_comparisons_that_depend_on_each_other_become_one_that_begins_at_their_sum() -> None:
    near, _ = mixed(10)
    one = START.together(("where", "what"), "both")
    levels = joined(near, START, ("where", "what"))
    assert list(one.levels) == ["both"]
    assert one.of(pd.DataFrame({"both": levels})) == pytest.approx(START.of(near))
