"""Why rows of different people were merged: each wrong pair is counted under the first cause that holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
MOST = 2_000_000  # wrong pairs looked at; larger groups than these hold are left out of the causes (not of the scores)
GENERATION = 15  # years between birth dates from which two of a household count as parent and child

Told = Callable[[str], Flags]


def wrong_pairs(truth: pd.Series, found: pd.Series) -> tuple[Integers, Integers]:
    """Positions of the rows merged wrongly, a < b; the smallest groups first, MOST pairs at most. Missing labels are left out."""
    told = np.flatnonzero(truth.notna().to_numpy() & found.notna().to_numpy())
    group = pd.factorize(found.iloc[told])[0]
    person = pd.factorize(truth.iloc[told])[0]
    size = np.bincount(group, minlength=1)
    order = np.lexsort((np.arange(len(told)), group, size[group]))
    behind = _rows_behind(group[order])
    kept = np.searchsorted(np.cumsum(behind), MOST, side="right")
    one = np.repeat(np.arange(kept), behind[:kept])
    step = np.arange(len(one)) - np.repeat(np.cumsum(behind[:kept]) - behind[:kept], behind[:kept]) + 1
    a, b = order[one], order[one + step]
    wrong = person[a] != person[b]
    return told[a[wrong]], told[b[wrong]]


def _rows_behind(group: Integers) -> Integers:
    """How many rows of its group stand behind each row of a list sorted by group."""
    if not len(group):
        return np.zeros(0, dtype=np.int64)
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    size = np.diff(np.r_[first, len(group)])
    return np.asarray(np.repeat(first + size, size) - np.arange(len(group)) - 1, dtype=np.int64)


def causes(rows: pd.DataFrame, truth: pd.Series, found: pd.Series) -> dict[str, int]:
    """Wrong pairs by cause, in the order of CAUSES, causes without any left out.

    rows: texts, aligned with the labels; of the columns `home`, `birth` (YYYY-MM-DD), `name`, `number` those that are known.
    """
    a, b = wrong_pairs(truth, found)
    left, right = (rows.iloc[side].reset_index(drop=True) for side in (a, b))
    equal = {name: _equal(left, right, name) for name in ("home", "birth", "name", "number")}
    open_ = np.ones(len(a), dtype=bool)
    counts = {}
    for name, holds in CAUSES.items():
        met = open_ & holds(equal, left, right)
        counts[name] = int(met.sum())
        open_ &= ~met
    return {name: number for name, number in counts.items() if number}


def _equal(left: pd.DataFrame, right: pd.DataFrame, name: str) -> Flags:
    if name not in left:
        return np.zeros(len(left), dtype=bool)
    return np.asarray((left[name] == right[name]).fillna(False) & left[name].notna() & right[name].notna(), dtype=bool)


def _generation(left: pd.DataFrame, right: pd.DataFrame) -> Flags:
    if "birth" not in left:
        return np.zeros(len(left), dtype=bool)
    years = [pd.to_numeric(side["birth"].str[:4], errors="coerce") for side in (left, right)]
    return np.asarray(((years[0] - years[1]).abs() >= GENERATION).fillna(False), dtype=bool)


Equal = Mapping[str, Flags]
CAUSES: Mapping[str, Callable[[Equal, pd.DataFrame, pd.DataFrame], Flags]] = {
    "household: one birth date": lambda equal, left, right: equal["home"] & equal["birth"],
    "household: one name": lambda equal, left, right: equal["home"] & equal["name"],
    "household: parent and child": lambda equal, left, right: equal["home"] & _generation(left, right),
    "household: others": lambda equal, left, right: equal["home"],
    "one number": lambda equal, left, right: equal["number"],
    "one name and birth date": lambda equal, left, right: equal["name"] & equal["birth"],
    "one name": lambda equal, left, right: equal["name"],
    "one birth date": lambda equal, left, right: equal["birth"],
    "neither": lambda equal, left, right: np.ones(len(left), dtype=bool),
}
