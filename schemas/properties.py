"""The entity types and their properties, read from `schemas/*.yml`.

A type file names each property's kind (`schemas.kinds`), sensitivity, survivorship, freshness, and the outcome of each check.
Sensitivity: 1 public, 2 internal (names, addresses), 3 personal numbers (ids, phones: sealed), 4 special categories.
Outcomes: reject (the row cannot be used), withhold (this value is wrong, the row flows on without it), warn.
Survivorship: the rules that pick a golden value, tried in order, the next one breaking the ties of the last:
trusted (passes every check) | majority (most sources) | authority (feed of the owner) | complete (longest) | newest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

import yaml

SEALED_FROM = 3
OUTCOMES = ("reject", "withhold", "warn")
TYPE_NAMES = ("person", "household", "place", "thing", "organization", "event")


@dataclass(frozen=True)
class Property:
    """One property of an entity type, as its YAML file declares it."""

    name: str
    title: str
    kind: str
    sensitivity: int = 2
    unit: str = ""
    survivorship: tuple[str, ...] = ("majority", "authority", "newest")
    freshness_days: int | None = None
    checks: dict[str, str] = field(default_factory=dict)

    @property
    def sealed(self) -> bool:
        """Whether every copy of this property's values is kept as ciphertext."""
        return self.sensitivity >= SEALED_FROM


@dataclass(frozen=True)
class CrossCheck:
    """A check over several properties of one record; `rule` names a function of `quality.suites`."""

    rule: str
    properties: tuple[str, ...]
    outcome: str
    dimension: str


@dataclass(frozen=True)
class EntityType:
    """One type: its code letter, its properties, and what a row must have to be usable."""

    name: str
    letter: str
    title: str
    require_any: tuple[str, ...]
    properties: dict[str, Property]
    cross: tuple[CrossCheck, ...] = ()
    derived: bool = False


@cache
def entity_types() -> dict[str, EntityType]:
    """All entity types by name, in the order of TYPE_NAMES."""
    return {name: _read(name) for name in TYPE_NAMES}


def _read(name: str) -> EntityType:
    raw: dict[str, Any] = yaml.safe_load(resources.files("schemas").joinpath(f"{name}.yml").read_text(encoding="utf-8"))
    properties = {key: _property(key, spec) for key, spec in raw["properties"].items()}
    cross = tuple(
        CrossCheck(c["rule"], tuple(c["properties"]), c["outcome"], c["dimension"]) for c in raw.get("cross", ())
    )
    return EntityType(
        name=raw["type"],
        letter=raw["letter"],
        title=raw["title"],
        require_any=tuple(raw.get("require_any", ())),
        properties=properties,
        cross=cross,
        derived=bool(raw.get("derived", False)),
    )


def _property(name: str, spec: dict[str, Any]) -> Property:
    known = dict(spec)
    if "survivorship" in known:
        known["survivorship"] = tuple(known["survivorship"])
    return Property(name=name, **known)
