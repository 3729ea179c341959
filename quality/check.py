"""One landed load in; records, deletions, quarantine and figures out.

Order: keys and fates of rows (no key, repeated, duplicate, deleted), maps, cleaning and verdicts, validation, outcomes.
read = clean + quarantined + repeated always holds: every landed row has exactly one of the three fates.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from quality.bounds import check_bounds
from quality.mapping import Mapped, deleted_rows, map_rows, row_keys
from quality.outcomes import MapOutcome, RowFates, quarantine_frame
from quality.results import Tally, map_tallies, result_frame, tally
from quality.suites import Demand, Judgement, Verdicts, judge, validate
from schemas.properties import EntityType, entity_types
from schemas.records import WITHHELD, Checked, Counts, Landed
from schemas.sources import EXTRA_CELLS, FilesRead, Source

Mask = npt.NDArray[np.bool_]

NO_KEY = Demand("", "no_key", "completeness", "reject", "A part of the row's key is missing. 主键缺失。")
DUPLICATE = Demand(
    "", "duplicate_key", "accuracy", "reject", "A later row of the same load has the same key. 主键重复。"
)
REPEATED = Demand("", "repeated", "accuracy", "warn", "The row repeats another one of the same load. 重复行。")
EXTRA = Demand(
    "",
    "extra_cells",
    "accuracy",
    "reject",
    "The row has more cells than the header names, so its values may stand in wrong columns. 列数多于表头，数据可能错列。",
)
EMPTY = Demand(
    "", "empty_row", "completeness", "reject", "No mapped column of the row holds a usable value. 无有效内容。"
)


def check(
    landed: Landed,
    source: Source,
    types: Mapping[str, EntityType] | None = None,
    now: datetime | None = None,
) -> Checked:
    """Check one load against its entity types and its source file.

    landed.rows: the feed's columns as `str` text, index 0..n-1. now: when "fresh" is judged, by default the present.
    Raises nothing for bad rows: those come back in `quarantine`, each with all its reasons.
    """
    kinds = types or entity_types()
    fates = _fates(landed, source)
    outcomes = [_outcome(mapped, kinds[mapped.type], fates.judged) for mapped in map_rows(landed.rows, source)]
    fates = _settle(fates, outcomes)
    quarantine = quarantine_frame(landed.rows, fates, outcomes)
    bounds = check_bounds(landed.rows, source)
    tallies = [*_row_tallies(fates, outcomes), *bounds.tallies]
    for outcome in outcomes:
        tallies += map_tallies(outcome, fates.judged, now or datetime.now(UTC))
    return Checked(
        load=landed.load,
        source=landed.source,
        mode=landed.mode,
        records=_records(fates, outcomes),
        deleted=fates.keys[fates.flowing & fates.deleted].reset_index(drop=True),
        seen=fates.keys.dropna().drop_duplicates().reset_index(drop=True),
        quarantine=quarantine,
        results=result_frame(source, outcomes, tallies, len(landed.rows)),
        counts=_counts(fates, quarantine),
        warnings=bounds.warnings,
    )


def _fates(landed: Landed, source: Source) -> RowFates:
    """What becomes of each row by its key alone.

    Without a declared key equal rows are the same row: the first counts, the others are repeated. With one the last row
    stands: in a full read the others are duplicates to be looked at, in a delta they are older versions of it.
    """
    keys = row_keys(landed.rows, source)
    keyed = keys.notna().to_numpy()
    nothing = np.zeros(len(keys), dtype=bool)
    again = keys.duplicated(keep="last" if source.read.key else "first").to_numpy() & keyed
    quarantined = bool(source.read.key) and landed.mode != "delta"
    return RowFates(
        keys=keys,
        deleted=deleted_rows(landed.rows, source).to_numpy(),
        repeated=nothing if quarantined else again,
        reasons={NO_KEY: ~keyed, EXTRA: _shifted(landed, source), DUPLICATE: again if quarantined else nothing},
    )


def _shifted(landed: Landed, source: Source) -> Mask:
    """Rows of a csv with cells beyond the header: one separator too many moves all that follows. In a sheet it moves
    nothing (a note beside the table), so there landing's warning is enough.
    """
    read = source.read
    if not (isinstance(read, FilesRead) and read.format == "csv" and EXTRA_CELLS in landed.rows):
        return np.zeros(len(landed.rows), dtype=bool)
    return landed.rows[EXTRA_CELLS].notna().to_numpy(dtype=bool)


def _outcome(mapped: Mapped, kind: EntityType, judged: Mask) -> MapOutcome:
    """Judge one map's rows; a row that is deleted or repeated, or where the feed states nothing, is not judged."""
    stated = mapped.stated.to_numpy() & judged
    word = judge(mapped.frame, kind)
    demand, verdict = _usable(word, kind)
    verdicts = {name: np.where(stated, found, np.float32(np.nan)) for name, found in word.verdicts.items()}
    verdicts[demand] = np.where(stated, verdict, np.float32(np.nan))
    return MapOutcome(mapped, kind, word.values, stated, verdicts, validate(verdicts))


def _usable(word: Judgement, kind: EntityType) -> tuple[Demand, Verdicts]:
    """Whether a record has anything of what names its thing; a wrong value counts, it is evidence."""
    titles = ", ".join(kind.properties[name].title for name in kind.require_any)
    demand = Demand(
        "", "unusable", "completeness", "reject", f"Nothing that names it is there: {titles}. 缺少标识信息。"
    )
    there = word.values.reindex(columns=list(kind.require_any)).notna().any(axis=1)
    usable = there.to_numpy(dtype=bool) | (not kind.require_any)
    return demand, usable.astype(np.float32)


def _settle(fates: RowFates, outcomes: list[MapOutcome]) -> RowFates:
    """Add the reasons that come from the content: the principal record is rejected, or no record is left."""
    reasons = dict(fates.reasons)
    left = np.zeros(len(fates.keys), dtype=bool)
    for outcome in outcomes:
        left |= outcome.stated & ~outcome.dropped
    principal = next((outcome for outcome in outcomes if not outcome.mapped.role), None)
    dropped = principal.dropped if principal else np.zeros_like(left)
    reasons[EMPTY] = fates.judged & ~left & ~dropped
    return RowFates(fates.keys, fates.deleted, fates.repeated, reasons, dropped)


def _records(fates: RowFates, outcomes: list[MapOutcome]) -> dict[str, pd.DataFrame]:
    frames: dict[str, list[pd.DataFrame]] = {}
    for outcome in outcomes:
        frames.setdefault(outcome.mapped.type, []).append(_record_frame(fates, outcome))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}


def _record_frame(fates: RowFates, outcome: MapOutcome) -> pd.DataFrame:
    """The records of one map: values that stand, and beside them the ones withheld."""
    flows = fates.flowing & ~fates.deleted & outcome.stated & ~outcome.dropped
    rows = np.flatnonzero(flows)
    frame = {"key": fates.keys.take(rows), "role": pd.Series(outcome.mapped.role, index=rows, dtype="str")}
    for name in outcome.values.columns:
        values = outcome.values[name].take(rows)
        wrong = outcome.withheld(str(name))[rows]
        frame[name] = values.mask(wrong).astype("str")
        if wrong.any():
            frame[f"{name}{WITHHELD}"] = values.where(wrong).astype("str")
    return pd.DataFrame(frame).reset_index(drop=True)


def _row_tallies(fates: RowFates, outcomes: list[MapOutcome]) -> list[Tally]:
    every = np.ones(len(fates.keys), dtype=bool)
    principal = next((outcome for outcome in outcomes if not outcome.mapped.role), outcomes[0])
    return [
        tally(principal, NO_KEY, every, fates.reasons[NO_KEY]),
        tally(principal, DUPLICATE, every, fates.reasons[DUPLICATE]),
        tally(principal, EXTRA, every, fates.reasons[EXTRA]),
        tally(principal, REPEATED, every, fates.repeated),
        tally(principal, EMPTY, fates.judged, fates.reasons[EMPTY]),
    ]


def _counts(fates: RowFates, quarantine: pd.DataFrame) -> Counts:
    read, repeated, rejected = len(fates.keys), int(fates.repeated.sum()), int(fates.rejected.sum())
    return Counts(
        read=read,
        clean=read - repeated - rejected,
        quarantined=rejected,
        repeated=repeated,
        deleted=int((fates.flowing & fates.deleted).sum()),
        withheld=int((quarantine["scope"] == "value").sum()),
    )
