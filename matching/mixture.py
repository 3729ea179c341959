"""Training without labels: how the candidate pairs of any table divide into one person, one household and strangers.

A mixture of three explanations of a pair's levels, fitted by expectation and maximisation (EM) over the distinct rows of levels, in
the space of *all* pairs of the table: what is no candidate is strangers. How often strangers agree by chance is counted, not
guessed (`TableComparer.chances`).

Why the third explanation: values are independent of each other only among strangers. Members of one household share surname,
address and phone by living together, and a mixture of two takes that for proof that they are one. Here a pair must beat
both other explanations: what a household shares says nothing against its members being two, and what tells them apart
(birth date, given name, sex, age) decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.model import Level, Model, predict
from matching.table_levels import BANDS, TableComparer

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Shares = dict[str, Floats]
PERSON, HOUSEHOLD, STRANGERS = range(3)
NEVER = "known to be two"
SHARED = (
    "surname",
    "phone",
    "address",
    "house_number",
    "unit",
    "street",
    "suburb",
    "postcode",
    "state",
    "household",
    "race",
)
HOMES = ("phone", "address", "street", "household")  # kinds by one of which a household must show
AGREE = 0.85  # share of one person's pairs that agree on a value, before any pair is seen
FIRM = 20.0  # pairs that a stated share stands for: a few dozen true pairs move it
KIN = 0.02  # share of a household's pairs that agree on what is one's own, before the first round: twins, a father and son of one name
MOST_KIN = 0.25  # and at most: beyond, the explanation would take in the pairs of one person
START = 0.2  # share of the candidates taken for one person's before the first round
COMPANIONS = 2.0  # others of a household whom a row stands with, before the first round
ROUNDS = 200  # rounds of EM at most; a few dozen are usual
ENOUGH = 1e-6  # relative change of the number of one person's pairs at which EM stops
SMALLEST = 1e-7  # share that no level falls below: what was never seen is not impossible


@dataclass(frozen=True)
class Explained:
    """What a pair is scored by: one person against strangers, and (where households show) against two of one household."""

    strangers: Model
    household: Model | None

    def weights(self, levels: pd.DataFrame) -> Floats:
        """log2 odds of one person against all else, of each row of levels: the two scores as odds, added up."""
        against = predict(self.strangers, levels)
        if self.household is None:
            return against
        return np.asarray(-np.logaddexp2(-against, -predict(self.household, levels)))


def explain(levels: pd.DataFrame, comparer: TableComparer, never: Flags) -> Explained:
    """Fit the mixture to the candidate pairs.

    levels: a row a pair, a column a comparison, -1 where a side says nothing. never: the pairs known to be two people, labels that
    cost nothing. The same pairs in any order give the same.
    """
    fitted = _Mixture(levels.assign(**{NEVER: never}), comparer)
    fitted.run()
    homes = any(kind in comparer.ladders for kind in HOMES)
    return Explained(fitted.against(STRANGERS), fitted.against(HOUSEHOLD) if homes else None)


class _Mixture:
    """Numbers of pairs and shares of levels of the three explanations, on their way through EM."""

    def __init__(self, levels: pd.DataFrame, comparer: TableComparer) -> None:
        self.ladders = comparer.ladders
        self.names = list(self.ladders)
        self.patterns = levels.groupby([*self.names, NEVER], sort=True).size().rename("pairs").reset_index()
        self.count = self.patterns.pop("pairs").to_numpy(dtype=np.float64)
        self.never = self.patterns.pop(NEVER).to_numpy(dtype=bool)
        self.one_hot = {
            name: np.eye(len(ladder) + 1)[self.patterns[name].to_numpy()][:, :-1]
            for name, ladder in self.ladders.items()
        }
        rows = len(comparer.table)
        self.space = rows * (rows - 1) / 2
        self.chance = comparer.chances()
        agreeing = {name: _stated(comparer, name) for name in self.names}
        self.kin = {name: KIN for name in self.names if name not in SHARED}
        together = {name: agreeing[name] if name in SHARED else self._own(name, agreeing[name]) for name in self.names}
        self.stated = (agreeing, together)
        self.shares: list[Shares] = [dict(agreeing), dict(together), dict(self.chance)]
        homes = COMPANIONS * rows / 2 if any(kind in self.ladders for kind in HOMES) else 0.0
        self.number = np.array([START * self.count.sum(), min(homes, self.space / 2), 0.0])

    def run(self) -> None:
        """Rounds of EM until the number of one person's pairs stands still."""
        for _ in range(ROUNDS):
            before = self.number[PERSON]
            part = self._expect()
            self._maximise(part)
            if abs(self.number[PERSON] - before) <= ENOUGH * before:
                return

    def _expect(self) -> Floats:
        """How many pairs of each pattern each explanation takes: explanations x patterns."""
        self.number[STRANGERS] = max(self.space - self.number[:STRANGERS].sum(), 1.0)
        log = np.stack([self._log_share(at) for at in (PERSON, HOUSEHOLD, STRANGERS)])
        chance = np.exp(log - log.max(axis=0))
        return np.asarray(chance / chance.sum(axis=0) * self.count)

    def _log_share(self, at: int) -> Floats:
        if not self.number[at]:
            return np.full(len(self.patterns), -np.inf)
        total = np.full(len(self.patterns), np.log(self.number[at]))
        for name in self.names:
            total += self.one_hot[name] @ np.log(np.maximum(self.shares[at][name], SMALLEST))
        return np.where(self.never & (at == PERSON), -np.inf, total)

    def _maximise(self, part: Floats) -> None:
        self.number[:STRANGERS] = part[:STRANGERS].sum(axis=1)
        for name in self.names:
            seen = part @ self.one_hot[name]
            stated = np.stack([side[name] for side in self.stated])
            found = (seen[:STRANGERS] + FIRM * stated) / (seen[:STRANGERS].sum(axis=1, keepdims=True) + FIRM)
            found = self._one_rarity(name, found, seen[: STRANGERS if name in SHARED else HOUSEHOLD])
            self.shares[PERSON][name] = found[PERSON]
            own = name not in SHARED
            self.shares[HOUSEHOLD][name] = self._learned_own(name, seen[HOUSEHOLD]) if own else found[HOUSEHOLD]
            every = self.chance[name] * self.space  # of all pairs, less those of persons and households
            left = np.maximum(every - seen[PERSON] - seen[HOUSEHOLD], seen[STRANGERS])
            self.shares[STRANGERS][name] = left / max(left.sum(), 1.0)

    def _one_rarity(self, name: str, found: Floats, seen: Floats) -> Floats:
        """How rare a value is on which rows agree tells people from strangers, but not a person from a household: one split for both."""
        if self.ladders[name][0] != BANDS[0]:
            return found
        bands = slice(0, len(BANDS))
        agreeing = self.stated[PERSON][name][bands]
        split = seen[:, bands].sum(axis=0) + FIRM * agreeing / agreeing.sum()
        found[:, bands] = found[:, bands].sum(axis=1, keepdims=True) * split / split.sum()
        return found

    def _own(self, name: str, agreeing: Floats) -> Floats:
        """What is one's own agrees in a household as by chance, but for kin."""
        return (1 - self.kin[name]) * self.chance[name] + self.kin[name] * agreeing

    def _learned_own(self, name: str, seen: Floats) -> Floats:
        """The same with the share of kin learned, and no more: a household free to agree on all would be one person."""
        agreeing = self.stated[PERSON][name]
        of_kin = self.kin[name] * agreeing / np.maximum(self._own(name, agreeing), SMALLEST)
        share = (float(seen @ of_kin) + FIRM * KIN) / (seen.sum() + FIRM)
        self.kin[name] = min(share, MOST_KIN)
        return self._own(name, agreeing)

    def against(self, other: int) -> Model:
        """One person against another explanation, as an additive model."""
        comparisons = {}
        for name, ladder in self.ladders.items():
            m, u = (np.maximum(self.shares[at][name], SMALLEST).tolist() for at in (PERSON, other))
            comparisons[name] = tuple(
                Level(label, p, q, float(np.log2(p / q))) for label, p, q in zip(ladder, m, u, strict=True)
            )
        one, rest = (max(self.number[at], SMALLEST) for at in (PERSON, other))
        return Model(comparisons, float(np.log2(one / rest)))


def _stated(comparer: TableComparer, name: str) -> Floats:
    """The levels expected of one person's pairs: AGREE of them equal, in the bands as rows bear values; the rest evenly."""
    ladder = comparer.ladders[name]
    equal = comparer.borne(name) if ladder[0] == BANDS[0] else np.ones(1)
    other = len(ladder) - len(equal)
    return np.concatenate([AGREE * equal, np.full(other, (1 - AGREE) / other)])
