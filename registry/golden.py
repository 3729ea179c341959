"""Golden values: of all that records say of an entity, the one value the registry stands for.

The rules of a property are tried in order, each breaking the ties of the ones before; the first record by name breaks
the last. What lost stays in the member records. Whole columns at once; the definition in slow Python is in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.origins import Integers, Origins
from registry.trust import Trust, contradicted, trust_of
from schemas.properties import EntityType, Property

GOLDEN_COLUMNS = ("group", "property", "value", "record", "rule", "agree", "differ")
ONLY, FIRST = "only", "first"  # nothing was said otherwise; no rule could decide, the first record by name did
MOST = 32767  # a smallint: more records than that are counted as that many


class Said(NamedTuple):
    """What records say of one property: a row a record, `group` ascending. trusted: judges distinct values and rows."""

    group: Integers
    value: pd.Series
    rid: Integers


class _Candidates(NamedTuple):
    """The distinct values of each group, with what each rule weighs; `best` is the record that stands for the value."""

    group: Integers
    value: Integers
    best: Integers
    first: Integers
    start: Integers
    records: Integers


def survive(said: Said, rules: tuple[str, ...], origins: Origins, trust: Trust) -> pd.DataFrame:
    """The winning value of each group: `group`, `value`, `record`, `rule`, `agree`, `differ` (records), by group."""
    order, codes, values = _ordered(said, origins)
    rid = said.rid[order]
    candidates = _candidates(said.group[order], codes, rid, origins.order[origins.at(rid)])
    first, size = _runs(candidates.group)
    winner, rule = first.copy(), np.full(len(first), ONLY, dtype=object)
    contested = np.flatnonzero(size > 1)
    if len(contested):
        rows = np.flatnonzero(np.repeat(size > 1, size))
        keys = _keys(_only(candidates, rows), rules, rid, _Context(values, origins, trust))
        winner[contested], rule[contested] = _decide(candidates.group[rows], rows, keys, rules)
    total = np.add.reduceat(candidates.records, first) if len(first) else size
    return pd.DataFrame(
        {
            "group": candidates.group[winner],
            "value": values.take(candidates.value[winner]).array,
            "record": candidates.best[winner],
            "rule": pd.Series(rule, dtype="str"),
            "agree": np.minimum(candidates.records[winner], MOST),
            "differ": np.minimum(total - candidates.records[winner], MOST),
        }
    )


class _Context(NamedTuple):
    values: pd.Series
    origins: Origins
    trust: Trust


def _ordered(said: Said, origins: Origins) -> tuple[Integers, Integers, pd.Series]:
    """Rows by group, value, authority, newest, the order of names; the value numbers in that order, and the distinct values."""
    codes, values = pd.factorize(said.value)
    place = origins.at(said.rid)
    weight = np.lexsort((origins.order[place], -origins.time[place], origins.rank[place]))
    packed = said.group[weight] * max(len(values), 1) + codes[weight]
    order = weight[np.argsort(packed, kind="stable")]
    return order, codes[order].astype(np.int64), pd.Series(values, dtype="str")


def _candidates(group: Integers, codes: Integers, rid: Integers, order: Integers) -> _Candidates:
    new = np.r_[True, (group[1:] != group[:-1]) | (codes[1:] != codes[:-1])][: len(group)]
    start = np.flatnonzero(new)
    count = np.diff(np.r_[start, len(group)])
    smallest = np.minimum.reduceat(order, start) if len(start) else order
    return _Candidates(group[start], codes[start], rid[start], smallest, start, count)


def _runs(group: Integers) -> tuple[Integers, Integers]:
    """The first place and the length of each run of equal groups."""
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]][: len(group)])
    return first, np.diff(np.r_[first, len(group)])


def _only(candidates: _Candidates, rows: Integers) -> _Candidates:
    return _Candidates(*(values[rows] for values in candidates))


def _keys(candidates: _Candidates, rules: tuple[str, ...], rid: Integers, context: _Context) -> list[Integers]:
    """For each rule what it orders by, smaller is better; at the end the first record by name."""
    rows, owner = _members(candidates)
    place = context.origins.at(rid[rows])
    starts = np.r_[0, np.cumsum(candidates.records)[:-1]]
    weigh: Mapping[str, Callable[[], Integers]] = {
        "trusted": lambda: _distrust(candidates, rid[rows], starts, context),
        "majority": lambda: -_sources(owner, context.origins.source[place], len(starts)),
        "authority": lambda: np.minimum.reduceat(context.origins.rank[place], starts),
        "complete": lambda: np.negative(context.values.str.len().to_numpy(dtype=np.int64))[candidates.value],
        "newest": lambda: -np.maximum.reduceat(context.origins.time[place], starts),
    }
    return [*(weigh[rule]() for rule in rules), candidates.first]


def _members(candidates: _Candidates) -> tuple[Integers, Integers]:
    """The rows behind the candidates, one after the other, and the candidate of each."""
    owner = np.repeat(np.arange(len(candidates.records)), candidates.records)
    offset = np.arange(len(owner)) - np.repeat(np.r_[0, np.cumsum(candidates.records)[:-1]], candidates.records)
    return candidates.start[owner] + offset, owner


def _sources(owner: Integers, source: Integers, size: int) -> Integers:
    """How many different feeds stand behind each candidate."""
    many = int(source.max()) + 2
    pairs = np.unique(owner * many + source + 1)
    return np.bincount(pairs // many, minlength=size).astype(np.int64)


def _distrust(candidates: _Candidates, rid: Integers, starts: Integers, context: _Context) -> Integers:
    contested, where = np.unique(candidates.value, return_inverse=True)
    good = context.trust.passes(context.values.iloc[contested])[where]
    told = ~np.isin(rid, context.trust.contradicted)
    return (~(good & np.logical_or.reduceat(told, starts))).astype(np.int64)


def _decide(
    group: Integers, rows: Integers, keys: list[Integers], rules: tuple[str, ...]
) -> tuple[Integers, npt.NDArray[np.object_]]:
    """The winner of each contested group, and the rule that set it apart from the one that came next."""
    order = np.lexsort((*reversed(keys), group))
    first, _ = _runs(group[order])
    one, two = order[first], order[first + 1]
    names = np.array([*rules, FIRST], dtype=object)
    apart = np.stack([key[one] != key[two] for key in keys])
    return rows[one], names[np.argmax(apart, axis=0)]


def golden_values(own: pd.DataFrame, frame: pd.DataFrame, entity_type: EntityType, origins: Origins) -> pd.DataFrame:
    """The golden values of entities from their own records: GOLDEN_COLUMNS.

    own: `group` and `rid`, a line a member record of this type. frame: the records of the type.
    """
    place = pd.Index(frame["rid"]).get_indexer(pd.Index(own["rid"]))
    group, rid = own["group"].to_numpy(dtype=np.int64), own["rid"].to_numpy(dtype=np.int64)
    parts = [_no_values()]
    for name, prop in entity_type.properties.items():
        if name not in frame.columns:
            continue
        value = frame[name].take(place)
        known = value.notna().to_numpy()
        said = Said(group[known], value[known].reset_index(drop=True), rid[known])
        trust = trust_of(prop, contradicted(frame, prop, entity_type))
        parts.append(survive(said, prop.survivorship, origins, trust).assign(property=name))
    return pd.concat(parts, ignore_index=True)[list(GOLDEN_COLUMNS)]


def derived_values(derived: pd.DataFrame, entity_type: EntityType, origins: Origins) -> pd.DataFrame:
    """The golden values among derived ones (`group`, `property`, `value`, `rid`), by the rules of their properties."""
    parts = [_no_values()]
    for name, lines in derived.dropna(subset=["value"]).groupby("property"):
        prop = entity_type.properties.get(str(name)) or Property(str(name), str(name), "text")
        said = Said(
            lines["group"].to_numpy(dtype=np.int64), lines["value"].reset_index(drop=True), lines["rid"].to_numpy()
        )
        trust = trust_of(prop, np.empty(0, np.int64))
        parts.append(survive(said, prop.survivorship, origins, trust).assign(property=name))
    return pd.concat(parts, ignore_index=True)[list(GOLDEN_COLUMNS)]


def _no_values() -> pd.DataFrame:
    text, number = pd.Series(dtype="str"), pd.Series(dtype="int64")
    return pd.DataFrame({name: text if name in ("property", "value", "rule") else number for name in GOLDEN_COLUMNS})
