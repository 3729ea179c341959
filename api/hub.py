"""What the API works with: the registry's database through an async pool, and the keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import URL

from onegrid.database import CONNECT_S, Database, translated
from onegrid.sealing import Keyring
from onegrid.settings import Settings

POOL_MOST = 10
POOL_WAIT_S = 5.0
Pool = AsyncConnectionPool[AsyncConnection[DictRow]]


@dataclass(frozen=True)
class Hub:
    """The running registry as the API sees it."""

    settings: Settings
    database: Database
    keyring: Keyring
    pool: Pool

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """One transaction as onegrid_app; errors of the database leave as ours, without any row's values."""
        with translated(self.database.server, self.database.name):
            async with self.pool.connection() as connection, connection.transaction():
                yield connection

    async def one(self, statement: str, values: Mapping[str, Any]) -> DictRow | None:
        """The first row of one statement that is a transaction by itself: a single round trip."""
        with translated(self.database.server, self.database.name):
            async with self.pool.connection() as connection:
                return await (await connection.execute(statement, values)).fetchone()


def make_pool(url: URL) -> Pool:
    """A pool, not yet open. Connections commit by themselves unless a transaction is begun."""
    return AsyncConnectionPool(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={
            "autocommit": True,
            "row_factory": dict_row,
            "connect_timeout": CONNECT_S,
            "options": "-c timezone=UTC",
            "application_name": "onegrid api",
        },
        min_size=2,
        max_size=POOL_MOST,
        timeout=POOL_WAIT_S,
        open=False,
    )
