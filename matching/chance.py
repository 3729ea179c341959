"""What agreements tell, learned against chance, where no label is at hand.

Two reports of one matter lie close in time. Pairs that do are such reports and chance meetings, mixed; pairs that would
lie close if the clock of one side were weeks off are chance meetings only, and tell how many of these there are and
how they look. Expectation-maximisation finds the rest (Fellegi and Sunter's m; u is counted, not estimated).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
HOLD = 30.0  # pairs that the stated weights count as: a few dozen real ones outweigh them
LIKELY = -3.0  # log2 odds from which the excess over chance is counted
STEPS = 60  # rounds at most; twenty are usual
ENOUGH = 1e-6  # change of the weights, in log2 odds, at which the rounds stop


@dataclass(frozen=True)
class Weights:
    """`base`: log2 odds of a pair of which nothing is known; `levels`: what each level of a comparison adds."""

    base: float
    levels: Mapping[str, Floats]

    def of(self, pairs: pd.DataFrame) -> Floats:
        """The log2 odds of each line of `pairs`, which has a column of levels (0, 1, ...) for each comparison."""
        total = np.full(len(pairs), self.base)
        for name, weights in self.levels.items():
            total += weights[pairs[name].to_numpy()]
        return total

    def together(self, parts: tuple[str, ...], name: str) -> Weights:
        """Comparisons that depend on each other as one (its levels: `joined`), which begins at the sum of their weights."""
        total: Floats = np.zeros(1)
        for part in parts:
            total = np.ravel(np.add.outer(total, self.levels[part]))
        kept = {each: weights for each, weights in self.levels.items() if each not in parts}
        return Weights(self.base, {**kept, name: total})


def excess(near: Floats, chance: Floats, share: float) -> tuple[float, float]:
    """By how much pairs with odds of 1:8 or better outnumber chance, and the standard deviation of that number."""
    seen, expected = float((near >= LIKELY).sum()), float((chance >= LIKELY).sum())
    return seen - share * expected, float(np.sqrt(seen + share**2 * expected + 1))


def learn(pairs: pd.DataFrame, chance: pd.DataFrame, share: float, start: Weights, most: float) -> Weights:
    """The weights of mixed `pairs`, given pairs that met by `chance` alone, held near `start`.

    share: how many chance meetings among `pairs` one line of `chance` stands for. most: of how many pairs at
    most may be found to be no chance meeting.
    """
    names = list(start.levels)
    patterns = pairs.groupby(names, sort=True).size().rename("number").reset_index()
    number = patterns["number"].to_numpy(dtype=np.float64)
    by_chance = {name: _shares(chance[name], len(start.levels[name])) for name in names}
    meetings = len(chance) * share
    found = start
    for _ in range(STEPS):
        same = number * chances(found.of(patterns))
        same *= min(1.0, most / max(same.sum(), most))
        before, found = found, _maximised(patterns, same, by_chance, meetings, start)
        if max(abs(found.levels[name] - before.levels[name]).max() for name in names) < ENOUGH:
            break
    return found


def _shares(levels: pd.Series, size: int) -> Floats:
    counts = np.bincount(levels, minlength=size).astype(np.float64)
    shares: Floats = (counts + HOLD / size) / (len(levels) + HOLD)
    return shares


def _maximised(
    patterns: pd.DataFrame, same: Floats, by_chance: Mapping[str, Floats], meetings: float, start: Weights
) -> Weights:
    total = same.sum()
    levels = {}
    for name, u in by_chance.items():
        seen = np.bincount(patterns[name], weights=same, minlength=len(u))
        stated = u * 2 ** start.levels[name]
        m = (seen + HOLD * stated / stated.sum()) / (total + HOLD)
        levels[name] = np.log2(m / u)
    return Weights(float(np.log2((total + HOLD * 2**start.base) / (meetings + HOLD))), levels)


def chances(odds: Floats) -> Floats:
    """Probabilities of log2 odds."""
    found: Floats = 1 / (1 + 2.0 ** -np.clip(odds, -500, 500))
    return found


def joined(pairs: pd.DataFrame, weights: Weights, parts: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """The levels of several comparisons as levels of one."""
    sizes = [len(weights.levels[part]) for part in parts]
    found: npt.NDArray[np.int64] = np.ravel_multi_index([pairs[part].to_numpy() for part in parts], sizes)
    return found
