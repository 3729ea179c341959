"""Review over HTTP: the tasks of one's area, what each side's records say, and the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from api.answers import CHECKED, PERSONAL, answer, cursor_of, place_of
from api.deps import AskingDep, Session
from api.entities import PROBLEMS, CursorParam, LimitParam
from api.models import Answer, Answered, Table, TaskShown
from api.problems import Problem, ProblemBody, not_found
from onegrid.database import Actor
from onegrid.errors import NotFound, Refused
from registry import judging
from registry.access import REVIEW
from registry.views import TASK, TASKS, shown_member

PAGE = 50
NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?")
ACTS: dict[int | str, dict[str, Any]] = {**PROBLEMS, 409: {"model": ProblemBody, "description": "not to be done now"}}
router = APIRouter(tags=["review"])
TaskParam = Annotated[int, Path(ge=1, lt=2**63, description="a task's number")]
StateParam = Annotated[str, Query(pattern="^(open|claimed|second|settled|closed)$")]


@router.get(
    "/review",
    response_model=Table,
    responses=PROBLEMS,
    operation_id="get_review",
    summary="Review tasks, likeliest first",
)
async def tasks(
    request: Request,
    asking: AskingDep,
    state: StateParam = "open",
    cursor: CursorParam = None,
    limit: LimitParam = PAGE,
) -> Response:
    """Entities that a person should look at, in your area: one task an entity with all its candidates."""
    weight, after = place_of(cursor, "", 0)
    if weight and not NUMBER.fullmatch(weight):
        raise Problem(422, "invalid", "The cursor is none that an answer gave: begin again without one.")
    async with asking.session(REVIEW) as session:
        rows = await session.rows(TASKS, {"state": state, "weight": weight, "after": after, "limit": limit + 1})
    last = rows[limit - 1] if len(rows) > limit else None
    following = cursor_of(str(last["weight"]), last["id"]) if last else None
    return answer(request, {"items": rows[:limit], "next": following}, CHECKED)


@router.get(
    "/review/{task}",
    response_model=TaskShown,
    responses=PROBLEMS,
    operation_id="get_task",
    summary="One task, side by side",
)
async def task(request: Request, asking: AskingDep, task: TaskParam) -> Response:
    """What the records of the entity and of each candidate say, masked as your token has it."""
    async with asking.session(REVIEW) as session:
        rows = await session.rows(TASK, {"id": task})
        if not rows:
            raise not_found()
        keyring = session.asking.hub.keyring
        shown = [{**shown_member(row, keyring, session.caller), "part": row["part"]} for row in rows]
        names = sorted({name for line in shown for name in line["values"]})
        await session.tell("review", [rows[0]["code"]], json.dumps(names))
    head = {name: rows[0][name] for name in ("task", "kind", "code", "reason", "eyes", "state")}
    told = {**head, "type": rows[0]["task_type"], "weight": rows[0]["task_weight"], "records": shown}
    return answer(request, told, PERSONAL)


@router.post(
    "/review/{task}/claim", response_model=Answered, responses=ACTS, operation_id="claim_task", summary="Work on a task"
)
async def claim(asking: AskingDep, task: TaskParam) -> dict[str, Any]:
    """Keeps others from answering it meanwhile."""
    return await _act(asking, task, lambda connection, by: judging.claim(connection, task, by))


@router.post(
    "/review/{task}/answer",
    response_model=Answered,
    responses=ACTS,
    operation_id="answer_task",
    summary="Answer a task",
)
async def answered(asking: AskingDep, task: TaskParam, given: Answer) -> dict[str, Any]:
    """Same, different or unsure of each candidate in turn; a large entity needs two people who say the same."""
    return await _act(
        asking, task, lambda connection, by: judging.answer(connection, task, by, given.verdicts, given.reason)
    )


@router.post(
    "/review/{task}/undo",
    response_model=Answered,
    responses=ACTS,
    operation_id="undo_task",
    summary="Take an answer back",
)
async def undo(asking: AskingDep, task: TaskParam) -> dict[str, Any]:
    """Your own answer, and the judgements that came of it; the next run goes by what is left."""
    return await _act(asking, task, lambda connection, by: judging.undo(connection, task, by))


async def _act(asking: AskingDep, task: int, act: Callable[[Connection, str], str]) -> dict[str, Any]:
    """Runs what changes a task of the caller's area; what cannot be done now is a conflict."""
    async with asking.session(REVIEW) as session:
        if not await session.rows(TASK, {"id": task}):
            raise not_found()
    try:
        state = await run_in_threadpool(_in_transaction, session, act)
    except Refused as refused:
        raise Problem(409, "refused", str(refused)) from None
    except NotFound:
        raise not_found() from None
    return {"task": task, "state": state}


def _in_transaction(session: Session, act: Callable[[Connection, str], str]) -> str:
    caller, hub = session.caller, session.asking.hub
    with hub.database.session(Actor(caller.name, caller.role, caller.department)) as connection:
        return act(connection, f"{caller.name} #{caller.token}")
