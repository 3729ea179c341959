"""Who or what a name, a phone number or an address means, and what the registry knows of a person at the door.

A search is a generator of questions to the database: it yields each with its parameters (`%(name)s`), is sent the rows
as mappings, and returns the result. So one description serves a plain connection (`answer`) and an asynchronous one.
Only keys are compared, for equality: a token leads to few candidates, which are then ranked.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from onegrid.sealing import Keyring
from registry import search_ranks as ranks
from registry.aliases import PURPOSE as ALIAS_PURPOSE
from registry.aliases import document_scheme
from registry.search_sql import CANDIDATES, FACTS, GATES, VALUES
from registry.search_tokens import (
    Place,
    gate_tokens,
    person_tokens,
    phone_token,
    place_tokens,
    read_place,
    text_tokens,
    tokens_of,
)
from schemas.codes import LETTERS
from schemas.names import MANY, fold_name
from schemas.properties import entity_types

LIMIT_MOST = 50  # results of one search
CHECK_MOST = 5  # persons that a check names
RANKED = 160  # candidates whose values are read and compared
LOOKED_AT, IN_AREA = 600, 3000  # codes of which type and place are looked at; the latter where one street is asked for
DISTRICT = 6  # digits of a district's code: an area of no more is nearly everybody
PER_TOKEN = 1000  # codes that one token may bring: of commoner ones a part, the rarer ones decide
PLACES_MOST = 60  # places that an address may mean
DWELLINGS_MOST = 400  # of these and of what lies in them, whose residents are candidates
LEAST = 0.3  # of the whole agreement: below, it is somebody else
ASKED_STEM = 10  # letters of each name in an address that was asked: it may name areas before and things behind
ID = "#id"  # stands for the document number among the tokens that led to a code
WHOLE_NAME, NUMBER, TELLING = 10.0, 50.0, 5.0  # how much a token says of whom it finds
WEIGHTS = {"n": 2.0, "y": 5.0, "p": 12.0, "t": 1.0, "a": 2.0}
PERSONAL = ("person", "household")

Rows = Sequence[Mapping[str, Any]]
Result = TypeVar("Result")


class Question(NamedTuple):
    """A statement with psycopg's named parameters."""

    sql: str
    params: dict[str, Any]


Steps = Generator[Question, Rows, Result]


@dataclass(frozen=True)
class Query:
    """What is asked; only what is given counts. area: the beginning of the division codes that may be seen."""

    type: str | None = None
    name: str | None = None
    phone: str | None = field(default=None, repr=False)
    address: str | None = None
    id_number: str | None = field(default=None, repr=False)
    area: str = ""
    limit: int = 20


@dataclass(frozen=True)
class Hit:
    """One entity found. parts: how well each part asked agrees, from 0 to 1; score: in all."""

    code: str
    type: str
    kind: str
    division: str | None
    grid: str | None
    score: float
    parts: Mapping[str, float]

    @property
    def agree(self) -> tuple[str, ...]:
        """The parts asked that are the same but for spelling."""
        return tuple(name for name, score in self.parts.items() if score >= ranks.AGREES)


@dataclass(frozen=True)
class Known:
    """A person who may be the one at the door, and what need not be asked again.

    differ: given, known, and not the same. known, missing, stale: properties of a person; stale ones are known but
    older than their `freshness_days`.
    """

    hit: Hit
    differ: tuple[str, ...]
    known: tuple[str, ...]
    missing: tuple[str, ...]
    stale: tuple[str, ...]


@dataclass(frozen=True)
class _Asked:
    """A query read: its tokens with their weights, and what candidates are compared with."""

    tokens: dict[str, float]
    folded: str
    places: tuple[Place, ...]
    phone: str | None
    document: tuple[str, bytes] | None


def search(connection: Connection, keyring: Keyring, query: Query) -> list[Hit]:
    """The entities a query means, the best first; `finding` over a plain connection."""
    return answer(connection, finding(query, keyring))


def check(connection: Connection, keyring: Keyring, query: Query, today: date) -> list[Known]:
    """The persons a caller at the door may mean; `checking` over a plain connection."""
    return answer(connection, checking(query, keyring, today))


def answer(connection: Connection, steps: Steps[Result]) -> Result:
    """Puts each question of a search to the database and returns its result."""
    try:
        question = next(steps)
        while True:
            rows = connection.exec_driver_sql(question.sql, question.params).mappings().all()
            question = steps.send(rows)  # type: ignore[arg-type]
    except StopIteration as end:
        found: Result = end.value
        return found


def finding(query: Query, keyring: Keyring) -> Steps[list[Hit]]:
    """The steps of a search: at most `limit` hits, by agreement, then by code; none when nothing was asked.

    ValueError for a type that does not exist.
    """
    if query.type is not None and query.type not in LETTERS:
        raise ValueError(f"There is no entity type {query.type!r}; there are {', '.join(LETTERS)}.")
    places: tuple[Place, ...] = ()
    if query.address:
        place = read_place(query.address)
        gates = gate_tokens(place)
        known = (yield Question(GATES, {"tokens": list(gates)})) if gates else []
        places = (place, *_behind_gate(place, known))
    asked = _read(query, keyring, places)
    if not asked.tokens and asked.document is None:
        return []
    rows = yield Question(CANDIDATES, _parameters(query, asked))
    if not rows:
        return []
    codes = [row["code"] for row in rows]
    households = [row["code"] for row in rows if row["type"] == "household"]
    values = _by_code((yield Question(VALUES, {"codes": codes, "households": households})))
    hits = [_judged(row, values.get(row["code"], {}), query, asked) for row in rows]
    best = sorted((hit for hit in hits if hit.score >= LEAST), key=lambda hit: (-hit.score, hit.code))
    return best[: max(0, min(query.limit, LIMIT_MOST))]


def checking(query: Query, keyring: Keyring, today: date) -> Steps[list[Known]]:
    """The steps of a check: the persons found, each with what is known, missing, and older than it may be."""
    person = Query("person", query.name, query.phone, query.address, query.id_number, query.area, CHECK_MOST)
    hits = yield from finding(person, keyring)
    if not hits:
        return []
    facts: dict[str, dict[str, date]] = {hit.code: {} for hit in hits}
    for row in (yield Question(FACTS, {"codes": list(facts)})):
        facts[row["code"]][row["property"]] = row["said"]
    return [_known(hit, facts[hit.code], today) for hit in hits]


def _known(hit: Hit, said: Mapping[str, date], today: date) -> Known:
    declared = {name: found for name, found in entity_types()["person"].properties.items() if name != "registry_code"}
    limits = {name: found.freshness_days for name, found in declared.items() if found.freshness_days is not None}
    old = [name for name, days in limits.items() if name in said and said[name] < today - timedelta(days=days)]
    return Known(
        hit=hit,
        differ=tuple(name for name in hit.parts if name in said and name not in hit.agree),
        known=tuple(name for name in declared if name in said),
        missing=tuple(name for name in declared if name not in said),
        stale=tuple(old),
    )


def _behind_gate(place: Place, estates: Rows) -> list[Place]:
    """The address by the name of the estate that stands at its road and number: 长虹路36号3栋 is 伟星雅居3栋."""
    found = []
    for row in estates:
        gate = read_place(row["address"])
        same = gate.numbers[:1] == place.numbers[:1] and gate.names and place.names
        if same and ranks.alike(gate.names[-1], place.names[0]):
            found.append(Place((str(row["name"]),), place.numbers[1:]))
    return found


def _read(query: Query, keyring: Keyring, places: tuple[Place, ...]) -> _Asked:
    tokens: dict[str, float] = {}
    name = (query.name or "").strip()
    if name and query.type in (None, *PERSONAL):
        tokens |= {token: _weight(token) for token in person_tokens(name)}
        tokens |= dict.fromkeys(person_tokens(name)[:1], WHOLE_NAME)
    if name and query.type not in PERSONAL:
        tokens |= {token: _weight(token) for token in (*text_tokens(name), *place_tokens(name))}
    for place in places:
        tokens |= {token: _weight(token) for token in tokens_of(place, ASKED_STEM)}
    phone = phone_token(query.phone, keyring) if query.phone else None
    if phone:
        tokens[phone] = WEIGHTS["p"]
    document = _document(query.id_number, keyring) if query.id_number else None
    return _Asked(tokens, fold_name(name), places, phone, document)


def _weight(token: str) -> float:
    """The ends of a name, and building beside room, say more than others of their kind."""
    return TELLING if token[0] in "na" and (MANY in token[3:] or "-" in token) else WEIGHTS[token[0]]


def _document(number: str, keyring: Keyring) -> tuple[str, bytes] | None:
    found = document_scheme(number)
    return None if found is None else (found[0], keyring.blind(found[1], ALIAS_PURPOSE))


def _parameters(query: Query, asked: _Asked) -> dict[str, Any]:
    scheme, blind = asked.document or ("", None)
    ranges = [_range(token, query.type) for token in asked.tokens]
    return {
        "tokens": list(asked.tokens),
        "weights": list(asked.tokens.values()),
        "lows": [low for low, _ in ranges],
        "highs": [high for _, high in ranges],
        "per_token": PER_TOKEN,
        "id": ID,
        "number": NUMBER,
        "scheme": scheme,
        "blind": blind,
        "homes": bool(asked.places) and query.type in (None, *PERSONAL),
        "places": PLACES_MOST,
        "dwellings": DWELLINGS_MOST,
        "type": query.type,
        "area": query.area,
        "looked_at": IN_AREA if len(query.area) > DISTRICT else LOOKED_AT,
        "ranked": RANKED,
        "numbers": [ID, *([asked.phone] if asked.phone else [])],
    }


def _range(token: str, kind: str | None) -> tuple[str, str]:
    """Between which letters the codes lie that a token may lead to."""
    if kind is None:
        return "", "Z"
    if kind in PERSONAL:  # names and phones lead to persons, addresses also to the places they live in
        return ("H", "Q") if token[0] in "at" else ("P", "Q")
    return LETTERS[kind], chr(ord(LETTERS[kind]) + 1)


def _by_code(rows: Rows) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        if row["value"] is not None:
            kind = "address" if row["property"] == "address" else "name"
            found.setdefault(row["code"], {}).setdefault(kind, []).append(row["value"])
    return found


def _judged(row: Mapping[str, Any], values: Mapping[str, list[str]], query: Query, asked: _Asked) -> Hit:
    parts: dict[str, float] = {}
    names = values.get("name", [])
    if query.id_number:
        parts["id_number"] = float(ID in row["numbers"])
    if query.phone:
        parts["phone"] = float(asked.phone in row["numbers"])
    if query.name and row["type"] in PERSONAL:
        parts["name"] = ranks.person_name(asked.folded, names) if asked.folded else 0.0
    elif query.name:
        parts["name"] = ranks.text_name(query.name, [*names, *values.get("address", [])])
    if query.address:
        parts["address"] = ranks.address(asked.places, [*values.get("address", []), *_addresses(row, names)])
    shown = {name: round(score, 4) for name, score in parts.items()}
    entity = {name: row[name] for name in ("code", "type", "kind", "division", "grid")}
    return Hit(**entity, score=ranks.whole(parts), parts=shown)


def _addresses(row: Mapping[str, Any], names: list[str]) -> list[str]:
    """Places and things are often named by where they are."""
    return [] if row["type"] in PERSONAL else names
