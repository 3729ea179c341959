"""Whether the service lives and can work, and its figures for Prometheus."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import AskingDep
from api.entities import PROBLEMS
from api.hub import Hub
from api.problems import Problem
from registry.access import METRICS
from schemas.migrations import newest

_VERSION = "SELECT version_num FROM alembic_version"
_FIGURES = """
    SELECT 'entities' AS figure, type AS name, count(*)::float8 AS value FROM entity WHERE status = 'active' GROUP BY type
    UNION ALL SELECT 'age', source, extract(epoch FROM now() - max(finished_at)) FROM load
        WHERE state IN ('staged', 'unchanged') GROUP BY source
    UNION ALL SELECT 'failed', source, count(*) FROM load WHERE state = 'failed' GROUP BY source
    UNION ALL SELECT 'tickets', 'open', count(*) FROM quarantine WHERE state = 'open' AND scope IN ('row', 'value')
    UNION ALL SELECT 'tickets', 'overdue', count(*) FROM quarantine
        WHERE state = 'open' AND scope IN ('row', 'value') AND due < (now() AT TIME ZONE 'Asia/Shanghai')::date
    UNION ALL SELECT 'webhooks', state, count(d.state) FROM unnest(ARRAY['pending', 'dead']) AS state
        LEFT JOIN webhook_delivery d USING (state) GROUP BY state
    UNION ALL SELECT 'published', '', extract(epoch FROM max(finished_at)) FROM run WHERE state = 'published'"""
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

router = APIRouter(tags=["service"])


class Meters:
    """The figures of one app: a registry of its own, so that several apps may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("onegrid_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "onegrid_request_seconds", "Seconds to an answer", ("route",), buckets=BUCKETS, registry=self.registry
        )
        named = {
            "entities": ("onegrid_entities", "Active entities", ("type",)),
            "age": ("onegrid_source_age_seconds", "Seconds since the source was last known good", ("source",)),
            "failed": ("onegrid_loads_failed", "Loads that failed", ("source",)),
            "tickets": ("onegrid_tickets", "Correction tickets", ("state",)),
            "webhooks": ("onegrid_webhook_deliveries", "Webhook deliveries that did not get there", ("state",)),
            "published": ("onegrid_published_timestamp_seconds", "When the registry was last published", ()),
            "pool": ("onegrid_pool_connections", "Connections to the database", ("state",)),
        }
        self.gauges = {name: Gauge(*words, registry=self.registry) for name, words in named.items()}


class Metered:
    """Counts and times every request by its route's template: codes are in no label."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and remember how it was answered and how long that took."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.meters.requests.labels(scope["method"], route, status).inc()
            self.meters.seconds.labels(route).observe(time.perf_counter() - start)


@router.get("/healthz", operation_id="healthz", summary="Whether the process lives", response_model=dict[str, str])
async def healthz() -> Response:
    """Says ok for as long as it can say anything."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Whether it can work",
    response_model=dict[str, str],
    responses={503: PROBLEMS[503]},
)
async def readyz(request: Request) -> Response:
    """Whether the database answers, and has the tables this version knows."""
    hub: Hub = request.app.state.hub
    row = await hub.one(_VERSION, {})
    if row is None or row["version_num"] != newest():
        raise Problem(
            503, "unavailable", "The database has the tables of another version: migrate it, or start this one anew."
        )
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    responses={**PROBLEMS, 200: {"content": {"text/plain": {}}, "description": "figures"}},
    response_class=Response,
)
async def metrics(request: Request, asking: AskingDep) -> Response:
    """Requests by route, entities by type, age of each source, connections."""
    meters: Meters = request.app.state.meters
    async with asking.session(METRICS) as session:
        rows: list[dict[str, Any]] = await session.rows(_FIGURES, {})
    for row in rows:
        gauge = meters.gauges[row["figure"]]
        (gauge.labels(row["name"]) if row["name"] else gauge).set(row["value"] or 0)
    for state, value in asking.hub.pool.get_stats().items():
        if state in ("pool_size", "pool_available", "requests_waiting"):
            meters.gauges["pool"].labels(state).set(value)
    text = await run_in_threadpool(generate_latest, meters.registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
