"""The API over the small district's registry: a real server on a port of its own, and callers of every role."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from district import ACTOR, District, copy_district
from sqlalchemy import Connection, text

from api.app import create_app
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from registry.tokens import create_token


@dataclass
class Service:
    """A running API over a district. Callers are kept by (role, division, numbers)."""

    district: District
    url: str

    def token(self, role: str, division: str = "340202", *, numbers: bool = False, days: int = 1) -> str:
        """A new token's secret."""
        with self.district.database() as database, database.session(ACTOR) as connection:
            return create_token(connection, role, "区民政局", division, numbers=numbers, days=days)[1]

    def caller(self, role: str = "department", division: str = "340202", *, numbers: bool = False) -> httpx.Client:
        """A client with a token."""
        secret = self.token(role, division, numbers=numbers)
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {secret}"}, timeout=30)

    def execute(self, statement: str, **values: object) -> None:
        """A statement as onegrid_app."""
        with self.district.database() as database, database.session(ACTOR) as connection:
            connection.execute(text(statement), values)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A transaction as onegrid_app."""
        with self.district.database() as database, database.session(ACTOR) as connection:
            yield connection

    def keyring(self) -> Keyring:
        """The district's keys."""
        return Keyring.open(Settings(self.district.home).master_key)

    def events(self, act: str) -> list[dict[str, object]]:
        """The access events of an act, in order."""
        return self.district.query(  # type: ignore[return-value]
            "SELECT * FROM access_event WHERE act = %(act)s ORDER BY id", {"act": act}
        ).to_dict("records")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(district: District) -> Iterator[Service]:
    """The API in this process, on a real port."""
    port = free_port()
    app = create_app(Settings(district.home))
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, access_log=False, server_header=False, log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield Service(district, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def service(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[Service]:
    """The API over the district's registry as one run left it."""
    district = copy_district(make_folder(), prepared_home)
    with district.database():
        done = district.run()
        assert done.code == 0, done.err
        with served(district) as made:
            yield made
