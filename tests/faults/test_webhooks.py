"""Webhooks to a real consumer, both sides killed again and again: nothing is lost, and what is doubled has one id."""

from __future__ import annotations

import hmac
import json
import os
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from district import ACTOR, ENVIRONMENT, ROOT, District
from service import free_port
from sqlalchemy import text

from onegrid.delivering import Pace, deliver
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from onegrid.stages import Hub

PATIENCE_S = 90
CHANGES = """
    INSERT INTO change (run, code, type, change, division, grid)
    SELECT :run, 'P340202-' || lpad(n::text, 9, '0') || '-0', CASE WHEN n % 2 = 0 THEN 'person' ELSE 'place' END,
        'created', '340202001', '340202001001' FROM generate_series(1, :number) n"""


@dataclass
class Systems:
    """The hub's program that delivers and the consumer, each a process that can be killed."""

    district: District
    folder: Path
    port: int = field(default_factory=free_port)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "received.jsonl"

    def start(self, name: str) -> None:
        words = {
            "consumer": [str(ROOT / "tests" / "consumer.py"), str(self.port), str(self.file)],
            "deliverer": ["-m", "onegrid.cli", "webhook", "deliver", "--home", str(self.district.home)],
        }[name]
        kept = {key: value for key, value in os.environ.items() if key not in ENVIRONMENT}
        environ = {**kept, "PYTHONPATH": str(ROOT)}
        self.running[name] = subprocess.Popen([sys.executable, *words], env=environ, cwd=self.folder)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def add(self, *more: str, path: str = "/hook") -> bytes:
        """A subscription to the consumer; its secret."""
        url = f"http://127.0.0.1:{self.port}{path}"
        done = self.district.command("webhook", "add", "--url", url, "--division", "340202", *more)
        assert done.code == 0, done.err
        return b64decode(done.out.strip().removeprefix("whsec_"))

    def publish(self, number: int) -> None:
        with self.district.database() as database, database.session(ACTOR) as connection:
            connection.execute(text(CHANGES), {"run": 1, "number": number})

    def received(self) -> list[dict[str, Any]]:
        if not self.file.exists():
            return []
        lines = self.file.read_text("utf-8").splitlines()
        return [{**found, "events": json.loads(found["body"])} for found in map(json.loads, lines)]

    def ids(self) -> list[int]:
        return [int(event["id"]) for found in self.received() for event in found["events"]]

    def numbers(self, where: str = "true") -> list[int]:
        found = self.district.query(f"SELECT sequence FROM change WHERE {where} ORDER BY 1")
        return [int(n) for n in found["sequence"]]


def wait(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


@pytest.fixture
def systems(district: District, tmp_path: Path) -> Iterator[Systems]:
    made = Systems(district, tmp_path)
    yield made
    for name in list(made.running):
        made.kill(name)


def verified(found: dict[str, Any], secret: bytes) -> bool:
    """As Standard Webhooks says a receiver checks: id, timestamp and body, joined by dots."""
    headers = found["headers"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{found['body']}".encode()
    wanted = "v1," + b64encode(hmac.digest(secret, content, "sha256")).decode()
    return headers["webhook-signature"] == wanted and abs(time.time() - int(headers["webhook-timestamp"])) < 300


@pytest.mark.slow
def test_nothing_is_lost_when_both_sides_are_killed(systems: Systems) -> None:
    secret = systems.add()
    systems.start("consumer")
    systems.start("deliverer")
    for step in range(6):
        seen = len(systems.received())
        systems.publish(700)  # more than one delivery holds
        victim = ("deliverer", "consumer")[step % 2]
        if step < 4:
            wait(lambda seen=seen: len(systems.received()) > seen)  # type: ignore[misc]
        systems.kill(victim)
        systems.publish(20)
        systems.start(victim)
    wait(lambda: set(systems.ids()) == set(systems.numbers()))
    received = systems.received()
    assert all(verified(found, secret) for found in received)
    assert not any(verified(found, secret[:-1] + b"x") for found in received)
    by_number: dict[str, set[str]] = {}
    for found in received:
        by_number.setdefault(found["headers"]["webhook-id"], set()).add(found["body"])
    assert all(len(bodies) == 1 for bodies in by_number.values())
    once = [json.loads(min(bodies)) for bodies in by_number.values()]  # in the order of their first arrival
    assert [int(event["id"]) for events in once for event in events] == systems.numbers()
    wait(lambda: "pending" not in states(systems))


def states(systems: Systems) -> list[str]:
    return systems.district.query("SELECT state FROM webhook_delivery ORDER BY id")["state"].tolist()


@contextmanager
def delivering(systems: Systems, pace: Pace) -> Iterator[list[str]]:
    """The same in this process, at another pace; gives what was said."""
    import threading

    stop, said = threading.Event(), []
    with systems.district.database() as database:
        settings = Settings(systems.district.home)
        hub = Hub(settings, database, Keyring.open(settings.master_key), ACTOR, said.append)
        thread = threading.Thread(target=deliver, args=(hub, pace, stop))
        thread.start()
        try:
            yield said
            assert thread.is_alive()
        finally:
            stop.set()
            thread.join()


def test_what_cannot_be_delivered_is_kept_and_sent_again_when_asked(systems: Systems) -> None:
    systems.add("--type", "person", "--grid", "340202001001")
    systems.start("consumer")
    systems.file.with_suffix(".status").write_text("500")
    systems.publish(4)
    with delivering(systems, Pace(first=0.05, most=0.1, tries=3)) as said:
        wait(lambda: "dead" in states(systems))
        assert len(systems.received()) == 3
        assert len({found["headers"]["webhook-id"] for found in systems.received()}) == 1
        assert "status 500" in said[0]
        assert "127.0.0.1" not in said[0]
        systems.publish(2)  # what comes after the dead one goes on
        systems.file.with_suffix(".status").unlink()
        wait(lambda: states(systems) == ["dead", "delivered"])
        done = systems.district.command("webhook", "replay", "--id", "1")
        assert "1 dead deliveries" in done.err
        wait(lambda: states(systems) == ["delivered", "delivered"])
        people = systems.numbers("type = 'person'")
        assert set(systems.ids()) == set(people)
        assert systems.received()[-1]["headers"]["webhook-id"] == systems.received()[0]["headers"]["webhook-id"]
        before = len(systems.received())
        assert systems.district.command("webhook", "replay", "--id", "1", "--since", "0").code == 0
        wait(lambda: len(systems.received()) > before)
        assert [int(event["id"]) for event in systems.received()[-1]["events"]] == people
        assert systems.district.command("webhook", "remove", "--id", "1").code == 0
        systems.publish(2)
        listed = systems.district.command("webhook", "list").out
        assert "whsec" not in listed
    assert set(systems.ids()) == set(people)
    acts = systems.district.query("SELECT act FROM access_event ORDER BY id")["act"].tolist()
    assert acts == ["webhook added", "webhook replayed", "webhook replayed", "webhook ended"]


def test_a_redirect_is_not_followed_and_one_that_hangs_holds_up_no_other(systems: Systems) -> None:
    systems.add(path="/moved")
    systems.start("consumer")
    systems.file.with_suffix(".status").write_text("307")
    systems.publish(2)
    with delivering(systems, Pace(first=0.05, most=0.1, tries=2)) as said:
        wait(lambda: "dead" in states(systems))
    assert {found["path"] for found in systems.received()} == {"/moved"}
    assert "status 307" in said[0]


def test_pauses_double_and_end() -> None:
    pace = Pace(first=1.0, most=60.0, tries=9)
    pauses = [pace.pause(attempts) for attempts in range(1, 10)]
    whole = [1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses[8] is None
    for pause, most in zip(pauses, whole, strict=False):
        assert pause is not None
        assert most / 2 <= pause.total_seconds() <= most
    assert len({pace.pause(5) for _ in range(5)}) > 1
