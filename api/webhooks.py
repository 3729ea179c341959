"""Webhooks over HTTP, for who answers for the data of an area: who is told of its changes, and how that goes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import CHECKED, PERSONAL, answer
from api.deps import AskingDep, Session
from api.entities import PROBLEMS
from api.models import Table
from api.models_out import NewWebhook, Replay, Replayed, Webhook
from api.problems import Problem
from onegrid.database import Actor
from onegrid.errors import NotFound
from registry.access import WEBHOOKS, area_of
from registry.changes_out import Wanted
from registry.webhooks import LIST, add_webhook, check_url, end_webhook, replay

WebhookParam = Annotated[int, Path(ge=1, lt=2**63, description="its number")]

router = APIRouter(tags=["webhooks"])


@router.post(
    "/webhooks",
    response_model=Webhook,
    status_code=201,
    responses=PROBLEMS,
    operation_id="add_webhook",
    summary="Tell another system of changes",
)
async def add(asking: AskingDep, body: NewWebhook) -> Response:
    """From the next change of your area on. The secret that deliveries are signed with is shown this once."""
    url = check_url(body.url, asking.hub.settings.webhook_plain_hosts)
    division = area_of(body.division) if body.division else None
    wanted = Wanted(body.types, body.changes, division, body.grid)
    async with asking.session(WEBHOOKS) as session:
        number, secret = await _act(
            session,
            lambda connection, actor: add_webhook(
                connection, asking.hub.keyring, actor, url, session.caller.area, wanted, body.name
            ),
        )
    made = orjson.dumps({"id": number, "secret": secret})
    return Response(made, 201, {"Cache-Control": PERSONAL}, media_type="application/json")


@router.get(
    "/webhooks",
    response_model=Table,
    responses=PROBLEMS,
    operation_id="list_webhooks",
    summary="Who is told of changes",
)
async def listed(request: Request, asking: AskingDep) -> Response:
    """The subscriptions of your area: how far each is, what waits, what could not be delivered. No secrets."""
    async with asking.session(WEBHOOKS) as session:
        lines = await session.rows(LIST, {})
    return answer(request, {"items": lines}, CHECKED)


@router.delete(
    "/webhooks/{number}", status_code=204, responses=PROBLEMS, operation_id="end_webhook", summary="Tell it no more"
)
async def end(asking: AskingDep, number: WebhookParam) -> Response:
    """Ends a subscription; what is not delivered yet is never sent."""
    async with asking.session(WEBHOOKS) as session:
        await _act(session, lambda connection, actor: end_webhook(connection, actor, number, session.caller.area))
    return Response(status_code=204)


@router.post(
    "/webhooks/{number}/replay",
    response_model=Replayed,
    responses=PROBLEMS,
    operation_id="replay_webhook",
    summary="Send again",
)
async def again(request: Request, asking: AskingDep, number: WebhookParam, body: Replay) -> Response:
    """What could not be delivered, or, with `since`, every change after that one."""
    async with asking.session(WEBHOOKS) as session:
        found = await _act(
            session, lambda connection, actor: replay(connection, actor, number, session.caller.area, body.since)
        )
    return answer(request, {"replayed": found}, PERSONAL)


async def _act(session: Session, act: Callable[[Connection, Actor], Any]) -> Any:
    """Runs it in a transaction on the caller's behalf; Problem 404 for a webhook that is not there."""
    caller, database = session.caller, session.asking.hub.database
    actor = Actor(caller.name, caller.role, caller.department)

    def run() -> Any:
        with database.session(actor) as connection:
            return act(connection, actor)

    try:
        return await run_in_threadpool(run)
    except NotFound:
        raise Problem(404, "not-found", "There is no webhook of this number in your area.") from None
