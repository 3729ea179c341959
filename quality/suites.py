"""Great Expectations suites from the entity types and the source file, and what they find, as positions and counts.

A kind says of each *distinct* text whether a rule fails (cheap); the verdicts are spread over the rows as one column a
demand (1 kept, 0 broken, missing where there was nothing to judge) and the suite expects 1 in every one. Positions of
the failing rows come from the validation result. No result is kept: it would hold raw values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from onegrid.errors import OneGridError
from quality.library import load
from schemas.identifiers import recognise
from schemas.kinds import KINDS
from schemas.properties import EntityType
from schemas.records import column

KEPT, BROKEN = np.float32(1), np.float32(0)
FULL_DATE = len("2000-01-31")
# Great Expectations copies the whole frame once a metric, so narrow frames cost less: 6 to 12 columns do best.
COLUMNS_A_SUITE = 12
# Every failing position, no raw value, no query text: 0.3 s for 12 demands over 130,000 rows.
RESULT_FORMAT: dict[str, object] = {
    "result_format": "COMPLETE",
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
    "partial_unexpected_count": 0,
}

Verdicts = npt.NDArray[np.float32]
Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Demand:
    """One rule that one property of a map must keep; `property` is empty for a rule about the whole row."""

    property: str
    rule: str
    dimension: str
    outcome: str
    sentence: str


@dataclass(frozen=True)
class Finding:
    """What validation found of one demand: how many rows it judged, and the positions of those that broke it."""

    demand: Demand
    evaluated: int
    failed: Positions


@dataclass(frozen=True)
class Judgement:
    """The kinds' word on one frame: the cleaned values, and a verdict (float32 1, 0, nan) a row for each demand."""

    values: pd.DataFrame
    verdicts: Mapping[Demand, Verdicts]


class Expectation(Protocol):
    """What a suite is made of; the classes themselves are imported only when a suite runs."""

    column: str
    expectation_type: str


def judge(frame: pd.DataFrame, kind: EntityType) -> Judgement:
    """Clean the mapped properties of one map and hear every rule of their kinds, then the type's cross checks.

    frame: `str` columns named as the type's properties. Each rule sees distinct cleaned values once.
    """
    values: dict[str, pd.Series] = {}
    verdicts: dict[Demand, Verdicts] = {}
    for name in frame.columns:
        values[name], found = _judge_property(frame[name], kind, str(name))
        verdicts.update(found)
    cleaned = pd.DataFrame(values, index=frame.index)
    verdicts.update(_cross_checks(cleaned, kind))
    return Judgement(cleaned, verdicts)


def _judge_property(texts: pd.Series, kind: EntityType, name: str) -> tuple[pd.Series, dict[Demand, Verdicts]]:
    declared = kind.properties[name]
    codes, uniques = pd.factorize(texts)
    distinct = pd.Series(uniques, dtype="str")
    cleaned = KINDS[declared.kind].clean(distinct).astype("str")
    there = cleaned.notna().to_numpy()
    verdicts: dict[Demand, Verdicts] = {}
    for rule in KINDS[declared.kind].rules:
        demand = Demand(name, rule.name, rule.dimension, declared.checks.get(rule.name, rule.outcome), rule.sentence)
        failed = rule.failed(cleaned).fillna(False).to_numpy(dtype=bool)
        verdicts[demand] = _spread(_verdict(failed, there), codes)
    return cleaned.reindex(codes).set_axis(texts.index).rename(name), verdicts


def _verdict(failed: npt.NDArray[np.bool_], judged: npt.NDArray[np.bool_]) -> Verdicts:
    return np.where(judged, np.where(failed, BROKEN, KEPT), np.float32(np.nan)).astype(np.float32)


def _spread(verdict: Verdicts, codes: npt.NDArray[np.intp]) -> Verdicts:
    """The verdicts on distinct texts, for each row; nothing to judge where the row has no text (code -1)."""
    return np.append(verdict, np.float32(np.nan))[codes]


# Cross checks: functions of the cleaned frame and of what its id numbers say (`recognise`), a verdict a row.
# GB 11643-1999: digits 7 to 14 are the birth date, an odd 17th digit is male.
def sex_agrees_with_id(frame: pd.DataFrame, known: pd.DataFrame) -> Verdicts:
    """The sex column against the 17th digit; judged only where the number is valid and the sex is male or female."""
    sex = column(frame, "sex")
    return _agreement(sex, known["sex"], known["valid"] & sex.isin(["male", "female"]))


def birth_date_agrees_with_id(frame: pd.DataFrame, known: pd.DataFrame) -> Verdicts:
    """The birth column against digits 7 to 14; judged only where the number is valid and the column is a full date."""
    born = column(frame, "birth_date")
    return _agreement(born, known["birth_date"], known["valid"] & (born.str.len() == FULL_DATE))


def _agreement(said: pd.Series, known: pd.Series, judged: pd.Series) -> Verdicts:
    both = judged.fillna(False).astype(bool) & said.notna() & known.notna()
    return _verdict((said != known).fillna(True).to_numpy(dtype=bool), both.to_numpy(dtype=bool))


CrossRule = Callable[[pd.DataFrame, pd.DataFrame], Verdicts]
CROSS_CHECKS: Mapping[str, tuple[CrossRule, str]] = {
    "sex_agrees_with_id": (
        sex_agrees_with_id,
        "The sex differs from the one in the document number. 性别与证件号码不一致。",
    ),
    "birth_date_agrees_with_id": (
        birth_date_agrees_with_id,
        "The birth date differs from the one in the document number. 出生日期与证件号码不一致。",
    ),
}


def _cross_checks(cleaned: pd.DataFrame, kind: EntityType) -> dict[Demand, Verdicts]:
    wanted = [check for check in kind.cross if all(name in cleaned.columns for name in check.properties)]
    if not wanted:
        return {}
    known = recognise(column(cleaned, "id_number"))
    found: dict[Demand, Verdicts] = {}
    for check in wanted:
        compare, sentence = CROSS_CHECKS[check.rule]
        found[Demand(check.properties[0], check.rule, check.dimension, check.outcome, sentence)] = compare(
            cleaned, known
        )
    return found


def validate(verdicts: Mapping[Demand, Verdicts]) -> list[Finding]:
    """Run one suite: every verdict must be 1 where there is one. Findings in the order of the demands."""
    judged = [demand for demand, verdict in verdicts.items() if not np.isnan(verdict).all()]
    found = {demand: Finding(demand, 0, np.array([], dtype=np.int64)) for demand in verdicts}
    for first in range(0, len(judged), COLUMNS_A_SUITE):
        batch = judged[first : first + COLUMNS_A_SUITE]
        frame = pd.DataFrame({_column(demand): verdicts[demand] for demand in batch})
        results = run_suite(frame, [_kept(demand) for demand in batch])
        found.update({demand: _finding(demand, result) for demand, result in zip(batch, results, strict=True)})
    return list(found.values())


def _kept(demand: Demand) -> Expectation:
    load()
    from great_expectations import expectations as gxe

    kept: Expectation = gxe.ExpectColumnValuesToBeInSet(
        column=_column(demand), value_set=[float(KEPT)], meta=asdict(demand)
    )
    return kept


def _column(demand: Demand) -> str:
    return f"{demand.property}:{demand.rule}"


def _finding(demand: Demand, result: Mapping[str, Any]) -> Finding:
    evaluated = int(result["element_count"]) - int(result.get("missing_count") or 0)
    positions = np.asarray(result.get("unexpected_index_list") or [], dtype=np.int64)
    return Finding(demand, evaluated, positions)


def run_suite(frame: pd.DataFrame, suite: Sequence[Expectation]) -> list[Mapping[str, Any]]:
    """Validate a frame (index 0..n-1) in a context that lives only here; a result a given expectation, in that order.

    Each result has element_count, missing_count, unexpected_count, unexpected_index_list (positions) and `success`.
    Nothing is written and nothing leaves the process: the context is ephemeral, without progress bars or analytics.
    """
    load()
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral", project_config=_project())
    batches = context.data_sources.add_pandas("landed").add_dataframe_asset("rows")
    batch = batches.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    wanted = gx.ExpectationSuite(name="demands", expectations=list(suite))
    done = batch.validate(wanted, result_format=RESULT_FORMAT)
    return _in_order(suite, done.results)


def _project() -> Any:
    """Stores in memory, no documentation site, no analytics, no progress bars."""
    load()
    from great_expectations.data_context.types import base

    return base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=base.ProgressBarsConfig(globally=False, metric_calculations=False),
    )


def _in_order(suite: Iterable[Expectation], results: Iterable[Any]) -> list[Mapping[str, Any]]:
    """Great Expectations groups results by column; put them back in the order asked for, by expectation and column."""
    by_name: dict[tuple[str, str], Any] = {}
    for result in results:
        config = result.expectation_config
        if not result.result:
            raise OneGridError(f"the check {config.type} of column {config.kwargs['column']} could not be evaluated")
        by_name[(config.type, config.kwargs["column"])] = {**result.result, "success": bool(result.success)}
    return [by_name[(expectation.expectation_type, expectation.column)] for expectation in suite]
