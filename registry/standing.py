"""What the registry knows of a person, property by property: fresh, stale or missing, who collected it and when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.properties import entity_types


@dataclass(frozen=True)
class Fact:
    """One property. state: fresh | stale | missing; stale: older than its `freshness_days`. said: ISO date since when it
    is known so. No value.
    """

    property: str
    state: str
    said: str | None
    source: str | None
    owner: str | None


def facts_of(lines: Iterable[Mapping[str, Any]], today: date) -> list[Fact]:
    """Every property a person may have, in the order the type declares them. lines: `property`, `said`, `source`, `owner`."""
    known = {line["property"]: line for line in lines}
    found = []
    for name, prop in entity_types()["person"].properties.items():
        line = known.get(name)
        if line is None:
            found.append(Fact(name, "missing", None, None, None))
            continue
        limit = None if prop.freshness_days is None else (today - timedelta(days=prop.freshness_days)).isoformat()
        stale = limit is not None and line["said"] < limit
        found.append(Fact(name, "stale" if stale else "fresh", line["said"], line["source"], line["owner"]))
    return found


def to_ask(facts: Iterable[Fact]) -> list[str]:
    """What is still to be asked: what is missing or too old of the properties that are to be kept fresh."""
    declared = entity_types()["person"].properties
    return [
        fact.property for fact in facts if fact.state != "fresh" and declared[fact.property].freshness_days is not None
    ]
