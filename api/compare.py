"""A list compared: it is given, looked after, and its result fetched page by page, by the token that gave it alone."""

from __future__ import annotations

from base64 import b64decode
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import PERSONAL, answer, cursor_of, place_of
from api.deps import AskingDep
from api.entities import PROBLEMS, CursorParam
from api.models import ComparedPage, Comparison, List
from api.problems import Problem
from onegrid.compare_jobs import run_job
from onegrid.comparing import Listed, read_list, shown_properties
from onegrid.errors import FeedError, SourceFileError
from registry.access import COMPARE
from registry.comparisons import BEGIN, END, PAGE_FOR, RESULT, STATUS, sealed_upload

router = APIRouter(prefix="/compare", tags=["compare"])
NumberParam = Annotated[int, Path(ge=1, lt=2**63, description="the number of the comparison")]
NEVER = {"id": 0}


@router.post(
    "",
    response_model=Comparison,
    status_code=202,
    responses=PROBLEMS,
    operation_id="compare",
    summary="Which rows of a list are whom",
)
async def compare(request: Request, asking: AskingDep, body: List) -> Response:
    """Takes a list and compares it in the background; `Location` says where to look after it.

    The list is kept sealed until it is compared, the result sealed for a day.
    """
    caller, _ = await asking.once(COMPARE, STATUS, NEVER)
    given = body.model_dump(include={"maps", "read"}, exclude_none=True)
    listed = await run_in_threadpool(_read, body, given, caller.area.ljust(6, "0"))
    spec = {"name": body.name, "given": given, "show": body.show, "map": listed.map, "guessed": listed.guessed}
    upload = await run_in_threadpool(sealed_upload, asking.hub.keyring, b64decode(body.content))
    told = {"spec": orjson.dumps(spec).decode(), "rows": len(listed.rows), "upload": upload}
    _, row = await asking.once(COMPARE, BEGIN, told)
    asking.hub.jobs.submit(run_job, asking.hub.settings, row["id"])
    job = {"id": row["id"], "state": "waiting", "rows": len(listed.rows), "done": 0, "counts": {}, "error": None}
    done = answer(request, {**job, "map": listed.map, "guessed": listed.guessed, "expires_at": None}, PERSONAL)
    done.status_code = 202
    done.headers["Location"] = f"/v1/compare/{row['id']}"
    return done


def _read(body: List, given: dict[str, Any], division: str) -> Listed:
    shown_properties(body.show)
    try:
        return read_list(body.name, b64decode(body.content, validate=True), division, given)
    except SourceFileError:
        said = "The map is not as a source file's: `person` with {property: column}, and columns that the list has."
        raise Problem(422, "invalid", said) from None
    except FeedError:
        raise Problem(422, "invalid", "The content is no whole csv or xlsx as its name and `read` say.") from None
    except ValueError:
        raise Problem(422, "invalid", "The content is no base64.") from None


@router.get(
    "/{number}", response_model=Comparison, responses=PROBLEMS, operation_id="get_comparison", summary="How far it is"
)
async def comparison(request: Request, asking: AskingDep, number: NumberParam) -> Response:
    """The state of a comparison of yours, rows done, and at its end how many rows have which verdict."""
    _, row = await asking.once(COMPARE, STATUS, {"id": number})
    return answer(request, _job(row["job"]), PERSONAL)


@router.get(
    "/{number}/result",
    response_model=ComparedPage,
    responses={**PROBLEMS, 409: {"model": PROBLEMS[404]["model"], "description": "not done yet"}},
    operation_id="get_comparison_result",
    summary="What each row means",
)
async def result(request: Request, asking: AskingDep, number: NumberParam, cursor: CursorParam = None) -> Response:
    """A page of the result, in the order of the list."""
    (page,) = place_of(cursor, 0)
    if page >= 2**31 - 1:
        raise Problem(422, "invalid", "The cursor is none that an answer gave: begin again without one.")
    _, row = await asking.once(COMPARE, RESULT, {"id": number, "page": page})
    if _job(row["job"])["state"] != "done":
        raise Problem(409, "not-done", "The comparison is not done: its state says how far it is.")
    body = "[]" if row["body"] is None else asking.hub.keyring.unseal(row["body"], PAGE_FOR)
    following = cursor_of(page + 1) if row["more"] else None
    return answer(request, {"items": orjson.loads(body), "next": following}, PERSONAL)


@router.delete(
    "/{number}", status_code=204, responses=PROBLEMS, operation_id="end_comparison", summary="Let it go before its time"
)
async def end(asking: AskingDep, number: NumberParam) -> Response:
    """Removes a comparison of yours and its result."""
    _, row = await asking.once(COMPARE, END, {"id": number})
    _job(row["id"])
    return Response(status_code=204)


def _job(found: Any) -> Any:
    if found is None:
        raise Problem(404, "not-found", "There is no such comparison of yours; its result is kept for a day.")
    return found
