"""Two clocks over HTTP: an entity of any type as it was at a date, as the hub knew it at a moment; and its timeline."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from psycopg.rows import DictRow
from starlette.responses import Response

from api.answers import PERSONAL, answer, cursor_of, place_of
from api.deps import AskingDep, Session
from api.entities import PAGE, PROBLEMS, CodeParam, CursorParam, Direction, LimitParam, code_of
from api.past_models import EntityAt, MembersAt, RelationsAt, Timeline
from api.problems import not_found
from registry.access import HISTORY
from registry.history import ENTITY_AT, FOUND_AT, MEMBERS_AT, RELATIONS_AT, When
from registry.timeline import TIMELINE, shown_timeline
from registry.views import shown_called, shown_member, shown_values
from schemas.properties import entity_types

router = APIRouter(prefix="/entities", tags=["past"])


def _when(
    valid_at: Annotated[date | None, Query(description="the day asked about; none: what was held to be so")] = None,
    known_at: Annotated[datetime | None, Query(description="as the hub knew it then (UTC if no offset); now")] = None,
) -> When:
    aware = known_at.replace(tzinfo=UTC) if known_at is not None and known_at.tzinfo is None else known_at
    return When(valid_at, aware)


def _wanted(
    direction: Direction = Direction.both,
    relation: Annotated[str | None, Query(examples=["lives_at"], max_length=64, pattern="^[a-z_]+$")] = None,
) -> dict[str, Any]:
    return {"out": direction != Direction.into, "into": direction != Direction.out, "relation": relation}


WhenDep = Annotated[When, Depends(_when)]
WantedDep = Annotated[dict[str, Any], Depends(_wanted)]


@router.get(
    "/{code}",
    response_model=EntityAt,
    responses=PROBLEMS,
    operation_id="get_entity_at",
    summary="An entity as it was at a date, as known at a moment",
)
async def entity_at(request: Request, asking: AskingDep, code: CodeParam, when: WhenDep) -> Response:
    """Its values then, each with the days for which its source vouches. A code that was merged or retired since is told
    as it was: `status` and `successor` are those of that moment.
    """
    asked = {"code": code_of(code), **when.values}
    caller, row = await asking.once(HISTORY, ENTITY_AT, asked)
    if row["entity"] is None:
        raise not_found()
    kind = entity_types()[row["entity"]["type"]]
    values = shown_values(row["values"], kind, asking.hub.keyring, caller)
    clocks = {"valid_at": row["when"]["day"], "known_at": row["when"]["at"]}
    return answer(request, {**row["entity"], **clocks, "values": values}, PERSONAL)


@router.get(
    "/{code}/members",
    response_model=MembersAt,
    responses=PROBLEMS,
    operation_id="get_entity_members_at",
    summary="The records that spoke of an entity, and what they said then",
)
async def members_at(
    request: Request,
    asking: AskingDep,
    code: CodeParam,
    when: WhenDep,
    cursor: CursorParam = None,
    limit: LimitParam = PAGE,
) -> Response:
    """What a record said is told in the version that was known."""
    (after,) = place_of(cursor, 0)
    async with asking.session(HISTORY) as session:
        found = await _found(session, code, when.values)
        rows = await session.rows(
            MEMBERS_AT, {"code": found["code"], **when.values, "after": after, "limit": limit + 1}
        )
        await session.tell("members_as_of", [found["code"]], '["records"]')
    shown = [shown_member(row, asking.hub.keyring, session.caller) for row in rows[:limit]]
    items = [{**line, **_days(row)} for line, row in zip(shown, rows[:limit], strict=True)]
    following = cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else None
    return answer(request, {"items": items, "next": following}, PERSONAL)


@router.get(
    "/{code}/relations",
    response_model=RelationsAt,
    responses=PROBLEMS,
    operation_id="get_entity_relations_at",
    summary="Who lived here, where this person lived: relations at a date, as known at a moment",
)
async def relations_at(
    request: Request,
    asking: AskingDep,
    code: CodeParam,
    when: WhenDep,
    wanted: WantedDep,
    cursor: CursorParam = None,
    limit: LimitParam = PAGE,
) -> Response:
    """Others are called as they were then."""
    after = dict(zip(("after_direction", "after_relation", "after_code"), place_of(cursor, "", "", ""), strict=True))
    async with asking.session(HISTORY) as session:
        found = await _found(session, code, when.values)
        asked = {"code": found["code"], **when.values, **wanted, **after, "limit": limit + 1}
        rows = await session.rows(RELATIONS_AT, asked)
        shown = shown_called(rows[:limit], session.caller)
        codes = [found["code"], *(row["code"] for row in shown)]
        await session.tell("relations_as_of", codes, '["address", "name"]')
    last = shown[-1] if len(rows) > limit else None
    following = cursor_of(last["direction"], last["relation"], last["code"]) if last else None
    return answer(request, {"items": shown, "next": following}, PERSONAL)


@router.get(
    "/{code}/timeline",
    response_model=Timeline,
    responses=PROBLEMS,
    operation_id="get_entity_timeline",
    summary="All that happened to an entity in the registry",
)
async def timeline(
    request: Request, asking: AskingDep, code: CodeParam, cursor: CursorParam = None, limit: LimitParam = PAGE
) -> Response:
    """In the order in which the hub learned it, with what happened to the codes that were merged into it and to the one
    it was split from; values only as far as you may see them.
    """
    (after,) = place_of(cursor, 0)
    stored = code_of(code)
    async with asking.session(HISTORY) as session:
        found = await _found(session, stored, When().values)
        rows = await session.rows(TIMELINE, {"code": stored, "after": after, "limit": limit + 1})
        kind = entity_types()[found["type"]]
        items = shown_timeline(rows[:limit], kind, asking.hub.keyring, session.caller)
        names = sorted({line["name"] for line in items if line.get("masked") is False})
        codes = [stored, *(line["code"] for line in items)]
        await session.tell("timeline", codes, json.dumps(names))
    following = cursor_of(rows[limit - 1]["number"]) if len(rows) > limit else None
    return answer(request, {"items": items, "next": following}, PERSONAL)


async def _found(session: Session, code: str, when: dict[str, Any]) -> DictRow:
    rows = await session.rows(FOUND_AT, {"code": code_of(code), **when})
    if not rows:
        raise not_found()
    return rows[0]


def _days(row: DictRow) -> dict[str, Any]:
    return {"valid_from": row["valid_from"], "valid_to": row["valid_to"]}
