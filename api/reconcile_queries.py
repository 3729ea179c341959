"""A batch of reconciliation queries read: what each asks of a person, in the words of the registry."""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from api.problems import Problem
from onegrid.asking import Meant

BATCH_MOST = 100  # queries of one batch: OpenRefine sends ten
IDS_MOST = 200
LONGEST = 200  # characters of a value
LIMIT = 5
ASKED = ("id_number", "phone", "address", "birth_date", "sex", "name")
Answered = list[Meant]


class Question(NamedTuple):
    """One query. said: what is asked by property, empty where it is of another type or asks nothing."""

    said: dict[str, str]
    limit: int


class Extension(NamedTuple):
    """Codes and the properties wanted of them."""

    ids: list[str]
    properties: list[str]


def read_queries(text: str) -> dict[str, Question]:
    """The queries of a batch by their names; Problem 422 where it is none of the specification's."""
    batch = _object(text)
    if len(batch) > BATCH_MOST or not all(isinstance(query, dict) for query in batch.values()):
        raise _wrong()
    return {name: _query(query) for name, query in batch.items()}


def _query(query: dict[str, Any]) -> Question:
    text, properties, types, limit = (query.get(name) for name in ("query", "properties", "type", "limit"))
    if not (isinstance(text, str) or (text is None and properties)) or not isinstance(properties or [], list):
        raise _wrong()
    wanted = types if isinstance(types, list) else [types] if types else ["person"]
    said = {"name": text} if text else {}
    for item in properties or []:
        if not isinstance(item, dict) or "pid" not in item or "v" not in item:
            raise _wrong()
        value = _value(item["v"])
        if item["pid"] in ASKED and value:
            said[item["pid"]] = value
    most = limit if isinstance(limit, int) and not isinstance(limit, bool) and limit > 0 else LIMIT
    clean = {name: value.replace("\0", "")[:LONGEST] for name, value in said.items()}
    return Question({name: value for name, value in clean.items() if value.strip()} if "person" in wanted else {}, most)


def _value(value: Any) -> str | None:
    """The text of a value: of several the first, of a reconciled one its name."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("name")
    return None if value is None or isinstance(value, bool | list | dict) else str(value)


def read_extension(text: str) -> Extension:
    """The codes and properties of an extension; Problem 422 where it is none of the specification's."""
    found = _object(text)
    ids, properties = found.get("ids"), found.get("properties")
    if not isinstance(ids, list) or not isinstance(properties, list) or len(ids) > IDS_MOST:
        raise _wrong()
    names = [item.get("id") for item in properties if isinstance(item, dict)]
    if not all(isinstance(word, str) for word in (*ids, *names)) or len(names) < len(properties):
        raise _wrong()
    return Extension(ids, [str(name) for name in names])


def _object(text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _wrong() from None
    if not isinstance(found, dict):
        raise _wrong()
    return found


def _wrong() -> Problem:
    return Problem(422, "invalid", "The queries are not as the Reconciliation Service API 0.2 says.")
