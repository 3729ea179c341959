"""What the API answers of the past, as its description says it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from api.models import CODE, Member, Model, Related


class ValueAt(Model):
    """One golden value of a moment, and the days for which it is vouched."""

    property: str = Field(examples=["address"])
    value: str | None
    masked: bool
    source: str | None
    owner: str | None
    since: datetime = Field(description="when the registry first gave this value")
    valid_from: date | None = Field(description="null: its source does not say since when")
    valid_to: date | None = Field(description="the first day on which it was no longer so, as far as known then")
    rule: str
    agree: int
    differ: int


class EntityAt(Model):
    """An entity as it was at a date, as the hub knew it at a moment."""

    code: str = Field(examples=[CODE])
    type: str
    kind: str
    status: str = Field(examples=["active"], description="at that moment")
    successor: str | None = Field(description="the code it had been merged into by then")
    division: str | None
    grid: str | None
    changed: datetime = Field(description="its last change until then")
    records: int
    valid_at: date | None
    known_at: datetime
    values: list[ValueAt]


class MemberAt(Member):
    """A record of a feed as the hub had read it then."""

    valid_from: date | None
    valid_to: date | None


class MembersAt(Model):
    """A page of members of a moment."""

    items: list[MemberAt]
    next: str | None


class RelatedAt(Related):
    """An entity in some relation then."""

    valid_from: date | None
    valid_to: date | None


class RelationsAt(Model):
    """A page of relations of a moment."""

    items: list[RelatedAt]
    next: str | None


class Happening(Model):
    """A line of a timeline."""

    at: datetime = Field(description="when the hub learned it")
    run: int
    code: str = Field(description="of this entity, or of one that became part of it")
    what: str = Field(examples=["value"], description="a change of the code, or: value, relation, record (ended)")
    name: str = Field(description="the property or relation, or by what a record came in")
    source: str | None
    owner: str | None
    valid: date | None = Field(description="the day its source gives for it")


class Timeline(Model):
    """A page of a timeline, the oldest line first."""

    items: list[Happening]
    next: str | None
