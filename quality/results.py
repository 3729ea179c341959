"""Figures of one load: for every rule how many rows were judged and how many broke it, by division and grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from quality.outcomes import MapOutcome
from quality.suites import Demand
from schemas.records import column
from schemas.sources import Source

RESULT_COLUMNS = ("division", "grid", "type", "role", "property", "rule", "dimension", "outcome", "evaluated", "failed")
# A district has some hundreds to a few thousand grids; a column with more distinct codes does not hold grids.
MOST_CODES = 5000
DIVISION = r"\d{6}|\d{9}|\d{12}|\d{15}"
# A grid's code may have any form, but not that of a mobile number or a resident id in a slipped column.
PERSONAL = r"1[3-9]\d{9}|\d{17}[\dXx]"
GRID = r"[0-9A-Za-z._-]{1,30}"

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Tally:
    """One rule over all rows of a load: which rows it judged and which of those broke it."""

    type: str
    role: str
    demand: Demand
    evaluated: Mask
    failed: Mask


def tally(outcome: MapOutcome, demand: Demand, evaluated: Mask, failed: Mask) -> Tally:
    """A tally of a map's records."""
    return Tally(outcome.mapped.type, outcome.mapped.role, demand, evaluated, failed)


def map_tallies(outcome: MapOutcome, judged: Mask, now: datetime) -> list[Tally]:
    """Every demand on one map, how complete its properties are, and how fresh."""
    return [*_demands(outcome), *_completeness(outcome, judged), *_freshness(outcome, now)]


def _demands(outcome: MapOutcome) -> list[Tally]:
    found = []
    for finding in outcome.findings:
        failed = np.zeros(len(outcome.stated), dtype=bool)
        failed[finding.failed] = True
        found.append(tally(outcome, finding.demand, ~np.isnan(outcome.verdicts[finding.demand]), failed))
    return found


def _completeness(outcome: MapOutcome, judged: Mask) -> list[Tally]:
    """Missing values; of a map with a role only where the feed speaks of such a thing at all."""
    rows = outcome.stated if outcome.mapped.role else judged
    found = []
    for name in outcome.values.columns.difference(list(outcome.mapped.constant), sort=False):
        demand = Demand(str(name), "filled", "completeness", "warn", "The value is missing. 缺失。")
        found.append(tally(outcome, demand, rows, rows & outcome.values[name].isna().to_numpy()))
    return found


def _freshness(outcome: MapOutcome, now: datetime) -> list[Tally]:
    """Values older than their property may be, by the record's own `updated_at`; nothing is judged without one."""
    if "updated_at" not in outcome.values.columns:
        return []
    age = _age_in_days(outcome.values["updated_at"], now)
    found = []
    for name in outcome.values.columns.difference(list(outcome.mapped.constant), sort=False):
        limit = outcome.kind.properties[name].freshness_days
        if limit is not None:
            dated = outcome.stated & outcome.values[name].notna().to_numpy() & ~np.isnan(age)
            demand = Demand(
                str(name), "fresh", "timeliness", "warn", f"The record is older than {limit} days. 超过更新周期。"
            )
            found.append(tally(outcome, demand, dated, dated & (age > limit)))
    return found


def _age_in_days(stamps: pd.Series, now: datetime) -> npt.NDArray[np.float64]:
    codes, uniques = pd.factorize(stamps)
    times = pd.to_datetime(pd.Series(uniques, dtype="str"), errors="coerce", utc=True, format="ISO8601")
    days = (pd.Timestamp(now) - times).dt.total_seconds().to_numpy(dtype=np.float64) / 86400
    return np.append(days, np.nan)[codes]


def result_frame(source: Source, outcomes: Sequence[MapOutcome], tallies: Sequence[Tally], rows: int) -> pd.DataFrame:
    """The tallies as counts by (division, grid), groups without a judged row left out; columns RESULT_COLUMNS."""
    codes, groups = _groups(source, outcomes, rows)
    parts = []
    for found in tallies:
        evaluated = np.bincount(codes[found.evaluated], minlength=len(groups))
        failed = np.bincount(codes[found.failed & found.evaluated], minlength=len(groups))
        said = {
            "type": found.type,
            "role": found.role,
            "property": found.demand.property,
            "rule": found.demand.rule,
            "dimension": found.demand.dimension,
            "outcome": found.demand.outcome,
        }
        part = groups.assign(**said, evaluated=evaluated, failed=failed)
        parts.append(part[part["evaluated"] > 0])
    return pd.concat(parts, ignore_index=True)[list(RESULT_COLUMNS)]


def _groups(source: Source, outcomes: Sequence[MapOutcome], rows: int) -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Each row's group, and the groups as (division, grid): by the codes the feed gives, else by what it covers."""
    division = pd.Series(source.division, index=range(rows), dtype="str")
    grid = pd.Series("", index=range(rows), dtype="str")
    for outcome in outcomes:
        if not outcome.mapped.role:
            division = _codes(outcome, "division_code", DIVISION, division)
            grid = _codes(outcome, "grid_code", GRID, grid)
    frame = pd.DataFrame({"division": division, "grid": grid})
    codes = frame.groupby(["division", "grid"], sort=True).ngroup().to_numpy().astype(np.int64)
    groups = frame.drop_duplicates().sort_values(["division", "grid"], ignore_index=True)
    return codes, groups


def _codes(outcome: MapOutcome, name: str, shape: str, usual: pd.Series) -> pd.Series:
    """The map's codes where they have the shape of one, else the usual; results are read by many, so nothing else."""
    values = column(outcome.values, name).reset_index(drop=True).mask(outcome.withheld(name)).astype("str")
    fits = values.str.fullmatch(shape).fillna(False).astype(bool)
    fits &= ~values.str.fullmatch(PERSONAL).fillna(False).astype(bool)
    given = values.where(fits)
    return given.where(given.notna(), usual).astype("str") if given.nunique() <= MOST_CODES else usual
