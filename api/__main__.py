"""`python -m api`: the API on its own, over the registry that the environment names."""

from __future__ import annotations

import argparse

import uvicorn

from api.app import create_app
from onegrid.settings import read_settings


def main() -> None:
    """Serve until a stop signal. The access log stays off: addresses hold codes, and metrics count what is asked."""
    parser = argparse.ArgumentParser(prog="python -m api", description="Serve OneGrid's API.")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (this machine alone)")
    parser.add_argument("--port", type=int, default=8000, help="the port (8000)")
    chosen = parser.parse_args()
    app = create_app(read_settings())
    uvicorn.run(app, host=chosen.host, port=chosen.port, access_log=False, server_header=False, log_level="warning")


if __name__ == "__main__":
    main()
