"""The weights of the additive model: logistic regression on one-hot levels, held near stated weights.

Why not log2(m/u) as it stands: candidate pairs share a key by selection, so that among pairs of two people "same name"
and "same home" exclude each other; multiplying their m/u as if they were independent makes both worthless. The
maximum-likelihood additive weights know what goes together, and need no more than the same labels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Weights = Mapping[str, tuple[float, ...]]
HOLD = 0.3  # strength of the stated weights (a Gaussian prior of 1.8 nats around each): a handful of labels moves them
STEPS = 40  # Newton steps at most; ten are usual
ENOUGH = 1e-10  # change of a weight, in nats, at which Newton stops


def fit(labelled: pd.DataFrame, stated: Weights, base: float) -> tuple[dict[str, Floats], float]:
    """The weights of each comparison's levels and the base, in log2 odds.

    labelled: integer columns named as `stated`, -1 where nothing is compared, and the boolean `same`. Without any
    label the stated weights come back.
    """
    names = list(stated)
    counted = labelled.groupby(names, sort=True)["same"].agg(["sum", "size"]).reset_index()
    start = np.concatenate([[base], *(np.asarray(stated[name], dtype=np.float64) for name in names)]) * np.log(2)
    design = _one_hot(counted, {name: len(stated[name]) for name in names})
    found = _newton(design, counted["sum"].to_numpy(float), counted["size"].to_numpy(float), start) / np.log(2)
    ends = np.cumsum([1, *(len(stated[name]) for name in names)])
    return {name: found[ends[at] : ends[at + 1]] for at, name in enumerate(names)}, float(found[0])


def _one_hot(patterns: pd.DataFrame, sizes: Mapping[str, int]) -> Floats:
    """A column of ones for the base, then one for each level."""
    blocks = [np.ones((len(patterns), 1))]
    for name, size in sizes.items():
        blocks.append((patterns[name].to_numpy()[:, None] == np.arange(size)[None, :]).astype(np.float64))
    return np.hstack(blocks)


def _newton(design: Floats, same: Floats, total: Floats, start: Floats) -> Floats:
    """Penalised maximum likelihood of binomial counts, by Newton's method from the stated weights."""
    weights = start.copy()
    hold = np.full(len(start), HOLD)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
        gradient = design.T @ (same - total * chance) - hold * (weights - start)
        curvature = (design * (total * chance * (1 - chance))[:, None]).T @ design + np.diag(hold)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + np.clip(step, -4, 4)
        if np.abs(step).max() < ENOUGH:
            break
    return weights
