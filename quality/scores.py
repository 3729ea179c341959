"""How good the data is: the six dimensions of GB/T 36344-2018 by owner, level, division, grid, property or source.

A dimension's score is 1 - failed / evaluated over all its rules, so a rule weighs as much as the values it judged;
missing where nothing was judged. Accessibility is the share of recent loads that did not fail. Each line carries its
worst cell (one property of one source in one grid): an average must not hide a small area that is bad.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from onegrid.database import read_frame
from onegrid.errors import SettingsError

# 规范性 完整性 准确性 一致性 时效性 可访问性, in the standard's order.
DIMENSIONS = ("conformity", "completeness", "accuracy", "consistency", "timeliness", "accessibility")
BY = ("owner", "level", "division", "grid", "property", "source", "type")
# Five grades as DB11/T 2317-2024 has five; the bounds are ours: the least score of each.
GRADES = (("A", 0.98), ("B", 0.95), ("C", 0.90), ("D", 0.80), ("E", 0.0))
RECENT_LOADS = 12  # loads a source whose results and outcome are looked at: a trend of some days
JUDGED = ("checked", "staged")  # states of a load whose results are stored
SMALLEST_CELL = 5  # values; a cell of fewer says nothing by its share
CELL = ["source", "division", "grid", "property"]

_RESULTS = """
    SELECT q.load, q.source, q.owner, q.level, q.division, q.grid, q.type, q.dimension,
        CASE WHEN q.property = '' THEN q.type ELSE q.type || '.' || q.property END AS property,
        sum(q.evaluated)::bigint AS evaluated, sum(q.failed)::bigint AS failed
    FROM quality_result q
    WHERE q.load = ANY(%(loads)s) AND starts_with(q.division, %(area)s)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9"""
_LOADS = """
    SELECT l.id, l.source, l.mode = 'snapshot' OR l.full_scan AS whole, l.state, l.started_at,
        s.owner, s.level, s.division
    FROM load l JOIN source s ON s.name = l.source
    WHERE (starts_with(s.division, %(area)s) OR starts_with(%(area)s, s.division)) AND l.state IN ('checked', 'staged', 'unchanged', 'failed') ORDER BY l.id"""


@dataclass(frozen=True)
class Facts:
    """What is stored of recent loads: counts by load, cell and dimension, and the loads themselves in order."""

    counts: pd.DataFrame
    loads: pd.DataFrame


def scores(connection: Connection, by: Sequence[str], area: str = "") -> pd.DataFrame:
    """A line a group of `by` (any of BY), worst first, from each source's latest state.

    Columns: those of `by`, `evaluated`, the six DIMENSIONS (0 to 1, missing where nothing was judged), `score` (their
    plain mean), `grade` (A to E), `change` (of the score since the state before, missing without one), `worst` (the
    lowest score of any cell inside) and `worst_where` (dimension and cell, no values).
    area: what the division codes of all that counts begin with. SettingsError for an unknown `by`.
    """
    _known(by)
    loads = read_frame(connection, _LOADS, {"area": area})
    facts = _facts(connection, loads, area, [*_loads_of_states(loads, 0), *_loads_of_states(loads, 1)])
    current = _state(facts, 0)
    table = _score(current, by)
    before = _score(_state(facts, 1), by)[[*by, "score"]].rename(columns={"score": "before"})
    table = table.merge(before, on=list(by), how="left").merge(_worst(current, by), on=list(by), how="left")
    table["change"] = table["score"] - table.pop("before")
    table["grade"] = [grade(score) for score in table["score"]]
    ordered = [*by, "evaluated", *DIMENSIONS, "score", "grade", "change", "worst", "worst_where"]
    return table.sort_values("score", ignore_index=True, na_position="last")[ordered]


def trend(connection: Connection, by: Sequence[str]) -> pd.DataFrame:
    """The scores after each day with a load, oldest first: `day` (date), those of `by`, DIMENSIONS and `score`."""
    _known(by)
    loads = read_frame(connection, _LOADS, {"area": ""})
    judged = loads[loads["state"].isin(JUDGED)]
    facts = _facts(connection, loads, "", judged.groupby("source")["id"].tail(RECENT_LOADS).tolist())
    days = facts.loads["started_at"].dt.date
    parts = []
    for day in sorted(days.unique()):
        known = Facts(facts.counts, facts.loads[days <= day])
        parts.append(_score(_state(known, 0), by).assign(day=day))
    columns = ["day", *by, *DIMENSIONS, "score"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def grade(score: float) -> str:
    """The grade of a score from 0 to 1; empty where there is none."""
    return "" if pd.isna(score) else next(letter for letter, least in GRADES if score >= least)


def _known(by: Sequence[str]) -> None:
    wrong = [name for name in by if name not in BY]
    if wrong or not by:
        raise SettingsError(f"--by knows {', '.join(BY)}; not {', '.join(wrong) or 'nothing at all'}.")


def _facts(connection: Connection, loads: pd.DataFrame, area: str, wanted: Sequence[int]) -> Facts:
    return Facts(read_frame(connection, _RESULTS, {"loads": sorted(set(wanted)), "area": area}), loads)


def _state(facts: Facts, back: int) -> pd.DataFrame:
    """The counts that make up each source's state, 0 for the latest, 1 for the one before; accessibility with it.

    A full read is a state of its own; the deltas after one add to it (rows they change are counted anew).
    """
    counts = facts.counts[facts.counts["load"].isin(_loads_of_states(facts.loads, back))]
    return pd.concat([counts, _accessibility(facts.loads, back)], ignore_index=True)


def _loads_of_states(loads: pd.DataFrame, back: int) -> list[int]:
    """The loads that make up every source's state: its last full read and the deltas since."""
    judged = loads[loads["state"].isin(JUDGED)]
    wanted: list[int] = []
    for _, found in judged.groupby("source", sort=False):
        kept = found.iloc[: len(found) - back]
        whole = kept["whole"].to_numpy().nonzero()[0]
        wanted += kept["id"].iloc[int(whole[-1]) if len(whole) else 0 :].tolist()
    return wanted


def _accessibility(loads: pd.DataFrame, back: int) -> pd.DataFrame:
    """The recent loads of each source as counts of a dimension: read or failed."""
    recent = loads.groupby("source").tail(RECENT_LOADS + back)
    kept = recent.groupby("source").head(RECENT_LOADS) if back else recent
    named = kept.assign(grid="", type="", property="", dimension="accessibility", evaluated=1)
    named["failed"] = named["state"].eq("failed").astype("int64")
    return named.drop(columns=["id", "whole", "state", "started_at"])


def _score(counts: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """One line a group: evaluated values, a score a dimension, and their mean."""
    sums = counts.groupby([*by, "dimension"], as_index=False)[["evaluated", "failed"]].sum()
    sums["share"] = 1 - sums["failed"] / sums["evaluated"].replace(0, np.nan)
    table = sums.set_index([*by, "dimension"])["share"].unstack("dimension")
    table = table.reindex(columns=list(DIMENSIONS)).astype("float64").dropna(how="all")
    table["score"] = table[list(DIMENSIONS)].mean(axis=1)
    evaluated = sums.groupby(list(by))["evaluated"].sum()
    return table.join(evaluated).reset_index().rename_axis(columns=None)


def _worst(counts: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The lowest score of any (source, division, grid, property) and dimension within each group, and where it is."""
    keys = list(dict.fromkeys([*by, *CELL, "dimension"]))
    cells = counts.groupby(keys, as_index=False)[["evaluated", "failed"]].sum()
    cells = cells[cells["evaluated"] >= SMALLEST_CELL]
    cells["worst"] = 1 - cells["failed"] / cells["evaluated"]
    least = cells.sort_values(["worst", "evaluated"], ascending=[True, False], kind="stable").drop_duplicates(list(by))
    parts = least[["dimension", *CELL]].astype("str").fillna("")
    least = least.assign(worst_where=[" ".join(part for part in row if part) for row in parts.itertuples(index=False)])
    return least[[*by, "worst", "worst_where"]]
