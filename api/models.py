"""What the API answers, as its description says it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from registry.search import LIMIT_MOST

CODE = "P340202-000012345-0"
NO_NUL = r"^[^\x00]*$"  # PostgreSQL's text holds every character but this
EntityType = Literal["person", "household", "place", "thing", "organization", "event"]


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


class Question(BaseModel):
    """What is asked in a body; a field that is none is refused, so that a misspelt one does not go unseen."""

    model_config = ConfigDict(extra="forbid")


Short = Annotated[str, Field(max_length=64, pattern=NO_NUL)]
Long = Annotated[str, Field(max_length=200, pattern=NO_NUL)]


class Codes(Question):
    """Codes that were kept."""

    codes: list[Annotated[str, Field(max_length=64, pattern=NO_NUL)]] = Field(
        min_length=1, max_length=10_000, examples=[[CODE]]
    )


class Resolved(Model):
    """What became of one of them."""

    asked: str
    code: str | None = Field(description="as the registry writes it; null: nothing of this code that you may see")
    type: str | None
    kind: str | None
    status: str | None
    successor: str | None


class ResolvedAll(Model):
    """A line for each code asked, in their order."""

    items: list[Resolved]


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


class Number(Question):
    """An official number: a document, credit code, component, grid, division or household number, or a code."""

    number: Short = Field(min_length=1, examples=["340202196203150138"])


class Query(Question):
    """Something to look by; all that is given counts."""

    parts: ClassVar[tuple[str, ...]] = ("name", "phone", "address")
    name: Long | None = Field(None, examples=["张建国"], description="also misspelt, masked (张*国), a part, or pinyin")
    phone: Short | None = Field(None, examples=["13800000117"])
    address: Long | None = Field(None, examples=["幸福小区3栋502"], description="whole or a part")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not any(getattr(self, part) for part in self.parts):
            raise ValueError("nothing is asked")
        return self


class LookFor(Query):
    """What to look for."""

    type: EntityType | None = None
    limit: int = Field(20, ge=1, le=LIMIT_MOST)


class FoundOne(Model):
    """An entity that agrees with what was looked for."""

    code: str = Field(examples=[CODE])
    type: str = Field(examples=["person"])
    kind: str
    called: str | None = Field(description="name and address")
    score: float = Field(ge=0, le=1, description="1: all that was given agrees")
    agrees: list[str] = Field(examples=[["name"]])
    division: str | None
    grid: str | None


class Found(Model):
    """What was found, the best first."""

    items: list[FoundOne]


class Standing(Query):
    """What a person at the door says, or shows."""

    parts: ClassVar[tuple[str, ...]] = (*Query.parts, "id_number")
    id_number: Short | None = Field(None, examples=["340202196203150138"])


class KnownProperty(Model):
    """What is known of a property, without its value."""

    property: str = Field(examples=["phone"])
    state: Literal["fresh", "stale", "missing"] = Field(description="stale: older than it may be")
    said: str | None = Field(description="since when it is known so (a date)")
    source: str | None
    owner: str | None = Field(examples=["区公安分局"], description="the department that collected it")


class KnownPerson(Model):
    """A person who may be meant, told in names of properties alone."""

    code: str = Field(examples=[CODE])
    verdict: Literal["known", "possible"]
    weight: float = Field(description="log2 odds that this person is meant, by the matching model in use")
    score: float = Field(ge=0, le=1, description="the same as a probability")
    agrees: list[str] = Field(examples=[["name", "address"]], description="given, and the same but for spelling")
    differs: list[str] = Field(description="given, known, and not the same")
    known: list[str] = Field(examples=[["name", "phone"]], description="the registry has it: need not be asked")
    missing: list[str] = Field(description="not known: worth asking")
    stale: list[str] = Field(description="known, but older than it may be: worth asking again")
    ask: list[str] = Field(description="what is still to be asked: missing or stale, of what is to be kept fresh")
    properties: list[KnownProperty]


class KnownPersons(Model):
    """Who may be meant, the best first; none: nobody like this is known in your area."""

    verdict: Literal["known", "possible", "unknown"] = Field(description="known: one person, and nobody else near")
    households: list[str] = Field(description="codes of the households behind the door that was asked")
    items: list[KnownPerson]


class List(Question):
    """A list to compare: a csv or an xlsx with a header row."""

    name: str = Field(pattern=r"(?i)^[^\x00/\\]{1,60}\.(csv|xlsx)$", examples=["list.csv"])
    content: Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]*={0,2}$", description="the file's bytes in base64")]
    maps: dict[str, dict[str, Any]] | None = Field(
        None, description="as in a source file; without it the headers are guessed, and the guess is shown",
        examples=[{"person": {"name": "姓名", "id_number": "身份证号"}}],
    )  # fmt: skip
    read: dict[Literal["encoding", "delimiter", "sheet", "header"], str | int] | None = Field(
        None, description="as in a source file"
    )
    show: list[Annotated[str, Field(max_length=64, pattern="^[a-z_]+$")]] = Field(
        default_factory=list, max_length=20, description="properties to give back of whom a row surely means"
    )


class Comparison(Model):
    """A list that is compared. Its result is kept for a day."""

    id: int
    state: Literal["waiting", "running", "done", "failed"]
    rows: int
    done: int
    map: dict[str, list[str]] = Field(description="which columns are which properties")
    guessed: bool
    counts: dict[str, int] = Field(examples=[{"same": 91, "unknown": 9}])
    error: str | None
    expires_at: datetime | None


class Compared(Model):
    """What a row of the list means."""

    row: int = Field(description="its place in the list, from 1")
    verdict: Literal["same", "possible", "unknown", "unreadable"]
    code: str | None = Field(examples=[CODE])
    weight: float | None = Field(description="log2 odds, by the matching model in use")
    reason: str | None = Field(description="why it is unreadable")
    values: dict[str, str] | None = Field(None, description="the properties asked for, of whom it surely means")


class ComparedPage(Model):
    """A page of the result."""

    items: list[Compared]
    next: str | None


class Manifest(Model):
    """What the reconciliation service can do, in the words of the Reconciliation Service API 0.2."""

    versions: list[str] = Field(examples=[["0.2"]])
    name: str
    identifierSpace: str  # noqa: N815 - the specification's word
    schemaSpace: str  # noqa: N815 - the specification's word


class Table(Model):
    """Lines of one form."""

    items: list[dict[str, Any]]


class TaskRecord(Model):
    """What a record of one side says; part 0 is the entity, the others its candidates in order."""

    part: int = Field(examples=[1])
    source: str
    owner: str | None
    key: str
    role: str
    values: dict[str, Any]
    loaded: datetime | None


class TaskShown(Model):
    """A review task: an entity and whom it may be, or not be, one with."""

    task: int
    type: str = Field(examples=["person"])
    kind: str = Field(examples=["uncertain"], description="uncertain | one_number | rivals")
    code: str = Field(examples=[CODE])
    weight: float | None = Field(description="log2 odds of the best candidate")
    reason: str = Field(examples=["contradicted"])
    eyes: int = Field(description="how many people must agree")
    state: str = Field(examples=["open"])
    records: list[TaskRecord]


class Answer(BaseModel):
    """What a person says of each candidate, in order."""

    verdicts: list[Literal["same", "different", "unsure"]] = Field(min_length=1, max_length=200)
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL, examples=["同一人，住址与电话相同"])]


class Answered(Model):
    """The task after what was done to it."""

    task: int
    state: str = Field(examples=["settled"])
