"""The question at the door: is this person known, who lives here, and what is still to be asked?

Two statements: one leads to candidates, which are weighed in this process with the model's own weights; the other says
what is known of those that may be meant, and writes that down. No value is given back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import PERSONAL, answer
from api.deps import AskingDep, asked_of
from api.entities import PROBLEMS
from api.models import KnownPersons, Standing
from onegrid.asking import Meant, meant
from registry.access import CHECK
from registry.asking_sql import DISCLOSED
from registry.standing import facts_of, to_ask

MOST = 3  # persons that an answer names
router = APIRouter(tags=["search"])


@router.post(
    "/check",
    response_model=KnownPersons,
    responses=PROBLEMS,
    operation_id="check",
    summary="Who stands at the door, and what need not be asked again",
)
async def check(request: Request, asking: AskingDep, body: Standing) -> Response:
    """Whether the person is known in your area, possible or unknown, which households live behind the door, and for each
    property whether it is fresh, stale or missing, who collected it and when.

    No value is given back, only the names of properties.
    """
    said = body.model_dump(exclude_none=True)
    asked, found = await asked_of(asking, CHECK, said)
    persons, dwellings = meant(found, asked, MOST)
    if persons and persons[0].verdict == "known":
        persons = persons[:1]  # whoever else comes to mind is nobody's business then
    codes = [person.code for person in persons]
    told = {"codes": codes, "dwellings": dwellings, "properties": orjson.dumps(sorted(said)).decode()}
    _, row = await asking.once(CHECK, DISCLOSED, told)
    facts: dict[str, list[dict[str, Any]]] = {}
    for line in orjson.loads(row["facts"]):
        facts.setdefault(line["code"], []).append(line)
    items = [_item(person, facts[person.code]) for person in persons if person.code in facts]
    verdict = items[0]["verdict"] if items else "unknown"
    return answer(request, {"verdict": verdict, "households": row["households"], "items": items}, PERSONAL)


def _item(person: Meant, lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    facts = facts_of(lines, datetime.now(UTC).date())
    named = {state: [fact.property for fact in facts if fact.state == state] for state in ("stale", "missing")}
    return {
        "code": person.code, "verdict": person.verdict, "weight": person.weight,
        "score": round(1 / (1 + 2**-person.weight), 6), "agrees": person.agrees, "differs": person.differs,
        "known": [fact.property for fact in facts if fact.state != "missing"], **named, "ask": to_ask(facts),
        "properties": [asdict(fact) for fact in facts],
    }  # fmt: skip
