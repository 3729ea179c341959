"""What the API answers, as its description says it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

CODE = "P340202-000012345-0"


class Model(BaseModel):
    """Answers may gain fields, never lose them."""

    model_config = ConfigDict(extra="allow")


class Value(Model):
    """One golden value, where it came from, and how many records say the same or otherwise."""

    property: str = Field(examples=["phone"])
    value: str | None = Field(examples=["138****0117"])
    masked: bool = Field(description="whether part of it is hidden from this token")
    source: str | None = Field(examples=["population"])
    owner: str | None = Field(examples=["区公安分局"])
    loaded: datetime | None = Field(description="when its feed was last read")
    since: datetime | None = Field(description="when the registry first gave this value")
    rule: str = Field(examples=["newest"], description="the survivorship rule that decided")
    agree: int
    differ: int


class Entity(Model):
    """A person, household, place, thing, organization or event."""

    code: str = Field(examples=[CODE])
    type: str = Field(examples=["person"])
    kind: str = Field(examples=["residential"])
    status: str = Field(examples=["active"])
    division: str | None
    grid: str | None = Field(description="null: no grid is known")
    basis: str | None = Field(description="by which rule division and grid were found")
    records: int
    sources: int
    values: list[Value]


class Member(Model):
    """A record of a feed that speaks of the entity, and what it says."""

    source: str
    owner: str | None
    key: str
    role: str
    type: str
    how: str = Field(examples=["id_number"])
    weight: float | None
    loaded: datetime | None
    values: dict[str, Any]


class Members(Model):
    """A page of members."""

    items: list[Member]
    next: str | None = Field(description="the cursor of the next page; null on the last")


class Related(Model):
    """An entity in some relation to the one asked for."""

    relation: str = Field(examples=["lives_at"])
    direction: str = Field(examples=["in"], description="out: from the one asked for; in: to it")
    code: str
    type: str
    kind: str
    called: str | None = Field(description="name and address")


class Relations(Model):
    """A page of relations."""

    items: list[Related]
    next: str | None


class Where(Model):
    """What became of a code."""

    code: str = Field(examples=[CODE])
    type: str
    kind: str
    status: str = Field(examples=["merged"])
    successor: str | None = Field(description="the code that stands in its place")


class Hit(Model):
    """An entity an official number leads to."""

    code: str
    type: str
    kind: str
    status: str
    successor: str | None
    division: str | None
    grid: str | None
    called: str | None


class Hits(Model):
    """What an official number leads to."""

    items: list[Hit]


class Number(BaseModel):
    """An official number: a document, credit code, component, grid, division or household number, or a code."""

    number: str = Field(min_length=1, max_length=64, examples=["340202196203150138"])


class Change(Model):
    """A line of the change feed: names of what changed, never values."""

    sequence: int
    run: int
    code: str
    type: str
    change: str = Field(examples=["created"])
    diff: dict[str, Any]
    division: str | None
    grid: str | None
    at: datetime


class Changes(Model):
    """Changes in the order in which they were published."""

    items: list[Change]
    next: int = Field(description="what to give as `since` next time")
    more: bool


class Table(Model):
    """Lines of one form."""

    items: list[dict[str, Any]]
