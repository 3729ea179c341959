"""What the findings do to rows, records and values, and the quarantine lines that keep every one with all its reasons.

reject: of the principal record (the first map without a role) the row is out; of another one only that record is
dropped and its values are withheld. withhold: the value is out, the record flows on. warn: a line, nothing changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from quality.mapping import Mapped
from quality.suites import Demand, Finding, Verdicts
from schemas.properties import EntityType

QUARANTINE_COLUMNS = ("row", "key", "scope", "type", "role", "property", "reasons", "raw")

Mask = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class RowFates:
    """What becomes of each landed row: masks over all rows, aligned with `keys`.

    reasons: why whole rows are out. dropped: rows whose principal record is out, for reasons its map outcome holds.
    """

    keys: pd.Series
    deleted: Mask
    repeated: Mask
    reasons: Mapping[Demand, Mask]
    dropped: Mask = field(default_factory=lambda: np.zeros(0, dtype=bool))

    @cached_property
    def judged(self) -> Mask:
        """Rows whose content is looked at."""
        return ~self.deleted & ~self.repeated

    @cached_property
    def rejected(self) -> Mask:
        """Rows that are quarantined whole."""
        out = self.dropped.copy() if self.dropped.size else np.zeros(len(self.keys), dtype=bool)
        for broken in self.reasons.values():
            out |= broken
        return out

    @cached_property
    def flowing(self) -> Mask:
        """Rows that count as clean, those that say they are gone included."""
        return ~self.rejected & ~self.repeated


@dataclass(frozen=True)
class MapOutcome:
    """One map judged: cleaned `values`, rows where the feed `stated` something, verdicts, and what validation found."""

    mapped: Mapped
    kind: EntityType
    values: pd.DataFrame
    stated: Mask
    verdicts: Mapping[Demand, Verdicts]
    findings: Sequence[Finding]

    @cached_property
    def dropped(self) -> Mask:
        """Rows whose record of this map cannot be used."""
        return self.broken([found.demand for found in self.findings if found.demand.outcome == "reject"])

    def withheld(self, name: str) -> Mask:
        """Rows whose value of the property `name` is wrong and does not flow on."""
        return self.broken([demand for demand in self.demands(name) if demand.outcome == "withhold"])

    def demands(self, name: str) -> list[Demand]:
        """The demands on one property; on the record as a whole for the empty name."""
        return [found.demand for found in self.findings if found.demand.property == name]

    def causes(self, name: str) -> list[Demand]:
        """What may keep a value of `name` back: its own demands, and the ones that drop its whole record."""
        return [
            found.demand for found in self.findings if found.demand.property == name or found.demand.outcome == "reject"
        ]

    def broken(self, demands: Sequence[Demand]) -> Mask:
        """Rows that broke at least one of the demands."""
        return np.asarray(self.bits(demands) != 0, dtype=np.bool_)

    def bits(self, demands: Sequence[Demand]) -> Bits:
        """Per row, which of the demands it broke: bit i for the i-th (a property has far fewer than 64)."""
        broken = np.zeros(len(self.stated), dtype=np.uint64)
        for place, demand in enumerate(demands):
            broken[self._failed[demand]] |= np.uint64(1 << place)
        return broken

    @cached_property
    def _failed(self) -> dict[Demand, npt.NDArray[np.int64]]:
        return {found.demand: found.failed for found in self.findings}


def quarantine_frame(rows: pd.DataFrame, fates: RowFates, outcomes: Sequence[MapOutcome]) -> pd.DataFrame:
    """Every outcome as a line (see `schemas.records.Checked.quarantine`), by row, whole rows before single values."""
    lines = [_row_lines(rows, fates, outcomes)]
    for outcome in outcomes:
        for name in outcome.values.columns:
            lines += _value_lines(fates, outcome, str(name))
    frame = pd.concat([part for part in lines if len(part)] or [lines[0]], ignore_index=True)
    return frame.sort_values("row", kind="stable", ignore_index=True)


def _value_lines(fates: RowFates, outcome: MapOutcome, name: str) -> list[pd.DataFrame]:
    raw, causes = outcome.mapped.frame[name], outcome.causes(name)
    stated = fates.flowing & raw.notna().to_numpy()
    kept_back = stated & (outcome.withheld(name) | outcome.dropped)
    doubted = fates.flowing & outcome.broken(outcome.demands(name)) & ~kept_back
    broken = outcome.bits(causes)
    lines = []
    for scope, mask in (("value", kept_back), ("warning", doubted)):
        at = np.flatnonzero(mask)
        texts = raw.take(at) if scope == "value" else pd.Series(pd.NA, index=at, dtype="str")
        lines.append(_frame(at, fates.keys, scope, (outcome, name), ("[" + _reasons(broken[at], causes) + "]", texts)))
    return lines


def _row_lines(rows: pd.DataFrame, fates: RowFates, outcomes: Sequence[MapOutcome]) -> pd.DataFrame:
    at = np.flatnonzero(fates.rejected)
    reasons = np.full(len(at), "", dtype=object)
    for demand, broken in fates.reasons.items():
        reasons += np.where(broken[at], _fragment([demand]) + ",", "").astype(object)
    for outcome in outcomes:
        for name in ("", *outcome.values.columns):
            demands = outcome.demands(str(name))
            found = _reasons(outcome.bits(demands)[at], demands, outcome)
            reasons += np.where(found != "", found + ",", "")
    texts = np.array([f"[{text[:-1]}]" for text in reasons], dtype=object)
    return _frame(at, fates.keys, "row", None, (texts, pd.Series(_raw_rows(rows, at), index=at, dtype="str")))


def _reasons(broken: Bits, demands: Sequence[Demand], outcome: MapOutcome | None = None) -> npt.NDArray[np.object_]:
    """The reasons of each row as JSON without the brackets; made once for each set of broken demands."""
    sets, which = np.unique(broken, return_inverse=True)
    texts = [_fragment([d for place, d in enumerate(demands) if int(bits) >> place & 1], outcome) for bits in sets]
    return np.array(texts, dtype=object)[which] if len(sets) else np.array([], dtype=object)


def _fragment(demands: Sequence[Demand], outcome: MapOutcome | None = None) -> str:
    reasons: list[dict[str, str]] = []
    for demand in demands:
        reason = {"rule": demand.rule, "sentence": demand.sentence}
        if outcome is not None:
            reason |= {"type": outcome.mapped.type, "role": outcome.mapped.role, "property": demand.property}
        reasons.append(reason)
    return json.dumps(reasons, ensure_ascii=False)[1:-1]


def _raw_rows(rows: pd.DataFrame, at: npt.NDArray[np.int64]) -> list[str]:
    picked = rows.take(at).astype(object)
    picked = picked.where(picked.notna(), None)
    return [json.dumps(row, ensure_ascii=False) for row in picked.to_dict("records")]


def _frame(
    at: npt.NDArray[np.int64],
    keys: pd.Series,
    scope: str,
    place: tuple[MapOutcome, str] | None,
    said: tuple[npt.NDArray[np.object_], pd.Series],
) -> pd.DataFrame:
    """Quarantine lines of one scope and one place; `said` is the reasons and the raw texts of the rows `at`."""
    outcome, name = place if place else (None, None)
    texts: dict[str, object] = {
        "key": keys.take(at).to_numpy(),
        "scope": scope,
        "type": outcome.mapped.type if outcome else pd.NA,
        "role": outcome.mapped.role if outcome else pd.NA,
        "property": name if outcome else pd.NA,
        "reasons": said[0],
        "raw": said[1].to_numpy(),
    }
    frame = pd.DataFrame({name: pd.Series(value, index=range(len(at)), dtype="str") for name, value in texts.items()})
    frame.insert(0, "row", at + 1)
    return frame
