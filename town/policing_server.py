"""The police station's own server: residents page by page over HTTP, for those who hold the token.

    GET /api/residents?page=1&size=500&updated_after=2024-03-01 08:00:00
    Authorization: Bearer ...
    -> {"data": {"total": 1234, "items": [{"id": ..., "updated": ..., "deleted": "0", ...}, ...]}}

Each id is there once, in a fixed order; who was withdrawn stays, marked `deleted: "1"`. Now and then it answers 500, or
429 with Retry-After, as servers of departments do; the times are drawn from a seed, and counted.
"""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, Query, Response

from onegrid.errors import FeedUnavailable
from town.draw import Rng
from town.turnover import Turnover

PATH = "/api/residents"
MOST_ROWS = 1000  # of one page
FAULT_EVERY = 40  # requests, on average
FIRST_FAULT = 2  # so that even the smallest town shows one
STATUSES = (500, 429)
START_S, STOP_S = 20.0, 5.0


@dataclass(frozen=True)
class Resident:
    """One line of the station's list. text: its JSON object."""

    id: str
    updated: str
    text: bytes

    @classmethod
    def of(cls, row: dict[str, object]) -> Resident:
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(str(row["id"]), str(row.get("updated") or ""), text)

    def withdrawn(self, at: str) -> Resident:
        return Resident.of({**json.loads(self.text), "deleted": "1", "updated": at})


def read_residents(path: Path) -> dict[str, Resident]:
    """The rows of policing.jsonl by id: the server's table has a key, so copies and rows without one are not in it."""
    with path.open(encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        made = (Resident.of({**row, "deleted": "0"}) for row in rows if row.get("id"))
        return {resident.id: resident for resident in made}


@dataclass
class Faults:
    """When the server fails and how, drawn from `rng`; what it did is in `counts`, by status."""

    rng: Rng
    counts: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    due: int = FIRST_FAULT

    def next(self) -> int | None:
        """The status to fail the present request with; None to answer it."""
        self.requests += 1
        if self.requests < self.due:
            return None
        self.due = self.requests + int(self.rng.integers(2, 2 * FAULT_EVERY - 1))
        status = STATUSES[int(self.rng.integers(len(STATUSES)))]
        self.counts[status] += 1
        return status


class Station:
    """The list that is served, and the counts of what was asked."""

    def __init__(self, residents: dict[str, Resident], token: str, faults: Faults) -> None:
        self._residents, self._token, self.faults = residents, token, faults
        self._listed = self._in_order()

    def allows(self, authorization: str) -> bool:
        return hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode())

    def page(self, number: int, size: int, since: str) -> bytes:
        """The JSON of one page: rows at least as new as `since`, the oldest id first."""
        listed = self._listed  # a day may pass while we look
        newer: Sequence[Resident] = [one for one in listed if one.updated >= since] if since else listed
        items = b",".join(one.text for one in newer[(number - 1) * size : number * size])
        return b'{"data":{"total":%d,"items":[%b]}}' % (len(newer), items)

    def turn(self, fresh: dict[str, Resident], at: str) -> Turnover:
        """Takes the next day's list; who is no longer on it is marked as withdrawn at `at`."""
        before = self._residents
        gone = {key: one for key, one in before.items() if key not in fresh and b'"deleted":"0"' in one.text}
        changed = sum(1 for key, one in fresh.items() if key in before and before[key] != one)
        added = sum(1 for key in fresh if key not in before)
        self._residents = before | {key: one.withdrawn(at) for key, one in gone.items()} | fresh
        self._listed = self._in_order()
        return Turnover(changed, added, len(gone))

    def _in_order(self) -> tuple[Resident, ...]:
        return tuple(self._residents[key] for key in sorted(self._residents))


def station_app(station: Station) -> FastAPI:
    """The station's one resource."""
    app = FastAPI(title="社区警务", openapi_url=None)

    @app.get(PATH)
    async def residents(
        page: Annotated[int, Query(ge=1)] = 1,
        size: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
        updated_after: str = "",
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        if not station.allows(authorization):
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        status = station.faults.next()
        if status is not None:
            wait = {"Retry-After": str(int(station.faults.rng.integers(2)))} if status == 429 else {}
            return Response(status_code=status, headers=wait)
        return Response(station.page(page, size, updated_after), media_type="application/json")

    return app


@contextmanager
def served(station: Station) -> Iterator[str]:
    """Serves the station on a free port of this machine: its address, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            station_app(station), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="policing", daemon=True)
        thread.start()
        try:
            _await_start(server, thread)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(STOP_S)


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise FeedUnavailable("The town's policing server did not start: is there room for one more program?")
        time.sleep(0.01)
