"""The API as an app: its routes, its life, its description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from api import (
    changes,
    checking,
    codes,
    compare,
    entities,
    feeds,
    health,
    past,
    problems,
    reconcile,
    reviewing,
    searching,
    tickets,
    webhooks,
    why,
)
from api.hub import Hub, make_pool
from onegrid.database import Database, open_database
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from onegrid.workers import workers
from registry.search_tokens import person_tokens
from schemas.migrations import migrate

DESCRIPTION = """The registry of a district: one code for each person, household, place, thing, organization and event.

Every request bears a token (`Authorization: Bearer og_...`), sees the area of its division alone, and is written to
the access log when it discloses anything. Id and phone numbers are masked unless the token may see them.
Official numbers, names and phones are sent in bodies, never in addresses. Errors are problem+json (RFC 9457).
"""


def create_app(settings: Settings) -> FastAPI:
    """The app over the registry that the settings name; the database is opened when it starts."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as held:
            database = await run_in_threadpool(lambda: held.enter_context(open_database(settings)))
            keyring = await run_in_threadpool(_prepare, database, settings)
            jobs = held.enter_context(workers(1))  # no process before the first list
            async with make_pool(database.app_url) as pool:
                app.state.hub = Hub(settings, database, keyring, pool, jobs)
                yield

    app = FastAPI(
        title="OneGrid",
        version=version("onegrid"),
        description=DESCRIPTION,
        lifespan=life,
        redirect_slashes=False,
    )
    app.state.meters = health.Meters()
    parts = (
        entities, past, why, codes, searching, checking, compare, reconcile, feeds, reviewing, changes, tickets, webhooks,
    )  # fmt: skip
    for part in parts:
        app.include_router(part.router, prefix="/v1")
    app.include_router(health.router)
    problems.install(app)
    told = app.openapi
    app.openapi = lambda: problems.described(told())  # type: ignore[method-assign]
    app.add_middleware(health.Metered, meters=app.state.meters)
    return app


def _prepare(database: Database, settings: Settings) -> Keyring:
    """Tables and keys; the first who searches must not wait for the dictionaries of names."""
    migrate(database)
    person_tokens("张三")
    return Keyring.open(settings.master_key)
