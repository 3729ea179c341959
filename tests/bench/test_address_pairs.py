"""The judge of address pairs: its score, its regression, and that parts tell what letters do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.address_pairs import by_regression, by_thresholds, features, learn, macro_f1, ratios


def test_macro_f1_is_the_mean_of_the_labels() -> None:
    assert macro_f1(np.array([0, 1, 2]), np.array([0, 1, 2])) == 1.0
    assert macro_f1(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])) == pytest.approx((0.5 + 2 / 3 + 0) / 3)


def test_the_regression_finds_the_column_that_decides() -> None:
    random = np.random.default_rng(1)
    x = np.column_stack([random.integers(0, 2, (400, 3)), np.ones(400)]).astype(float)
    weights = learn(x, x[:, 1])
    assert np.abs(weights).argmax() == 1
    assert ((x @ weights > 0) == (x[:, 1] == 1)).all()


def test_numbers_that_differ_are_seen_where_the_letters_agree() -> None:
    numbers = range(1, 41)
    same = [(f"长江路{n}号阳光花园{n}栋", f"长江路{n}号阳光花园{n}幢", 2) for n in numbers]
    other = [(f"长江路{n}号阳光花园{n}栋", f"长江路{n}号阳光花园{n % 40 + 1}栋", 1) for n in numbers]
    none = [(f"长江路{n}号阳光花园", f"和平街{n}号明珠大厦", 0) for n in numbers]
    frame = pd.DataFrame([*same, *other, *none], columns=["query", "text", "label"])
    pairs = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    true, learned = pairs["label"].to_numpy(), np.arange(len(pairs)) < 90
    said = by_regression(features(pairs), true, learned)
    values = ratios(pairs)["ratio"]
    bounds = by_thresholds(values[learned], true[learned])
    assert macro_f1(true[~learned], said[~learned]) > 0.95
    assert macro_f1(true[~learned], np.digitize(values[~learned], bounds)) < 0.95
