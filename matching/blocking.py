"""Candidate pairs: which records are worth comparing, by keys that two rows of one person are likely to share.

Every pair has at least one *loose* record (one that no trusted id has placed yet). A rule joins the records that agree
on all its columns; a block that would give more pairs than the rule's limit is a hub (a placeholder, a grid worker's
phone, a common name) and is skipped by that rule: another rule with a narrower key finds its true pairs. A rule whose
blocks together pass the budget lowers its limit until they do not, so that no data makes the work more than linear.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
LIMIT = 400  # pairs one block may give: 20 loose records against 20; measured blocks of true pairs stay far below
BUDGET = 5  # pairs one rule may give for each record; a rule that would give more takes its smaller blocks only
OPEN = "0" * 16  # the key of hashes that stay in this process
MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that combining hashes keeps their spread (the golden ratio, Knuth)


@dataclass(frozen=True)
class Rule:
    """Records agree on `columns`; with `other`, the columns of the second record that must equal those of the first."""

    columns: tuple[str, ...]
    other: tuple[str, ...] = ()
    limit: int = LIMIT
    by_id: bool = False  # reads a document number: switched off where numbers are hidden to label pairs

    @property
    def name(self) -> str:
        """How reports call the rule."""
        return "+".join(self.columns) + (f"={'+'.join(self.other)}" if self.other else "")


RULES: tuple[Rule, ...] = (
    Rule(("id",), by_id=True),
    Rule(("id_head",), by_id=True, limit=100),
    Rule(("id_tail",), by_id=True, limit=100),
    Rule(("id_key",), ("id_mask",), by_id=True, limit=100),
    Rule(("own_head",), ("id",)),
    Rule(("full", "birth")),
    Rule(("sound", "birth")),
    Rule(("surname", "birth", "community")),
    Rule(("given", "birth")),
    Rule(("birth", "building")),
    Rule(("full", "dwelling")),
    Rule(("full", "building")),
    Rule(("full", "estate")),
    Rule(("full", "community"), limit=200),
    Rule(("full",), limit=100),
    Rule(("sound", "building")),
    Rule(("full", "registered")),
    Rule(("full", "registered"), ("full", "dwelling")),
    Rule(("birth", "registered"), ("birth", "dwelling")),
    Rule(("full", "estate", "room")),
    Rule(("birth", "estate", "room")),
    Rule(("given", "dwelling")),
    Rule(("open_surname", "building"), ("surname", "building"), limit=100),
    Rule(("open_surname", "estate", "sex"), ("surname", "estate", "sex"), limit=100),
    Rule(("surname", "dwelling")),
    Rule(("sex", "decade", "dwelling")),
    Rule(("nameless_at",), ("dwelling",), limit=100),
    Rule(("phone",), limit=100),
    Rule(("phone", "surname")),
    Rule(("full", "beside_building")),
    Rule(("full", "beside_estate"), limit=100),
    Rule(("surname", "beside_dwelling")),
    Rule(("phone", "full"), limit=10 * LIMIT),  # a landlord's rows: many, and nearly surely one person's
    Rule(("phone_key", "surname"), limit=100),
    Rule(("household_number", "given")),
    Rule(("household_number", "birth")),
    Rule(("household_number", "relation")),
    Rule(("head_id", "given")),
    Rule(("head_id", "birth")),
    Rule(("head_id", "relation")),
    Rule(("former", "birth"), ("full", "birth")),
    Rule(("former", "building"), ("full", "building")),
    Rule(("former",), ("full",), limit=50),
)


class Join(NamedTuple):
    """One way in which records meet: those `left` with those `right` whose key over the columns is the same.

    in_left, in_right: which records stand on the side: the loose ones (True), the others (False), all (None).
    """

    left: tuple[str, ...]
    right: tuple[str, ...]
    in_left: bool
    in_right: bool | None


def joins(rule: Rule) -> tuple[Join, ...]:
    """How a rule's pairs are found, with at least one loose record in each."""
    if not rule.other:
        return (Join(rule.columns, rule.columns, True, None),)
    return (Join(rule.columns, rule.other, True, None), Join(rule.columns, rule.other, False, True))


@dataclass(frozen=True)
class Candidates:
    """Pairs of positions `a` < `b`, distinct and sorted; `found`: pairs each rule gave; `hubs`: blocks it skipped."""

    a: Integers
    b: Integers
    found: dict[str, int]
    hubs: dict[str, int]


def candidates(evidence: pd.DataFrame, loose: Flags, by_id: bool = True, rules: tuple[Rule, ...] = RULES) -> Candidates:
    """The candidate pairs among the rows of `evidence`, at least one of each pair loose.

    Rules whose columns are not there are skipped; `by_id=False` leaves out the rules that read document numbers.
    """
    keys = Keys(evidence)
    codes, found, hubs = [], {}, {}
    for rule in rules:
        if (rule.by_id and not by_id) or not keys.has(rule):
            continue
        one, two, skipped = _pairs_of(keys, rule, loose)
        low, high = np.minimum(one, two), np.maximum(one, two)
        code = np.unique((low * len(evidence) + high)[low != high])
        codes.append(code)
        found[rule.name], hubs[rule.name] = len(code), skipped
    every = np.unique(np.concatenate(codes)) if codes else np.empty(0, np.int64)
    return Candidates(every // max(len(evidence), 1), every % max(len(evidence), 1), found, hubs)


class Keys:
    """The hash of each column once, and of each combination a rule asks for. secret: sixteen characters that key it."""

    def __init__(self, evidence: pd.DataFrame, secret: str = OPEN) -> None:
        self.evidence = evidence
        self.secret = secret
        self.hashed: dict[str, tuple[Hashes, Flags]] = {}

    def has(self, rule: Rule) -> bool:
        return all(name in self.evidence.columns for name in (*rule.columns, *rule.other))

    def key(self, columns: tuple[str, ...]) -> tuple[Hashes, Flags]:
        """The combined hash of some columns, and where all of them are known."""
        total = np.zeros(len(self.evidence), dtype=np.uint64)
        known = np.ones(len(self.evidence), dtype=bool)
        for name in columns:
            value, there = self._column(name)
            total = total * MIX + value
            known &= there
        return total, known

    def _column(self, name: str) -> tuple[Hashes, Flags]:
        if name not in self.hashed:
            column = self.evidence[name]
            codes, values = pd.factorize(column)
            known = np.asarray(values, dtype=object)
            hashed = pd.util.hash_array(known, hash_key=self.secret) if len(known) else np.zeros(1, np.uint64)
            self.hashed[name] = (hashed[codes], codes >= 0)
        return self.hashed[name]


def _pairs_of(keys: Keys, rule: Rule, loose: Flags) -> tuple[Integers, Integers, int]:
    """The pairs of one rule (positions, either order), and how many blocks were skipped as hubs."""
    met = [_join(keys, join, loose, rule.limit) for join in joins(rule)]
    return (
        np.concatenate([one for one, _, _ in met]),
        np.concatenate([two for _, two, _ in met]),
        sum(m[2] for m in met),
    )


def _join(keys: Keys, join: Join, loose: Flags, limit: int) -> tuple[Integers, Integers, int]:
    """Every pair of a left and a right row with the same key, blocks over the limit left out."""
    (left, in_left), (right, in_right) = keys.key(join.left), keys.key(join.right)
    rows = np.flatnonzero(in_left & (loose == join.in_left))
    others = np.flatnonzero(in_right if join.in_right is None else in_right & (loose == join.in_right))
    others = others[np.argsort(right[others], kind="stable")]
    begin = np.searchsorted(right[others], left[rows], side="left")
    count = np.searchsorted(right[others], left[rows], side="right") - begin
    _, block, sizes = np.unique(left[rows], return_inverse=True, return_counts=True)
    work = sizes[block] * count
    hub = work > affordable(limit, work, count, len(loose))
    skipped = len(np.unique(block[hub]))
    rows, begin, count = rows[~hub], begin[~hub], count[~hub]
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(rows, count), others[np.repeat(begin, count) + step], skipped


def affordable(limit: int, work: Integers, pairs: Integers, records: int) -> int:
    """The limit, halved until the blocks within it give no more pairs than the budget allows so many records.

    work: pairs of the block that each entry belongs to; pairs: those of the entry itself.
    """
    while limit > 1 and pairs[work <= limit].sum() > BUDGET * records:
        limit //= 2
    return limit
