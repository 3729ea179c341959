"""Search by name, phone and address. What is looked for comes in bodies alone."""

from __future__ import annotations

from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import PERSONAL, answer
from api.deps import AskingDep, Session
from api.entities import PROBLEMS
from api.models import Found, LookFor
from registry.access import SEARCH
from registry.search import Query, Question, Rows, Steps, finding
from registry.views import CALLED, shown_called

Result = TypeVar("Result")
router = APIRouter(tags=["search"])


@router.post(
    "/search", response_model=Found, responses=PROBLEMS, operation_id="search", summary="By name, phone or address"
)
async def search(request: Request, asking: AskingDep, body: LookFor) -> Response:
    """The entities of your area that agree best with all that is given; names may be misspelt, addresses be parts."""
    async with asking.session(SEARCH) as session:
        asked = Query(body.type, body.name, body.phone, body.address, None, session.caller.area, body.limit)
        hits = await _result(session, finding(asked, asking.hub.keyring))
        codes = [hit.code for hit in hits]
        rows = await session.rows(CALLED, {"codes": codes})
        called = {row["code"]: row["called"] for row in shown_called(rows, session.caller)}
        await session.tell("search", codes, '["address", "name"]')
    items = [
        {"code": hit.code, "type": hit.type, "kind": hit.kind, "called": called.get(hit.code), "score": hit.score,
         "agrees": list(hit.agree), "division": hit.division, "grid": hit.grid}
        for hit in hits
    ]  # fmt: skip
    return answer(request, {"items": items}, PERSONAL)


async def _result(session: Session, steps: Steps[Result]) -> Result:
    """What a search comes to: its questions go over the caller's transaction, its ranking stays off the event loop."""
    rows: Rows | None = None
    while True:
        question, result = await run_in_threadpool(_step, steps, rows)
        if question is None:
            return result  # type: ignore[return-value]
        rows = await session.rows(question.sql, question.params)


def _step(steps: Steps[Result], rows: Rows | None) -> tuple[Question | None, Result | None]:
    """The next question, or the result: a StopIteration must not leave a thread."""
    try:
        return (next(steps) if rows is None else steps.send(rows)), None
    except StopIteration as end:
        return None, end.value
