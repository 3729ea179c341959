"""What the API asks and answers of reasons, as its description says it."""

from __future__ import annotations

from pydantic import Field

from api.models import Long, Model, Question, Short


class RecordName(Question):
    """How a feed calls a record of a person."""

    source: Short = Field(min_length=1, examples=["population"])
    key: Long = Field(min_length=1, examples=["r003"])
    role: Short = Field("", examples=[""], description="empty, or as the source file names it")


class Pair(Question):
    """Two records."""

    one: RecordName
    two: RecordName


class Words(Model):
    """One thing in Chinese and English."""

    zh: str
    en: str


class Named(Model):
    """A record as its feed calls it."""

    source: str
    key: str
    role: str


class Reason(Words):
    """What made two records one, or keeps them apart."""

    reason: str = Field(examples=["numbers"])


class Step(Model):
    """A comparison, its level, and the log2 odds it gave or took."""

    comparison: str = Field(examples=["name"])
    level: str = Field(examples=["same, rare"])
    weight: float
    what: Words
    said: Words
    others: Words | None = Field(description="how far other records had a say in it")


class Compared(Model):
    """A pair of records, compared."""

    one: Named
    two: Named
    stored: bool = Field(description="as the last run computed it; else anew among a few records, roughly")
    weight: float = Field(description="log2 odds: the sum of the steps")
    steps: list[Step]
    keys: list[str] = Field(description="the blocking keys the two share")
    svg: str = Field(description="the steps as a picture")


class Best(Model):
    """The pair that spoke most for a join."""

    one: Named
    two: Named
    weight: float


class Join(Model):
    """Two clusters that joined, by the numbers of their groups."""

    left: list[int]
    right: list[int]
    linkage: float | None = Field(description="half the best and half the mean of the scores; null: judged by a person")
    best: Best | None


class Why(Model):
    """Why two records are one person, or two."""

    codes: list[str]
    together: bool
    reasons: list[Reason]
    pair: Compared | None = Field(
        description="the two, or the pair that brought their sides together; null: one number"
    )
    joins: list[Join]
    linkage: float | None = Field(description="when they joined; of two entities: of the pairs that were kept, at most")


class MemberHow(Named):
    """By what a record belongs to an entity."""

    type: str
    how: str = Field(examples=["exact_id"])
    weight: float | None
    because: Words


class Group(Model):
    """Records that one sure document number holds together, or one record."""

    node: int
    records: list[Named]


class How(Model):
    """How the records of an entity came together."""

    code: str
    type: str
    members: list[MemberHow]
    groups: list[Group]
    joins: list[Join]
    threshold: float | None = Field(description="the linkage two clusters of people need to join")
    model: str | None


class Said(Named):
    """What a record says of a property."""

    owner: str | None
    value: str | None
    same: bool = Field(description="whether it is the value the registry gives")


class ValueReason(Model):
    """A golden value, what decided it, and what lost."""

    code: str
    property: str
    value: str | None
    masked: bool
    source: str | None
    owner: str | None
    rule: str
    because: Words
    order: list[str] = Field(description="the rules of the property, in the order in which they are tried")
    derived: bool = Field(description="no record of its type says it: it follows from others")
    agree: int
    differ: int
    said: list[Said]
