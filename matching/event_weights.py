"""How likely two reports speak of one matter: learned for each pair of channels against chance meetings.

Reports are paired as they are, and again with the clock of one side put wrong by whole weeks: what meets then meets by
chance. Where likely pairs do not clearly outnumber chance (few reports, a short span, a channel that never hears of
a matter twice) the stated weights of `matching.event_pairs` decide alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.chance import Weights, chances, excess, joined, learn
from matching.event_pairs import STATED, compare, pairs_in_time
from matching.wording import Association, Wording, values_of, words_of

Floats = npt.NDArray[np.float64]
BASE = -6.0  # log2 odds of two reports that may be of one place and one week and show nothing else
KEEP = -6.0  # log2 odds from which a pair is kept for review
HERE = -3.0  # log2 odds of spot and place from which two reports may be of one place
WEEK = 168.0  # hours
LATE = (2 * WEEK, 3 * WEEK)  # hours by which a clock is put wrong: whole weeks, which have a rhythm of their own
SHORTEST = 8 * WEEK  # hours that reports must span before chance meetings can be told from others
SURE = 3.0  # standard deviations by which likely pairs must outnumber chance before anything is learned from them
BEYOND = 1.35  # pairs of one matter for each of those that the stated weights find likely, beyond chance
ROUNDS = 2  # of learning which words go together from pairs, and pairs from words
FITS = (-0.5, -0.1, 0.1, 0.5, 1.0, 1.5, 2.0)  # mean association of the words of two reports, log2 over chance
FIT_WEIGHTS = (-3.0, -1.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0)  # the last where a side says nothing
DEPENDENT = {"where": ("spot", "place"), "what": ("said_fit", "filed_fit", "words")}  # each one comparison in the end
STATED_WEIGHTS = Weights(BASE, {name: np.array(weights) for name, weights in STATED.items()})
BY_PLACE = Weights(  # for channels that use other words for kinds, and for all that is said
    BASE, {**STATED_WEIGHTS.levels, **{name: np.zeros(len(STATED[name])) for name in ("kind", "words")}}
)


class _Met(NamedTuple):
    """Pairs of reports of two channels with their levels: those close in time, and those that are so by chance alone."""

    feeds: tuple[str, str]
    pairs: pd.DataFrame
    chance: pd.DataFrame


class Weighed(NamedTuple):
    """`edges`: `a` < `b` (rids), `weight` (log2 odds); `again`: the channels that tell of a matter again."""

    edges: pd.DataFrame
    again: tuple[str, ...]


def weigh(rows: pd.DataFrame) -> Weighed:
    """rows: `rid`, `source`, `hour`, `kind`, `department`, `said`, `phone`, `content`, `crowd`, and what
    `matching.event_places` reads."""
    hours = rows["hour"].dropna()
    span = float(hours.max() - hours.min()) if len(hours) else 0.0
    late = LATE if span >= SHORTEST else ()
    share = float(np.mean([span / (span - by) for by in late])) / (2 * len(late)) if late else 0.0
    wording = {"said_fit": words_of(rows["said"]), "filed_fit": values_of(rows["kind"], rows["department"])}
    rid, content = rows["rid"].to_numpy(), rows["content"].to_numpy()
    edges, again = [pd.DataFrame({"a": rid[:0], "b": rid[:0], "weight": np.empty(0)})], []
    for met in _by_feeds(rows, late):
        odds, apart = STATED_WEIGHTS.of(met.pairs), met.feeds[0] != met.feeds[1]
        one, other = (met.pairs[side].to_numpy() for side in ("a", "b"))
        kept = np.full(len(odds), apart) | (content[one] == content[other])
        start, more, sure = _clearest(met, share)
        if sure:
            odds, kept = _learned(met, wording, share, start, BEYOND * more), np.full(len(odds), True)
            again += [] if apart else [met.feeds[0]]
        a, b = np.minimum(rid[one], rid[other]), np.maximum(rid[one], rid[other])
        edges.append(pd.DataFrame({"a": a, "b": b, "weight": odds})[kept & (odds > KEEP)])
    return Weighed(pd.concat(edges, ignore_index=True), tuple(again))


def _by_feeds(rows: pd.DataFrame, late: tuple[float, ...]) -> Iterator[_Met]:
    pairs = _leveled(rows, pairs_in_time(rows))
    chance = pd.concat([pairs.iloc[:0], *(_leveled(rows, pairs_in_time(rows, by)) for by in late)], ignore_index=True)
    for (first, second), part in pairs.groupby(["feed_a", "feed_b"], sort=True):
        beside = chance[(chance["feed_a"] == first) & (chance["feed_b"] == second)]
        yield _Met((str(first), str(second)), part.reset_index(drop=True), beside.reset_index(drop=True))


def _clearest(met: _Met, share: float) -> tuple[Weights, float, bool]:
    """The weights by which likely pairs stand out most from chance, by how many they do, and whether that is sure."""
    found = {}
    for start in (STATED_WEIGHTS, BY_PLACE):
        more, deviation = excess(start.of(met.pairs), start.of(met.chance), share)
        found[more / deviation] = start, more
    start, more = found[max(found)]
    return start, more, share > 0 and max(found) >= SURE


def _leveled(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs that may be of one place or have one reporter, with their levels and channels."""
    levels, source = compare(rows, pairs), rows["source"].to_numpy(dtype=object)
    where = [STATED_WEIGHTS.levels[name][levels[name].to_numpy()] for name in DEPENDENT["where"]]
    here = (np.sum(where, axis=0) >= HERE) | (levels["phone"] == 0).to_numpy()
    feeds = {"feed_a": source[pairs["a"]], "feed_b": source[pairs["b"]]}
    both = pd.concat([pairs, levels, pd.DataFrame(feeds)], axis=1)
    return both.iloc[np.flatnonzero(here)].reset_index(drop=True)


def _learned(met: _Met, wording: dict[str, Wording], share: float, start: Weights, most: float) -> Floats:
    """Log2 odds that each pair is one matter: first by what is stated of kinds and words, then by what is learned of them."""
    odds = learn(met.pairs, met.chance, share, start, most).of(met.pairs)
    fits = dict.fromkeys(wording, np.array(FIT_WEIGHTS))
    known = {name: weights for name, weights in start.levels.items() if name != "kind"}
    for _ in range(ROUNDS):
        pairs, chance = met.pairs.copy(), met.chance.copy()
        for name, said in wording.items():
            table = Association(said, met.pairs, chances(odds), met.chance)
            pairs[name], chance[name] = (_fits(table.fit(each)) for each in (pairs, chance))
        found = learn(pairs, chance, share, Weights(BASE, {**known, **fits}), most)
        for name, parts in DEPENDENT.items():
            pairs[name], chance[name] = (joined(each, found, parts) for each in (pairs, chance))
            found = found.together(parts, name)
        odds = learn(pairs, chance, share, found, most).of(pairs)
    return odds


def _fits(fit: Floats) -> npt.NDArray[np.int64]:
    return np.where(np.isnan(fit), len(FITS) + 1, np.searchsorted(np.array(FITS), fit))
