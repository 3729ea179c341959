"""What the API says of changes, tickets and webhooks, as its description says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.models import CODE, NO_NUL, EntityType, Model, Question, Short

DIVISION, GRID = r"^[0-9]{6}([0-9]{3}|[0-9]{6})?$", r"^[0-9A-Za-z_-]{1,32}$"
ChangeKind = Literal["created", "absorbed", "merged", "split", "moved", "retired", "updated"]


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
    """Changes in the order in which they were published. With filters a page may hold few, or none, and others follow."""

    items: list[Change]
    next: int = Field(description="what to give as `since` next time")
    more: bool = Field(description="whether anything is left to look through: ask again at once")


class CloudEvent(Model):
    """A change as a CloudEvent 1.0; `source` and `id` together name it for ever."""

    specversion: Literal["1.0"]
    id: str = Field(examples=["4711"], description="its number in the feed")
    source: str = Field(description="which hub says so")
    type: str = Field(examples=["onegrid.person.created"])
    subject: str = Field(examples=[CODE], description="the code")
    time: datetime
    datacontenttype: str
    sequence: str = Field(description="the number again, as text whose order is that of the feed")
    data: dict[str, Any] = Field(description="run, division, grid, and names of what changed; never values")


class Reason(Model):
    """Which rule a row or value broke."""

    rule: str = Field(examples=["id_check_digit"])
    sentence: str


class Ticket(Model):
    """Something to be corrected in a feed, at its source. It ends by itself when a load brings it mended."""

    ticket: int
    department: str = Field(examples=["区公安分局"])
    source: str
    title: str
    key: str | None = Field(description="the row's key in its feed; numbers in it are masked")
    row: int = Field(description="its place in the load, from 1")
    load: int
    scope: str = Field(examples=["value"], description="row: the whole row is held back; value: one value of it")
    type: str | None
    role: str | None
    property: str | None = Field(examples=["id_number"])
    reasons: list[Reason]
    state: str = Field(examples=["open"])
    opened: datetime
    due: date | None = Field(description="null: next year's working days are not known yet")
    overdue: bool
    settled: datetime | None


class Tickets(Model):
    """A page of tickets, the oldest first."""

    items: list[Ticket]
    next: str | None


class NewWebhook(Question):
    """Where changes are sent, and which; nothing named: all of your area."""

    url: Annotated[
        str, Field(min_length=8, max_length=500, pattern=NO_NUL, examples=["https://system.example/onegrid"])
    ]
    name: Short = ""
    types: list[EntityType] | None = Field(None, min_length=1, max_length=6)
    changes: list[ChangeKind] | None = Field(None, min_length=1, max_length=7)
    division: Annotated[str, Field(pattern=DIVISION)] | None = None
    grid: Annotated[str, Field(pattern=GRID)] | None = None


class Webhook(Model):
    """A new subscription."""

    id: int
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], description="shown this once")


class Replay(Question):
    """What is sent again."""

    since: int | None = Field(
        None, strict=True, ge=0, le=2**62, description="all after this change; null: what could not be delivered"
    )


class Replayed(Model):
    """How many deliveries are sent again; with `since`: how many changes."""

    replayed: int
