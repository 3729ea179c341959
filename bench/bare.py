"""The least a service can do: one indexed point read over the same HTTP server and PostgreSQL, as JSON. What the API is
held against.

python -m bench.bare --port PORT (the home by ONEGRID_HOME)
"""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from fastapi import FastAPI
from starlette.responses import Response

from api.__main__ import serve
from api.hub import make_pool
from onegrid.database import open_database
from onegrid.settings import Settings, read_settings

READ = "SELECT code, type, kind, status, division, grid FROM entity WHERE code = %(code)s"


def bare_app(settings: Settings) -> FastAPI:
    """One route: no token, no area, no values, no access event."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        with open_database(settings) as database:
            async with make_pool(database.app_url) as pool:
                app.state.pool = pool
                yield

    app = FastAPI(lifespan=life)

    @app.get("/bare/{code}")
    async def read(code: str) -> Response:
        async with app.state.pool.connection() as connection:
            row = await (await connection.execute(READ, {"code": code})).fetchone()
        return Response(orjson.dumps(row), media_type="application/json")

    return app


def made() -> FastAPI:
    """The app over the registry that the environment names."""
    return bare_app(read_settings())


def main() -> None:
    """Serve until a stop signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args()
    serve("bench.bare:made", "127.0.0.1", chosen.port, chosen.workers)


if __name__ == "__main__":
    main()
