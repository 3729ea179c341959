"""A dry run over the head of a feed: what its columns would become, and what the checks would say. Writes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pandas as pd

from quality.check import check
from schemas.kinds import KINDS
from schemas.properties import entity_types
from schemas.records import Checked, Counts, Landed
from schemas.sources import EXTRA_CELLS, Map, Source, nearest

EXAMPLES = 3


@dataclass(frozen=True)
class Failure:
    """How many of the values or rows broke a rule, and what comes of it."""

    rule: str
    outcome: str
    sentence: str
    count: int


@dataclass(frozen=True)
class PropertyPreview:
    """One mapped property: where it comes from, the share of rows that have it, failures, masked examples."""

    type: str
    role: str
    property: str
    columns: tuple[str, ...]
    filled: float
    failures: tuple[Failure, ...] = ()
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Preview:
    """What `onegrid check FILE` says. missing: columns the source file names, with the nearest the feed has."""

    source: str
    counts: Counts
    properties: tuple[PropertyPreview, ...]
    rows: tuple[Failure, ...]
    unmapped: tuple[str, ...]
    missing: dict[str, str | None] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def preview(source: Source, head: pd.DataFrame) -> Preview:
    """Check the first rows of a feed (columns byte for byte, `str` values) without keeping anything.

    Examples are masked by their kind; no raw value is in the result.
    """
    rows = head.reset_index(drop=True)
    checked = check(Landed(load=0, source=source.name, mode="snapshot", rows=rows), source)
    needed, sentences = source.needed_columns, _sentences(checked)
    return Preview(
        source=source.name,
        counts=checked.counts,
        properties=tuple(_properties(source, checked, sentences)),
        rows=_failures(checked.results.query("property == ''"), sentences),
        unmapped=tuple(str(name) for name in rows.columns if name not in needed and name != EXTRA_CELLS),
        missing={name: nearest(name, list(rows.columns)) for name in needed if name not in rows.columns},
        warnings=checked.warnings,
    )


def _properties(source: Source, checked: Checked, sentences: Mapping[str, str]) -> Iterator[PropertyPreview]:
    for mapping in source.maps:
        results = checked.results.query("type == @mapping.type and role == @mapping.role")
        for name, said in mapping.fields.items():
            found = results[results["property"] == name]
            filled = found[found["rule"] == "filled"]
            judged = int(filled["evaluated"].sum())
            yield PropertyPreview(
                type=mapping.type,
                role=mapping.role,
                property=name,
                columns=said.columns,
                filled=1 - int(filled["failed"].sum()) / judged if judged else float(not said.columns),
                failures=_failures(found[~found["rule"].isin(["filled", "fresh"])], sentences),
                examples=_examples(mapping, name, checked),
            )


def _failures(results: pd.DataFrame, sentences: Mapping[str, str]) -> tuple[Failure, ...]:
    counts = results.groupby(["rule", "outcome"], sort=False, as_index=False)["failed"].sum()
    broken = counts[counts["failed"] > 0]
    lines = zip(broken["rule"], broken["outcome"], broken["failed"], strict=True)
    return tuple(Failure(rule, outcome, sentences.get(rule, ""), int(count)) for rule, outcome, count in lines)


def _sentences(checked: Checked) -> dict[str, str]:
    """Each broken rule in its own words, as the quarantine lines say them."""
    reasons = (reason for text in checked.quarantine["reasons"].unique() for reason in json.loads(text))
    return {reason["rule"]: reason["sentence"] for reason in reasons}


def _examples(mapping: Map, name: str, checked: Checked) -> tuple[str, ...]:
    frame = checked.records[mapping.type]
    values = frame.loc[frame["role"] == mapping.role, name].dropna().unique()[:EXAMPLES]
    mask = KINDS[entity_types()[mapping.type].properties[name].kind].mask
    return tuple(mask(str(value)) for value in values)


def preview_text(found: Preview) -> str:
    """The preview as plain lines for a terminal."""
    counts = found.counts
    lines = [
        f"{found.source}: {counts.read} rows read; {counts.clean} clean, {counts.quarantined} quarantined, "
        f"{counts.repeated} repeated, {counts.withheld} values withheld"
    ]
    lines += [_missing_line(name, near) for name, near in found.missing.items()]
    for line in found.properties:
        lines += _property_lines(line)
    lines += [_failure_line("rows", failure) for failure in found.rows]
    lines += [f"  warning: {warning}" for warning in found.warnings]
    if found.unmapped:
        lines.append(f"  columns not mapped: {', '.join(found.unmapped)}")
    return "\n".join(lines)


def _missing_line(name: str, near: str | None) -> str:
    return f"  column {name} is not in the feed" + (f"; did you mean {near}?" if near else "")


def _property_lines(line: PropertyPreview) -> Iterator[str]:
    name = f"{line.type}.{line.role}" if line.role else line.type
    origin = " + ".join(line.columns) or "constant"
    examples = f"  e.g. {', '.join(line.examples)}" if line.examples else ""
    yield f"  {name}.{line.property} <- {origin}: {line.filled:.1%} filled{examples}"
    for failure in line.failures:
        yield _failure_line("values", failure)


def _failure_line(what: str, failure: Failure) -> str:
    done = {"reject": "rejected", "withhold": "withheld", "warn": "warned about"}[failure.outcome]
    return f"      {failure.count} {what} {done}, {failure.rule}: {failure.sentence}".rstrip(": ")
