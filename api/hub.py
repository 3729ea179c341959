"""What the API works with: the registry's database through an async pool, and the keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi.concurrency import run_in_threadpool
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import URL

from matching.asked import Heads
from onegrid.asking import Asker
from onegrid.database import CONNECT_S, Database, translated
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from registry.asking_sql import HEADS, STATE
from registry.models import SEALED_FOR as MODEL_SEALED_FOR

POOL_MOST = 10
POOL_WAIT_S = 5.0
Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@dataclass
class Held:
    """What the process holds of the registry's state. areas: in which county each token's addresses lie."""

    asker: Asker | None = None
    areas: dict[bytes, str] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True)
class Hub:
    """The running registry as the API sees it."""

    settings: Settings
    database: Database
    keyring: Keyring
    pool: Pool
    jobs: Executor
    held: Held = field(default_factory=Held)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """One transaction as onegrid_app; errors of the database leave as ours, without any row's values."""
        with translated(self.database.server, self.database.name):
            async with self.pool.connection() as connection, connection.transaction():
                yield connection

    async def one(self, statement: str, values: Mapping[str, Any], *, binary: bool = False) -> DictRow | None:
        """The first row of one statement that is a transaction by itself: a single round trip."""
        with translated(self.database.server, self.database.name):
            async with self.pool.connection() as connection:
                return await (await connection.execute(statement, values, binary=binary)).fetchone()

    async def asker(self, stamp: str | None = None) -> Asker:
        """What reads and weighs questions; made anew when the registry's stamp is another than the one it was made at."""
        async with self.held.lock:
            if self.held.asker is None or stamp not in (None, self.held.asker.stamp):
                async with self.transaction() as connection:
                    found = await (await connection.execute(STATE)).fetchone()
                    heads = await (await connection.execute(HEADS)).fetchall()
                if found is None:
                    raise RuntimeError("a statement without FROM gives a row")
                self.held.asker = await run_in_threadpool(_asker, self.keyring, found, heads)
        return self.held.asker


def _asker(keyring: Keyring, state: DictRow, heads: list[DictRow]) -> Asker:
    body = state["model"]
    model = None if body is None else keyring.unseal(body, MODEL_SEALED_FOR)
    return Asker(keyring, state["stamp"], model, Heads({(row["area"], row["text"]): row["head"] for row in heads}))


def make_pool(url: URL) -> Pool:
    """A pool, not yet open. Connections commit by themselves unless a transaction is begun."""
    return AsyncConnectionPool(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": CONNECT_S,
            # statements reach tables by index whatever they ask for: planned once, not each time
            "options": "-c timezone=UTC -c plan_cache_mode=force_generic_plan",
            "application_name": "onegrid api",
        },
        min_size=2,
        max_size=POOL_MOST,
        timeout=POOL_WAIT_S,
        open=False,
    )
