"""The guard before publication: what a run would do is held against bounds, which are data (`schemas/data/guard.yml`).

A feed that suddenly joins thousands of people, or one entity that swallows a crowd, is nearly always a fault of a feed or a
rule; published codes are hard to take back, so a person looks first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from onegrid.errors import SettingsError
from registry.groups import Groups
from registry.origins import Integers
from schemas.records import Records

SHARES = ("merged", "split", "retired")
NUMBERS = {"person": "id_number", "organization": "uscc"}  # what no two of should meet in one entity


@dataclass(frozen=True)
class Bounds:
    """floor: codes below which no share holds a run. shares: change -> share. crowds: type -> {records, numbers}."""

    floor: int
    shares: Mapping[str, float]
    crowds: Mapping[str, Mapping[str, int]]


def bounds(own: Path | None = None) -> Bounds:
    """The bounds of `schemas/data/guard.yml`; what the file `own` says instead counts, where there is one.

    Raises SettingsError for a file that says something else.
    """
    told = yaml.safe_load(resources.files("schemas").joinpath("data/guard.yml").read_text(encoding="utf-8"))
    if own is not None and own.exists():
        told = _with(told, own)
    return Bounds(int(told["floor"]), {name: float(told[name]) for name in SHARES}, told["over_merged"])


def _with(told: dict[str, Any], own: Path) -> dict[str, Any]:
    try:
        said = yaml.safe_load(own.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", -1) + 1
        raise SettingsError(f"{own}, line {line}: this is not YAML: mend it, or take the file away.") from None
    crowds = said.get("over_merged", {}) if isinstance(said, dict) else {}
    numbers = [
        *(said.get(name, 0) for name in ("floor", *SHARES)),
        *(n for limit in crowds.values() for n in limit.values()),
    ]
    if not isinstance(said, dict) or said.keys() - told.keys() or crowds.keys() - told["over_merged"].keys():
        raise SettingsError(
            f"{own}: the bounds are {', '.join(told)}, and of over_merged {', '.join(told['over_merged'])}."
        )
    if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
        raise SettingsError(f"{own}: every bound is a number, not below 0.")
    return {**told, **said, "over_merged": {**told["over_merged"], **crowds}}


def beyond_shares(by_type: Mapping[str, Mapping[str, int]], before: Mapping[str, int], limits: Bounds) -> list[str]:
    """A sentence for each type and change that is above its share. before: active codes by type before the run."""
    said = []
    for kind, changes in by_type.items():
        for name, share in limits.shares.items():
            number, codes = changes.get(name, 0), before.get(kind, 0)
            if number > max(limits.floor, share * codes):
                said.append(
                    f"{number:,} of {codes:,} codes of type {kind} would be {name} ({number / max(codes, 1):.1%}; the bound is {share:.1%})"
                )
    return said


def over_merged(groups: Groups, changed: Integers, records: Records, limits: Bounds) -> list[str]:
    """A sentence for each type with groups among `changed` (numbers of groups) that hold too much."""
    touched = groups.table.loc[np.intersect1d(changed, groups.table.index)]
    said = []
    for kind, limit in limits.crowds.items():
        ours = touched[touched["type"] == kind]
        for name, size in (("records", ours["records"]), ("numbers", _numbers(groups, ours, records, kind))):
            if name in limit and (size > limit[name]).any():
                many = size[size > limit[name]]
                what = "records" if name == "records" else f"different values of {NUMBERS[kind]}"
                said.append(
                    f"{len(many):,} of type {kind} would hold more than {limit[name]} {what} each, the largest {many.max():,}"
                )
    return said


def _numbers(groups: Groups, ours: pd.DataFrame, records: Records, kind: str) -> pd.Series:
    """How many different numbers the records of each group say."""
    frame, name = records.frame(kind), NUMBERS.get(kind, "")
    if name not in frame.columns or ours.empty:
        return pd.Series(dtype="int64")
    lines = groups.members[groups.members["group"].isin(ours.index)]
    said = lines[["group"]].assign(number=lines["rid"].map(frame.set_index("rid")[name]))
    return said.dropna().drop_duplicates().groupby("group").size()
