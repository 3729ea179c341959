"""How the data is: sources, loads, what was held back, quality, and what a feed may map. Counts and names, no values."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import CHECKED, COMMON, answer, cursor_of, place_of
from api.deps import AskingDep, Session
from api.entities import PROBLEMS, CursorParam, LimitParam
from api.models import Table
from onegrid.database import Actor
from quality.scores import scores
from registry.access import FEEDS, QUALITY
from registry.figures import OF_AREA, SOURCES
from schemas.properties import entity_types

PAGE = 100
_LOADS = f"""
    SELECT l.id, l.source, l.mode, l.state, l.read, l.clean, l.quarantined, l.repeated, l.deleted, l.withheld,
        l.current_rows, l.warnings, l.stages, l.error, l.started_at, l.finished_at
    FROM load l JOIN source s ON s.name = l.source
    WHERE {OF_AREA} AND l.id < %(before)s AND (%(source)s::text IS NULL OR l.source = %(source)s)
    ORDER BY l.id DESC LIMIT %(limit)s"""
_QUARANTINE = f"""
    SELECT q.source, q.scope, q.type, q.property, reason ->> 'rule' AS rule, q.state, count(*) AS lines
    FROM quarantine q JOIN source s ON s.name = q.source, jsonb_array_elements(q.reasons) AS reason
    WHERE {OF_AREA} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 7 DESC, 2, 3, 4, 5, 6"""
NEWEST = 2**63 - 1

router = APIRouter(tags=["feeds"])


@router.get(
    "/sources",
    response_model=Table,
    responses=PROBLEMS,
    operation_id="get_sources",
    summary="Sources and their last loads",
)
async def sources(request: Request, asking: AskingDep) -> Response:
    """Each declared source of your area: whose it is, its last load, and when it was last known good."""
    async with asking.session(FEEDS) as session:
        return answer(request, {"items": await session.rows(SOURCES, {})}, CHECKED)


@router.get("/loads", response_model=Table, responses=PROBLEMS, operation_id="get_loads", summary="Loads, newest first")
async def loads(
    request: Request,
    asking: AskingDep,
    source: Annotated[str | None, Query(max_length=64, pattern="^[a-z][a-z0-9_]*$")] = None,
    cursor: CursorParam = None,
    limit: LimitParam = PAGE,
) -> Response:
    """What each load read, kept and held back, and what its stages cost."""
    (before,) = place_of(cursor, NEWEST)
    async with asking.session(FEEDS) as session:
        rows = await session.rows(_LOADS, {"source": source, "before": before, "limit": limit + 1})
    following = cursor_of(rows[limit - 1]["id"]) if len(rows) > limit else None
    return answer(request, {"items": rows[:limit], "next": following}, CHECKED)


@router.get(
    "/quarantine/counts",
    response_model=Table,
    responses=PROBLEMS,
    operation_id="get_quarantine",
    summary="What the checks held back",
)
async def quarantine(request: Request, asking: AskingDep) -> Response:
    """Lines by source, scope, property, rule and state."""
    async with asking.session(FEEDS) as session:
        return answer(request, {"items": await session.rows(_QUARANTINE, {})}, CHECKED)


@router.get(
    "/quality", response_model=Table, responses=PROBLEMS, operation_id="get_quality", summary="How good the data is"
)
async def quality(
    request: Request,
    asking: AskingDep,
    by: Annotated[
        str, Query(max_length=100, examples=["owner"], description="owner,level,division,grid,property,source,type")
    ] = "owner",
) -> Response:
    """The six dimensions of GB/T 36344-2018 from 0 to 1, worst first."""
    async with asking.session(QUALITY) as session:
        lines = await run_in_threadpool(_scores, session, [name for name in by.split(",") if name])
    return answer(request, {"items": lines}, CHECKED)


def _scores(session: Session, by: list[str]) -> list[dict[str, Any]]:
    caller, hub = session.caller, session.asking.hub
    with hub.database.session(Actor(caller.name, caller.role, caller.department)) as connection:
        found = scores(connection, by, caller.area)
    lines = found.astype(object).where(found.notna(), None).to_dict("records")
    return [{str(name): value for name, value in line.items()} for line in lines]


@router.get("/properties", response_model=Table, operation_id="get_properties", summary="What a feed may map")
async def properties(request: Request) -> Response:
    """Every property of every type, with kind, unit and sensitivity: no secret, so no token is asked for."""
    lines = [
        {"type": kind.name, "property": found.name, "title": found.title, "kind": found.kind, "unit": found.unit,
         "sensitivity": found.sensitivity, "freshness_days": found.freshness_days}
        for kind in entity_types().values() for found in kind.properties.values()
    ]  # fmt: skip
    return answer(request, {"items": lines}, COMMON)
