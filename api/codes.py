"""Codes and official numbers. Numbers come in bodies, never in addresses: those end up in logs."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.answers import CHECKED, PERSONAL, answer
from api.deps import AskingDep
from api.entities import PROBLEMS, CodeParam, code_of
from api.models import Hits, Number, Where
from api.problems import not_found
from registry.access import ENTITIES
from registry.show import number_values
from registry.views import LOOKUP, WHERE_IT_IS, shown_called

router = APIRouter(tags=["codes"])


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


def _with_successor(found: dict[str, object]) -> dict[str, object]:
    return {**{name: found[name] for name in found if name != "merged_into"}, "successor": found["merged_into"]}
