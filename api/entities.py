"""The six types by code: golden values, the records behind them, and relations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from psycopg.rows import DictRow
from starlette.responses import RedirectResponse, Response

from api.answers import CHECKED, PERSONAL, answer, cursor_of, place_of
from api.deps import AskingDep, Session
from api.models import CODE, Entity, Members, Relations
from api.problems import Problem, ProblemBody, not_found
from registry.access import ENTITIES
from registry.views import ENTITY, MEMBERS, RELATIONS, WHERE_IT_IS, shown_called, shown_member, shown_values
from schemas.codes import parse
from schemas.properties import entity_types

PLURALS = {
    "persons": "person", "households": "household", "places": "place", "things": "thing",
    "organizations": "organization", "events": "event",
}  # fmt: skip
OPEN_TYPES = ("place", "thing", "organization")  # of no person: callers may keep them
PAGE, PAGE_MOST = 50, 500
CodeParam = Annotated[
    str, Path(description="a code; case and separators do not matter", examples=[CODE], max_length=64)
]
CursorParam = Annotated[str | None, Query(description="`next` of the page before", max_length=256)]
LimitParam = Annotated[int, Query(ge=1, le=PAGE_MOST)]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemBody, "description": what}
    for status, what in {
        400: "no JSON at all", 401: "no valid token", 403: "no right to this", 404: "nothing of this code that you may see",
        410: "the code is retired", 413: "too large", 422: "not as described", 503: "the database does not answer",
    }.items()
}  # fmt: skip
MOVED: dict[int | str, dict[str, Any]] = {
    304: {"description": "as you have it"},
    308: {"description": "merged: the successor is at Location"},
}

router = APIRouter()


class Direction(StrEnum):
    """Relations from the entity, to it, or both."""

    out = "out"
    into = "in"
    both = "both"


def code_of(text: str, kind: str | None = None) -> str:
    """The stored form of a code; Problem 404 for what is none, or one of another type."""
    try:
        code = parse(text)
    except ValueError as error:
        raise Problem(404, "not-found", str(error)) from None
    if kind is not None and code.type != kind:
        raise not_found()
    return str(code)


def _cache(kind: str) -> str:
    return CHECKED if kind in OPEN_TYPES else PERSONAL


def _add_entity(plural: str, kind: str) -> None:
    """One entity with its golden values."""

    @router.get(
        f"/{plural}/{{code}}",
        response_model=Entity,
        responses={**PROBLEMS, **MOVED},
        tags=[plural],
        operation_id=f"get_{kind}",
        summary=f"A {kind} by its code",
    )
    async def by_code(request: Request, asking: AskingDep, code: CodeParam) -> Response:
        caller, row = await asking.once(ENTITIES, ENTITY, {"code": code_of(code, kind)})
        found = _standing(row["entity"])
        values = shown_values(row["values"] or [], entity_types()[kind], asking.hub.keyring, caller)
        kept = {name: found[name] for name in Entity.model_fields if name != "values"}
        if found["status"] != "active":
            return _moved(found, plural)
        return answer(request, {**kept, "values": values}, _cache(kind))


def _add_members(plural: str, kind: str) -> None:
    """The records behind an entity."""

    @router.get(
        f"/{plural}/{{code}}/members",
        response_model=Members,
        responses={**PROBLEMS, **MOVED},
        tags=[plural],
        operation_id=f"get_{kind}_members",
        summary=f"The records that speak of a {kind}, and what each says",
    )
    async def members(
        request: Request, asking: AskingDep, code: CodeParam, cursor: CursorParam = None, limit: LimitParam = PAGE
    ) -> Response:
        (after,) = place_of(cursor, 0)
        async with asking.session(ENTITIES) as session:
            found = await _visible(session, code_of(code, kind))
            if found["status"] != "active":
                return _moved(found, plural, "/members")
            rows = await session.rows(MEMBERS, {"code": found["code"], "after": after, "limit": limit + 1})
            await session.tell("members", [found["code"]], '["records"]')
        items = [shown_member(row, asking.hub.keyring, session.caller) for row in rows[:limit]]
        following = cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else None
        return answer(request, {"items": items, "next": following}, _cache(kind))


def _add_relations(plural: str, kind: str) -> None:
    """What an entity is related to."""

    @router.get(
        f"/{plural}/{{code}}/relations",
        response_model=Relations,
        responses={**PROBLEMS, **MOVED},
        tags=[plural],
        operation_id=f"get_{kind}_relations",
        summary=f"What a {kind} is related to: who lives here, where does this person live",
    )
    async def relations(
        request: Request,
        asking: AskingDep,
        code: CodeParam,
        direction: Direction = Direction.both,
        relation: Annotated[str | None, Query(examples=["lives_at"], max_length=64, pattern="^[a-z_]+$")] = None,
        cursor: CursorParam = None,
        limit: LimitParam = PAGE,
    ) -> Response:
        after = dict(
            zip(("after_direction", "after_relation", "after_code"), place_of(cursor, "", "", ""), strict=True)
        )
        wanted = {"out": direction != Direction.into, "into": direction != Direction.out, "relation": relation}
        async with asking.session(ENTITIES) as session:
            found = await _visible(session, code_of(code, kind))
            if found["status"] != "active":
                return _moved(found, plural, "/relations")
            rows = await session.rows(RELATIONS, {"code": found["code"], **wanted, **after, "limit": limit + 1})
            shown = shown_called(rows[:limit], session.caller)
            await session.tell("relations", [found["code"], *(row["code"] for row in shown)], '["address", "name"]')
        last = shown[-1] if len(rows) > limit else None
        following = cursor_of(last["direction"], last["relation"], last["code"]) if last else None
        return answer(request, {"items": shown, "next": following}, PERSONAL)


def _standing(found: dict[str, Any] | None) -> dict[str, Any]:
    if found is None:
        raise not_found()
    if found["status"] == "retired":
        raise Problem(410, "gone", f"The code {found['code']} is retired: no record speaks of it any more.")
    return found


async def _visible(session: Session, code: str) -> DictRow:
    rows = await session.rows(WHERE_IT_IS, {"code": code})
    return _standing(rows[0] if rows else None)


def _moved(found: dict[str, Any], plural: str, tail: str = "") -> Response:
    """To the code that stands in this one's place."""
    headers = {"Cache-Control": PERSONAL}
    return RedirectResponse(f"/v1/{plural}/{found['merged_into']}{tail}", status_code=308, headers=headers)


for _plural, _kind in PLURALS.items():
    for _add in (_add_entity, _add_members, _add_relations):
        _add(_plural, _kind)
