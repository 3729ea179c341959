"""`python -m api`: the API on its own, over the registry that the environment names."""

from __future__ import annotations

import argparse

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from onegrid.settings import read_settings


def main() -> None:
    """Serve until a stop signal. The access log stays off: addresses hold codes, and metrics count what is asked."""
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve OneGrid's API.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (this machine alone)")
    parser.add_argument("--port", type=int, default=8000, help="the port (8000)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer; each counts its own metrics (1)")
    chosen = parser.parse_args()
    serve("api.__main__:made", chosen.host, chosen.port, chosen.workers)


def made() -> FastAPI:
    """The app over the registry that the environment names."""
    return create_app(read_settings())


def serve(factory: str, host: str, port: int, workers: int) -> None:
    """An app in one process or several, until a stop signal."""
    quiet = {"access_log": False, "server_header": False, "log_level": "warning"}
    uvicorn.run(factory, factory=True, host=host, port=port, workers=workers, **quiet)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
