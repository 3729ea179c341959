"""The source file's own bounds on feed columns (`expect.columns`) as native expectations: they only warn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from quality.library import load
from quality.mapping import absent_if_blank
from quality.results import Tally
from quality.suites import KEPT, Demand, Expectation, run_suite
from schemas.records import column
from schemas.source_expect import Range
from schemas.sources import ColumnBounds, Source

TEXT, NUMBER = "text", "number"
DIMENSIONS = {
    "not_null": "completeness",
    "unique": "accuracy",
    "in_set": "conformity",
    "matches": "conformity",
    "between": "accuracy",
    "length": "conformity",
}


@dataclass(frozen=True)
class Bounds:
    """What the bounds say of one load: tallies of rows, and a sentence for each bound that is not met."""

    tallies: tuple[Tally, ...] = ()
    warnings: tuple[str, ...] = ()


def check_bounds(rows: pd.DataFrame, source: Source) -> Bounds:
    """Validate the feed columns as read (before corrections) against the bounds of the source file."""
    tallies: list[Tally] = []
    warnings: list[str] = []
    for name, bounds in source.expect.columns.items():
        texts = absent_if_blank(column(rows, name)).reset_index(drop=True)
        wanted = _expectations(bounds)
        results = run_suite(_frame(texts, bounds), list(wanted.values()))
        for bound, result in zip(wanted, results, strict=True):
            tallies.append(_tally(name, bound, texts, result))
            if not result["success"]:
                warnings.append(_sentence(name, bound, bounds, result))
    return Bounds(tuple(tallies), tuple(warnings))


def _expectations(bounds: ColumnBounds) -> dict[str, Expectation]:
    """One native expectation for each bound that is given; shares become `mostly`."""
    load()
    from great_expectations import expectations as gxe

    wanted: dict[str, Expectation] = {}
    if bounds.not_null is not None:
        wanted["not_null"] = gxe.ExpectColumnValuesToNotBeNull(column=TEXT, mostly=bounds.not_null)
    if bounds.unique is not None:
        wanted["unique"] = gxe.ExpectColumnValuesToBeUnique(column=TEXT, mostly=bounds.unique)
    if bounds.in_set is not None:
        wanted["in_set"] = gxe.ExpectColumnValuesToBeInSet(column=TEXT, value_set=list(bounds.in_set))
    if bounds.matches is not None:
        wanted["matches"] = gxe.ExpectColumnValuesToMatchRegex(column=TEXT, regex=f"^(?:{bounds.matches})")
    if bounds.between is not None and _is_text(bounds):  # the native one knows numbers and dates, not text
        wanted["between"] = gxe.ExpectColumnValuesToBeInSet(column=NUMBER, value_set=[float(KEPT)])
    elif bounds.between is not None:
        low, high = bounds.between
        wanted["between"] = gxe.ExpectColumnValuesToBeBetween(column=NUMBER, min_value=low, max_value=high)
    if bounds.length is not None:
        low, high = bounds.length
        wanted["length"] = gxe.ExpectColumnValueLengthsToBeBetween(column=TEXT, min_value=low, max_value=high)
    return wanted


def _is_text(bounds: ColumnBounds) -> bool:
    return bounds.between is not None and any(isinstance(end, str) for end in bounds.between)


def _frame(texts: pd.Series, bounds: ColumnBounds) -> pd.DataFrame:
    """The column as text, and as what its `between` compares."""
    frame = pd.DataFrame({TEXT: texts})
    if bounds.between is not None:
        frame[NUMBER] = _in_text_order(texts, bounds.between) if _is_text(bounds) else _numbers(texts, bounds.between)
    return frame


def _numbers(texts: pd.Series, ends: Range) -> pd.Series:
    """The texts as numbers; what is no number lies outside every range."""
    numbers = pd.to_numeric(texts, errors="coerce").astype("float64")
    return numbers.mask(numbers.isna() & texts.notna(), np.inf if ends[1] is not None else -np.inf)


def _in_text_order(texts: pd.Series, ends: Range) -> pd.Series:
    """1 where the text lies between the ends, else 0; missing where it is."""
    low, high = ends
    inside = (texts >= str(low) if low is not None else texts.notna()) & (
        texts <= str(high) if high is not None else texts.notna()
    )
    return inside.astype("float64").where(texts.notna())


def _tally(name: str, bound: str, texts: pd.Series, result: Mapping[str, Any]) -> Tally:
    sentence = f"The column is outside its bound {bound}. 超出源文件约定范围。"
    failed = np.zeros(len(texts), dtype=bool)
    failed[np.asarray(result.get("unexpected_index_list") or [], dtype=np.int64)] = True
    evaluated = np.ones(len(texts), dtype=bool) if bound == "not_null" else texts.notna().to_numpy()
    return Tally("", "", Demand(name, f"bound_{bound}", DIMENSIONS[bound], "warn", sentence), evaluated, failed)


def _sentence(name: str, bound: str, bounds: ColumnBounds, result: Mapping[str, Any]) -> str:
    """A warning that names the column, the bound and how many rows miss it; never a value."""
    missed, of = int(result["unexpected_count"]), int(result["element_count"])
    if bound != "not_null":
        of -= int(result.get("missing_count") or 0)
    kept = 1 - missed / of if of else 1.0
    if bound in ("not_null", "unique"):
        return f"column {name}: {kept:.2%} of {of} values are {bound}, {getattr(bounds, bound):.2%} are expected"
    return f"column {name}: {missed} of {of} values miss the expected bound {bound}"
