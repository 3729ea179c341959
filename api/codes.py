"""Codes and official numbers. Numbers come in bodies, never in addresses: those end up in logs."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import CHECKED, PERSONAL, answer
from api.deps import AskingDep
from api.entities import PROBLEMS, CodeParam, code_of
from api.models import Codes, Hits, Number, ResolvedAll, Where
from api.problems import not_found
from registry.access import ENTITIES
from registry.show import number_values
from registry.views import LOOKUP, RESOLVE, WHERE_IT_IS, shown_called
from schemas.codes import parse

STORED = re.compile(r"[A-Z][0-9]{6}-[0-9]{9}-[0-9A-Z]")

router = APIRouter(tags=["codes"])


@router.post(
    "/codes/resolve",
    response_model=ResolvedAll,
    responses=PROBLEMS,
    operation_id="resolve_codes",
    summary="What became of many codes",
)
async def resolve(request: Request, asking: AskingDep, body: Codes) -> Response:
    """A line for each code, up to 10,000 at once: status and successor, or nulls where there is nothing you may see."""
    stored = [_stored(code) for code in body.codes]
    async with asking.session(ENTITIES) as session:
        rows = await session.rows(RESOLVE, {"codes": [code for code in set(stored) if code]})
    found = {row["code"]: _with_successor(row) for row in rows}
    nothing = dict.fromkeys(("code", "type", "kind", "status", "successor"))
    lines = [{"asked": asked, **found.get(code or "", nothing)} for asked, code in zip(body.codes, stored, strict=True)]
    return answer(request, {"items": lines}, CHECKED)


@router.get(
    "/codes/{code}", response_model=Where, responses=PROBLEMS, operation_id="get_code", summary="What became of a code"
)
async def where(request: Request, asking: AskingDep, code: CodeParam) -> Response:
    """Type, status and, for a merged code, the one that stands in its place."""
    async with asking.session(ENTITIES) as session:
        rows = await session.rows(WHERE_IT_IS, {"code": code_of(code)})
    if not rows:
        raise not_found()
    return answer(request, _with_successor(rows[0]), CHECKED)


@router.post("/lookup", response_model=Hits, responses=PROBLEMS, operation_id="lookup", summary="By an official number")
async def lookup(request: Request, asking: AskingDep, body: Number) -> Response:
    """The entities a document, credit code, component, grid, division or household number leads to; none is no error."""
    caller, row = await asking.once(ENTITIES, LOOKUP, number_values(asking.hub.keyring, body.number))
    return answer(request, {"items": [_with_successor(hit) for hit in shown_called(row["hits"], caller)]}, PERSONAL)


def _stored(text: str) -> str | None:
    """The stored form of a code; one that has it already is not parsed again: the registry knows whether it was issued."""
    if STORED.fullmatch(text):
        return text
    try:
        return str(parse(text))
    except ValueError:
        return None


def _with_successor(found: dict[str, object]) -> dict[str, object]:
    return {**{name: found[name] for name in found if name != "merged_into"}, "successor": found["merged_into"]}
