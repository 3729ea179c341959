"""The program that sends webhooks: one at a time for a home, each subscription on its own, until it is stopped.

Signed as Standard Webhooks says: `webhook-id` (the same for every attempt: to de-duplicate by), `webhook-timestamp`
(seconds) and `webhook-signature`, `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`. A redirect is a failure.
"""

from __future__ import annotations

import hmac
import random
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import orjson
from sqlalchemy import text

from onegrid.errors import SettingsError
from onegrid.stages import Hub
from registry.changes_out import BATCH
from registry.webhooks import Delivery, check_url, delivered, failed, next_delivery, take_deliveries, waiting

LOOK_S = 1.0  # between two looks for what is new
ANSWER_S = 15.0  # the other side has to take it in, not to work on it
AT_ONCE = 8  # subscriptions served side by side: one that hangs holds up no other
IN_A_ROW = 50  # deliveries of one subscription before another has its turn


@dataclass(frozen=True)
class Pace:
    """How failed deliveries are tried again: after `first` seconds, doubled each time up to `most`, `tries` times.

    The usual: 20 attempts over about 16 hours. Each pause is shortened by up to half, at random.
    """

    first: float = 1.0
    most: float = 7200.0
    tries: int = 20

    def pause(self, attempts: int) -> timedelta | None:
        """How long to wait after that many failed attempts; None for no more."""
        if attempts >= self.tries:
            return None
        whole = min(self.most, self.first * 2.0 ** (attempts - 1))
        return timedelta(seconds=whole * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, hides nothing


def deliver(hub: Hub, pace: Pace | None = None, stop: threading.Event | None = None) -> None:
    """Sends what is due until `stop` is set or a stop signal comes; waits while another program does."""
    ending = stop or threading.Event()
    with (
        _alone(hub, ending) as still,
        httpx.Client(timeout=ANSWER_S, follow_redirects=False, trust_env=False) as client,
        ThreadPoolExecutor(AT_ONCE, "webhook") as pool,
    ):
        sender = Sender(hub, client, pace or Pace())
        busy: dict[int, Future[None]] = {}
        while not ending.is_set():
            still()
            for number, done in list(busy.items()):
                if done.done():
                    busy.pop(number).result()
            with hub.database.session(hub.actor) as connection:
                due = waiting(connection)
            for number in due:
                if number not in busy:
                    busy[number] = pool.submit(sender.serve, number)
            ending.wait(LOOK_S)


@contextmanager
def _alone(hub: Hub, ending: threading.Event) -> Iterator[Callable[[], object]]:
    """Holds the deliveries of the home; what it gives raises when the connection that holds them is lost."""
    with hub.database.session(hub.actor) as connection:
        while not ending.is_set() and not take_deliveries(connection):
            ending.wait(LOOK_S)
        yield lambda: connection.execute(text("SELECT 1"))


class Sender:
    """Sends the deliveries of subscriptions."""

    def __init__(self, hub: Hub, client: httpx.Client, pace: Pace) -> None:
        self.hub, self.client, self.pace = hub, client, pace

    def serve(self, number: int) -> None:
        """Sends what a subscription is due, in order, until there is nothing, or one fails."""
        for _ in range(IN_A_ROW):
            with self.hub.database.session(self.hub.actor) as connection:
                delivery = next_delivery(connection, self.hub.keyring, number)
            if delivery is None or not self._send(number, delivery):
                return

    def _send(self, number: int, delivery: Delivery) -> bool:
        good, said = self._post(delivery)
        with self.hub.database.session(self.hub.actor) as connection:
            if good:
                delivered(connection, delivery, said)
                return True
            pause = self.pace.pause(delivery.attempts + 1)
            failed(connection, delivery, said, pause)
        if pause is None:
            self.hub.tell(f"webhook {number}: delivery {delivery.id} is dead after {self.pace.tries} attempts ({said})")
        return False

    def _post(self, delivery: Delivery) -> tuple[bool, str]:
        """Whether the other side took it, and what it said: a status, or the kind of failure."""
        body = orjson.dumps(delivery.events)
        try:
            check_url(delivery.url, self.hub.settings.webhook_plain_hosts)
            with self.client.stream("POST", delivery.url, content=body, headers=signed(delivery, body)) as answer:
                return answer.is_success, f"status {answer.status_code}"
        except (httpx.HTTPError, httpx.InvalidURL, SettingsError) as error:
            return False, type(error).__name__


def signed(delivery: Delivery, body: bytes, now: float | None = None) -> dict[str, str]:
    """The headers of one attempt."""
    stamp = str(int(time.time() if now is None else now))
    content = f"{delivery.number}.{stamp}.".encode() + body
    return {
        "content-type": BATCH,
        "user-agent": "onegrid",
        "webhook-id": delivery.number,
        "webhook-timestamp": stamp,
        "webhook-signature": "v1," + b64encode(hmac.digest(delivery.secret, content, "sha256")).decode(),
    }
