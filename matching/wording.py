"""Which words of one channel go with which of another: two offices name one matter in words of their own.

Learned from pairs of which it is known how likely they speak of one matter, against pairs that met by chance. What
two reports share because they are of one place says nothing: chance pairs share it too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
VOCABULARY = 3000  # pairs of characters that are told apart, the most frequent ones
RARE = 3  # reports that must hold a pair of characters before it counts
MOST = 48  # of these read in one text
HOLD = 3.0  # sightings that "no association" counts as: what is seen once or twice says next to nothing
LINES = 2_000  # pairs of texts worked on at a time: 48 by 48 numbers each
_WORDS = re.compile(r"[^\W\d_]+")


class Wording(NamedTuple):
    """What rows say: `text`, which text each row bears (the last one for none), and `terms`, the numbers (from 1, 0 for
    none) of the terms of each text, shape (texts, terms)."""

    text: Integers
    terms: Integers


def words_of(texts: pd.Series) -> Wording:
    """The pairs of neighbouring characters that each text holds."""
    codes, distinct = pd.factorize(texts)
    read = [_bigrams(str(text)) for text in distinct]
    lines = pd.DataFrame({"text": np.repeat(np.arange(len(read)), [len(one) for one in read])})
    lines["term"] = pd.Series([term for one in read for term in one], dtype="str")
    return _numbered(codes, len(distinct), lines)


def values_of(*columns: pd.Series) -> Wording:
    """The values of several columns, each whole: a kind, a department."""
    frame = pd.DataFrame(dict(enumerate(columns)))
    cases = frame.drop_duplicates(ignore_index=True).dropna(how="all").reset_index(drop=True)
    codes = frame.merge(cases.reset_index(names="text"), how="left")["text"].fillna(-1).to_numpy(dtype=np.int64)
    lines = cases.rename(columns=str).reset_index(names="text").melt("text", value_name="term").dropna()
    lines["term"] = lines["variable"] + "|" + lines["term"]
    return _numbered(codes, len(cases), lines.sort_values("text", kind="stable", ignore_index=True))


def _bigrams(text: str) -> list[str]:
    pieces = (word[at : at + 2] for word in _WORDS.findall(text) for at in range(max(len(word) - 1, 1)))
    return list(dict.fromkeys(pieces))[:MOST]


def _numbered(codes: Integers, texts: int, lines: pd.DataFrame) -> Wording:
    bearers = np.bincount(codes[codes >= 0], minlength=texts)
    often = pd.Series(bearers[lines["text"]]).groupby(lines["term"].to_numpy()).sum()
    often = often[often >= RARE].sort_values(ascending=False, kind="stable").head(VOCABULARY)
    number = lines["term"].map(pd.Series(np.arange(1, len(often) + 1), index=often.index))
    kept = pd.DataFrame({"text": lines["text"], "number": number}).dropna().astype("int64")
    place = kept.groupby("text").cumcount()
    terms = np.zeros((texts + 1, int(place.max() if len(place) else 0) + 1), dtype=np.int64)
    terms[kept["text"], place] = kept["number"]
    return Wording(codes, terms)


class Association:
    """How often each term of one side stands with each of the other in reports of one matter, in log2 over chance."""

    def __init__(self, said: Wording, pairs: pd.DataFrame, same: Floats, chance: pd.DataFrame) -> None:
        """pairs: row positions `a`, `b`; same: how likely each is one matter; chance: pairs that met by chance."""
        self.said = said
        seen = self._together(pairs, same)
        expected = self._together(chance, np.full(len(chance), same.sum() / max(len(chance), 1)))
        self.table: Floats = np.log2((seen + HOLD) / (expected + HOLD))

    def _together(self, pairs: pd.DataFrame, weight: Floats) -> Floats:
        size = int(self.said.terms.max(initial=0)) + 1
        first, second, back = self._cases(pairs)
        total, table = np.bincount(back, weight, len(first)), np.zeros(size * size)
        for at in range(0, len(first), LINES):
            a, b = (self.said.terms[side[at : at + LINES]] for side in (first, second))
            known = (a[:, :, None] > 0) & (b[:, None, :] > 0)
            met = (a[:, :, None] * size + b[:, None, :])[known]
            each = np.broadcast_to(total[at : at + LINES, None, None], known.shape)[known]
            table += np.bincount(met, each, size * size)
        return table.reshape(size, size)

    def _cases(self, pairs: pd.DataFrame) -> tuple[Integers, Integers, Integers]:
        """The distinct pairs of texts, and which of them each pair is."""
        one, other = (self.said.text[pairs[side].to_numpy()] % len(self.said.terms) for side in ("a", "b"))
        back, cases = pd.factorize(one * len(self.said.terms) + other)
        return cases // len(self.said.terms), cases % len(self.said.terms), back

    def fit(self, pairs: pd.DataFrame) -> Floats:
        """How well the words of each pair go together: of each word the best partner, the mean of all; NaN where a side
        has none."""
        first, second, back = self._cases(pairs)
        found = np.empty(len(first))
        for at in range(0, len(first), LINES):
            a, b = (self.said.terms[side[at : at + LINES]] for side in (first, second))
            known = (a[:, :, None] > 0) & (b[:, None, :] > 0)
            best = np.where(known, self.table[a[:, :, None], b[:, None, :]], -np.inf)
            sides = [_mean(best.max(axis=axis), np.asarray(known.any(axis=axis))) for axis in (1, 2)]
            found[at : at + LINES] = np.mean(sides, axis=0)
        return found[back]


def _mean(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    number = known.sum(axis=1)
    total: Floats = np.where(known, values, 0.0).sum(axis=1)
    mean: Floats = np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
    return mean
