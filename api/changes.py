"""The change feed: what became of codes, in order and without gaps, as a list or as CloudEvents. Names, never values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import CHECKED, answer
from api.deps import AskingDep
from api.entities import PROBLEMS
from api.models import EntityType
from api.models_out import DIVISION, GRID, ChangeKind, Changes, CloudEvent
from registry.access import CHANGES, area_of
from registry.changes_out import BATCH, HUB, PAGE, Wanted, cloud_events, page_of

PAGE_USUAL, PAGE_MOST = 100, 1000
SINCE_MOST = 2**62
BATCHED: dict[str, Any] = {
    "content": {BATCH: {"schema": {"type": "array", "items": CloudEvent.model_json_schema()}}},
    "headers": {
        "Link": {"schema": {"type": "string"}, "description": "rel=next: where to go on; always there"},
        "OneGrid-More": {"schema": {"type": "string"}, "description": "true: ask again at once"},
    },
}

router = APIRouter(tags=["changes"])


def _wanted(
    kind: Annotated[list[EntityType] | None, Query(alias="type", max_length=6, description="may be repeated")] = None,
    change: Annotated[list[ChangeKind] | None, Query(max_length=7, description="may be repeated")] = None,
    division: Annotated[str | None, Query(pattern=DIVISION, description="a division and all within it")] = None,
    grid: Annotated[str | None, Query(pattern=GRID)] = None,
) -> Wanted:
    return Wanted(_once(kind), _once(change), area_of(division) if division else None, grid)


def _once(words: Sequence[str] | None) -> list[str] | None:
    return sorted(set(words)) if words else None


@router.get(
    "/changes",
    response_model=Changes,
    responses={**PROBLEMS, 200: BATCHED},
    operation_id="get_changes",
    summary="What changed since",
)
async def changes(
    request: Request,
    asking: AskingDep,
    wanted: Annotated[Wanted, Depends(_wanted)],
    since: Annotated[
        int, Query(ge=0, le=SINCE_MOST, description="`next` of the answer before; 0: from the beginning")
    ] = 0,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = PAGE_USUAL,
) -> Response:
    """Codes of your area that were created, absorbed, merged, split, moved, retired or updated, in order.

    `Accept: application/cloudevents-batch+json` gives CloudEvents 1.0; `Link` says where to go on.
    """
    batched = BATCH in request.headers.get("accept", "")
    async with asking.session(CHANGES) as session:
        rows = await session.rows(PAGE, {"since": since, "limit": limit, **wanted.values()})
        hub = (await session.rows(HUB, {}))[0]["id"] if batched else ""
    page = page_of(rows, since, limit)
    if not batched:
        return answer(request, {"items": page.items, "next": page.next, "more": page.more}, CHECKED)
    following = request.url.include_query_params(since=page.next)
    headers = {"Link": f'<{following.path}?{following.query}>; rel="next"', "OneGrid-More": str(page.more).lower()}
    return answer(request, cloud_events(page.items, hub), CHECKED, BATCH, headers)
