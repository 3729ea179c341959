"""Why: what made two records one person or keeps them apart, how an entity came together, what decided a value.

The access event is written before anything is worked out: an answer that fails afterwards was asked for all the same.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from psycopg.rows import DictRow
from starlette.responses import RedirectResponse, Response

from api.answers import PERSONAL, answer
from api.deps import Asking, AskingDep, Session
from api.entities import MOVED, PROBLEMS, CodeParam, code_of
from api.problems import Problem, not_found
from api.why_models import How, Pair, ValueReason, Why
from onegrid.database import Actor
from onegrid.explaining import Name, how, why
from registry.access import EXPLAIN, Caller
from registry.drawing import masked
from registry.reasons import HOW, VALUE, two, value_reason
from registry.views import MEMBERS, NAMED, WHERE_IT_IS
from schemas.properties import entity_types

MEMBERS_MOST = 1000

router = APIRouter(tags=["why"])


@router.post(
    "/why",
    response_model=Why,
    responses=PROBLEMS,
    operation_id="why",
    summary="Why two records are one person, or two",
)
async def why_two(request: Request, asking: AskingDep, body: Pair) -> Response:
    """Each comparison with its level and weight, what keeps the two apart, and by which keys they could meet. Records are
    named in the body: a feed's key may be a person's number.
    """
    names = [Name(one.source, one.key, one.role) for one in (body.one, body.two)]
    async with asking.session(EXPLAIN) as session:
        codes = [await _code(session, name) for name in names]
        await session.tell("why", codes, '["records"]')
    found = await run_in_threadpool(_why, asking, session.caller, names, codes)
    return answer(request, {"codes": codes, **_shown(found, session.caller)}, PERSONAL)


@router.get(
    "/entities/{code}/how",
    response_model=How,
    responses={**PROBLEMS, **MOVED},
    operation_id="get_entity_how",
    summary="How the records of an entity came together",
)
async def how_together(request: Request, asking: AskingDep, code: CodeParam) -> Response:
    """By what each record belongs to it; for a person also the joins in their order, each with the pair that spoke most
    for it. `groups` are records of one sure document number.
    """
    async with asking.session(EXPLAIN) as session:
        found = await _standing(session, code_of(code))
        if found["status"] == "merged":
            return _moved(found, "how")
        rows = await _members(session, found["code"])
        await session.tell("how", [found["code"]], '["records"]')
    members = [
        {**_name(row), "type": row["type"], "how": row["how"], "weight": row["weight"], "because": two(HOW, row["how"])}
        for row in rows
    ]
    tree: dict[str, Any] = {"groups": [], "joins": [], "threshold": None, "model": None}
    if found["type"] == "person":
        tree = await run_in_threadpool(_how, asking, session.caller, found["code"])
    told = {"code": found["code"], "type": found["type"], "members": members, **tree}
    return answer(request, _shown(told, session.caller), PERSONAL)


@router.get(
    "/entities/{code}/values/{property}",
    response_model=ValueReason,
    responses={**PROBLEMS, **MOVED},
    operation_id="get_entity_value",
    summary="What decided a value, and what lost",
)
async def value(
    request: Request,
    asking: AskingDep,
    code: CodeParam,
    property: Annotated[str, Path(max_length=64, pattern="^[a-z_]+$", examples=["phone"])],
) -> Response:
    """The rule that decided, the order in which rules are tried, and what each record says; masked as you may see it."""
    async with asking.session(EXPLAIN) as session:
        found = await _standing(session, code_of(code))
        if found["status"] == "merged":
            return _moved(found, f"values/{property}")
        golden = await session.rows(VALUE, {"code": found["code"], "property": property})
        if not golden:
            raise Problem(404, "not-found", "The entity has no value of this property.")
        rows = await _members(session, found["code"])
        kind = entity_types()[found["type"]]
        told = value_reason(golden[0], rows, kind, asking.hub.keyring, session.caller)
        shown = f'["{property}"]' if not told["masked"] else "[]"
        await session.tell("value", [found["code"]], shown)
    return answer(request, {"code": found["code"], **told}, PERSONAL)


async def _code(session: Session, name: Name) -> str:
    """The code of the person a record speaks of; Problem 404 in the same words for what is not there or not theirs."""
    rows = await session.rows(NAMED, name._asdict())
    if not rows:
        raise Problem(404, "not-found", "There is no such record of a person that you may see.")
    return str(rows[0]["code"])


async def _standing(session: Session, code: str) -> DictRow:
    rows = await session.rows(WHERE_IT_IS, {"code": code})
    if not rows:
        raise not_found()
    if rows[0]["status"] == "retired":
        raise Problem(410, "gone", f"The code {code} is retired: no record speaks of it any more.")
    return rows[0]


async def _members(session: Session, code: str) -> list[DictRow]:
    return await session.rows(MEMBERS, {"code": code, "after": 0, "limit": MEMBERS_MOST})


def _moved(found: DictRow, tail: str) -> Response:
    headers = {"Cache-Control": PERSONAL}
    return RedirectResponse(f"/v1/entities/{found['merged_into']}/{tail}", status_code=308, headers=headers)


def _name(row: DictRow) -> dict[str, str]:
    return {part: row[part] for part in ("source", "key", "role")}


def _actor(caller: Caller) -> Actor:
    return Actor(caller.name, caller.role, caller.department)


def _why(asking: Asking, caller: Caller, names: list[Name], codes: list[str]) -> dict[str, Any]:
    with asking.hub.database.session(_actor(caller)) as connection:
        return why(connection, asking.hub.keyring, names[0], names[1], codes)


def _how(asking: Asking, caller: Caller, code: str) -> dict[str, Any]:
    with asking.hub.database.session(_actor(caller)) as connection:
        return how(connection, asking.hub.keyring, code)


def _shown(told: dict[str, Any], caller: Caller) -> Any:
    return told if caller.numbers else masked(told)
