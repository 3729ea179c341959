"""Correction tickets over HTTP: a department gets its own, who answers for the data gets all of the area."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import CHECKED, answer, cursor_of, place_of
from api.deps import AskingDep
from api.entities import PROBLEMS, CursorParam
from api.models import NO_NUL, Table
from api.models_out import Tickets
from registry.access import TICKETS as RIGHT
from registry.tickets import COUNTS, TICKETS, asked, department_of, shown_ticket

PAGE, PAGE_MOST = 100, 1000
DepartmentParam = Annotated[str | None, Query(max_length=64, pattern=NO_NUL, description="the owner of the feed")]

router = APIRouter(tags=["tickets"])


@router.get(
    "/tickets",
    response_model=Tickets,
    responses=PROBLEMS,
    operation_id="get_tickets",
    summary="What is to be corrected",
)
async def tickets(
    request: Request,
    asking: AskingDep,
    state: Literal["open", "overdue", "mended", "closed"] = "open",
    department: DepartmentParam = None,
    cursor: CursorParam = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MOST)] = PAGE,
) -> Response:
    """Rows and values that the checks held back, the oldest first: reason, the row's key in its feed, and the day due."""
    (after,) = place_of(cursor, 0)
    async with asking.session(RIGHT) as session:
        whose = department_of(session.caller, department)
        rows = await session.rows(TICKETS, asked(state, whose, after=after, limit=limit + 1))
    items = [shown_ticket(row, session.caller) for row in rows[:limit]]
    following = cursor_of(items[-1]["ticket"]) if len(rows) > limit else None
    return answer(request, {"items": items, "next": following}, CHECKED)


@router.get(
    "/tickets/counts",
    response_model=Table,
    responses=PROBLEMS,
    operation_id="count_tickets",
    summary="How much is to be corrected",
)
async def counts(request: Request, asking: AskingDep, department: DepartmentParam = None) -> Response:
    """Open and overdue tickets by department and source, and the earliest day due."""
    async with asking.session(RIGHT) as session:
        rows = await session.rows(COUNTS, asked(department=department_of(session.caller, department)))
    return answer(request, {"items": rows}, CHECKED)
