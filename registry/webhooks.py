"""Webhooks: who is told of changes as they are published, what is still to be sent, and what could not be.

A subscription is a place in the change feed. Before anything is sent, the stretch of the feed it holds is written down
as a delivery: whatever is killed, the same delivery goes out again under the same number. One delivery of a subscription
is under way at a time, the oldest first; one that fails for good is kept as dead, and goes out again when asked to.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import Actor
from onegrid.errors import NotFound, SettingsError
from onegrid.frames import read_frame
from onegrid.sealing import Keyring, SealedValue
from registry.changes_out import HUB, PAGE, Page, Wanted, cloud_events, page_of
from schemas.tables import webhook as table

SECRET_PREFIX = "whsec_"  # noqa: S105 - as Standard Webhooks writes secrets
SECRET_BYTES = 32
SEALED_FOR = "webhook.secret"
EVENTS = 500  # of one delivery: some 200 kB
DELIVER_LOCK = 0x6F6E6567_77  # "onegw"
LIST = """
    SELECT w.id, w.name, w.url, w.area, w.filters, w.made_by, w.made_at, w.ended_at, w.position,
        (SELECT count(*) FROM change c WHERE c.sequence > w.position) AS behind,
        d.pending, d.dead, d.delivered, n.attempts, n.said, n.due
    FROM webhook w LEFT JOIN LATERAL (
        SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'dead') AS dead,
            max(done_at) FILTER (WHERE state = 'delivered') AS delivered
        FROM webhook_delivery WHERE webhook = w.id
    ) d ON true LEFT JOIN LATERAL (
        SELECT attempts, said, due FROM webhook_delivery WHERE webhook = w.id AND state = 'pending' ORDER BY id LIMIT 1
    ) n ON true
    WHERE starts_with(w.area, %(area)s) ORDER BY w.id"""
_MINE = "SELECT id FROM webhook WHERE id = :id AND starts_with(area, :area) AND ended_at IS NULL FOR UPDATE"
_DUE = """
    SELECT w.id FROM webhook w LEFT JOIN LATERAL (
        SELECT due FROM webhook_delivery WHERE webhook = w.id AND state = 'pending' ORDER BY id LIMIT 1
    ) d ON true
    WHERE w.ended_at IS NULL
        AND (d.due <= now() OR d.due IS NULL AND w.position < (SELECT coalesce(max(sequence), 0) FROM change))
    ORDER BY w.id"""
_PENDING = """
    SELECT id, after, upto, events, attempts, due <= now() AS due FROM webhook_delivery
    WHERE webhook = :id AND state = 'pending' ORDER BY id LIMIT 1"""
_WRITE_DOWN = """
    INSERT INTO webhook_delivery (webhook, after, upto, events) VALUES (:id, :after, :upto, :events) RETURNING id"""
_DELIVERED = """
    UPDATE webhook_delivery SET state = 'delivered', attempts = attempts + 1, said = :said, done_at = now()
    WHERE id = :id"""
_FAILED = """
    UPDATE webhook_delivery SET state = CASE WHEN :dead THEN 'dead' ELSE 'pending' END, attempts = attempts + 1,
        said = :said, due = now() + :pause, done_at = CASE WHEN :dead THEN now() END
    WHERE id = :id"""
_AGAIN = """
    UPDATE webhook_delivery SET state = 'pending', attempts = 0, due = now(), done_at = NULL
    WHERE webhook = :id AND state = 'dead'"""
_TELL = """
    INSERT INTO access_event (actor, role, department, act, properties)
    VALUES (:actor, :role, :department, :act, CAST(:properties AS jsonb))"""


@dataclass(frozen=True)
class Delivery:
    """One stretch of the feed on its way. number: the same for every attempt; body: a batch of CloudEvents."""

    id: int
    number: str
    attempts: int
    url: str
    secret: bytes
    events: list[dict[str, Any]]


def check_url(url: str, plain_hosts: Collection[str] = ()) -> str:
    """The URL, when deliveries may go there: https, or http to this machine or to one of `plain_hosts`.

    SettingsError says what is wrong without repeating the URL, which may hold a secret.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise SettingsError("The webhook's URL is none: write https://host/path.") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise SettingsError("A webhook's URL begins with https:// and a host.")
    if parts.username is not None or parts.password is not None or parts.fragment or not url.isascii():
        raise SettingsError("A webhook's URL holds no user, password, fragment or character beyond ASCII.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise SettingsError("A webhook's URL holds no blanks or control characters.")
    if parts.scheme == "http" and not _is_loopback(host) and host not in plain_hosts:
        raise SettingsError(
            "A webhook is sent by https; plain http is for this machine and the hosts in ONEGRID_WEBHOOK_PLAIN_HOSTS."
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def add_webhook(
    connection: Connection, keyring: Keyring, actor: Actor, url: str, area: str, wanted: Wanted, name: str = ""
) -> tuple[int, str]:
    """A new subscription, from the next change on: its number and its secret, which is shown once.

    url: as `check_url` let it through. SettingsError when the filter's division lies outside the area.
    """
    if wanted.division is not None and not wanted.division.startswith(area):
        raise SettingsError("The division to follow lies outside the area that this webhook may be told of.")
    secret = secrets.token_bytes(SECRET_BYTES)
    shown = SECRET_PREFIX + b64encode(secret).decode()
    values = {
        "name": name,
        "url": url,
        "secret": SealedValue(keyring.seal(shown, SEALED_FOR)),
        "area": area,
        "filters": wanted.values(),
        "position": connection.execute(text("SELECT coalesce(max(sequence), 0) FROM change")).scalar_one(),
        "made_by": actor.name,
    }
    number = int(connection.execute(table.insert().values(values).returning(table.c.id)).scalar_one())
    _tell(connection, actor, "webhook added", number)
    return number, shown


def list_webhooks(connection: Connection, area: str = "") -> pd.DataFrame:
    """The subscriptions of an area, with how far each is; no secret."""
    return read_frame(connection, LIST, {"area": area})


def end_webhook(connection: Connection, actor: Actor, number: int, area: str = "") -> None:
    """Ends a subscription; what is not delivered yet is never sent. NotFound when there is none in the area."""
    _mine(connection, number, area)
    connection.execute(text("UPDATE webhook SET ended_at = now() WHERE id = :id"), {"id": number})
    _tell(connection, actor, "webhook ended", number)


def replay(connection: Connection, actor: Actor, number: int, area: str = "", since: int | None = None) -> int:
    """Sends dead deliveries again, or all changes after `since`; how many deliveries, or changes, that concerns."""
    _mine(connection, number, area)
    _tell(connection, actor, "webhook replayed", number)
    if since is None:
        return connection.execute(text(_AGAIN), {"id": number}).rowcount
    found = text("UPDATE webhook SET position = least(position, :since) WHERE id = :id")
    connection.execute(found, {"id": number, "since": since})
    counted = text("SELECT count(*) FROM change, webhook w WHERE w.id = :id AND sequence > w.position")
    return int(connection.execute(counted, {"id": number}).scalar_one())


def _mine(connection: Connection, number: int, area: str) -> None:
    if connection.execute(text(_MINE), {"id": number, "area": area}).scalar() is None:
        raise NotFound(f"There is no webhook {number}: `onegrid webhook list` shows those there are.")


def _tell(connection: Connection, actor: Actor, act: str, number: int) -> None:
    who = {"actor": actor.name, "role": actor.role, "department": actor.department}
    connection.execute(text(_TELL), {**who, "act": act, "properties": json.dumps([f"webhook {number}"])})


# ---------------------------------------------------------------- sending


def take_deliveries(connection: Connection) -> bool:
    """Whether this connection is now the one that delivers; it is for as long as it lives."""
    return bool(connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": DELIVER_LOCK}).scalar_one())


def waiting(connection: Connection) -> list[int]:
    """The subscriptions for which something is to be sent now."""
    return [int(number) for number in connection.execute(text(_DUE)).scalars()]


def next_delivery(connection: Connection, keyring: Keyring, number: int) -> Delivery | None:
    """What a subscription is to be sent now: what is pending, else the next stretch of the feed, which is written down.

    None when there is nothing, or not yet. It may be sent once the caller's transaction is committed.
    """
    found = connection.execute(
        table.select().where(table.c.id == number, table.c.ended_at.is_(None)).with_for_update()
    ).one_or_none()
    if found is None:
        return None
    pending = connection.execute(text(_PENDING), {"id": number}).one_or_none()
    if pending is None:
        pending = _write_down(connection, found)
    if pending is None or not pending.due:
        return None
    items = _changes(connection, found, pending.after, pending.events).items
    hub = str(connection.execute(text(HUB)).scalar_one())
    secret = b64decode(keyring.unseal(bytes(found.secret), SEALED_FOR).removeprefix(SECRET_PREFIX))
    return Delivery(pending.id, f"{hub}.{pending.id}", pending.attempts, found.url, secret, cloud_events(items, hub))


def _write_down(connection: Connection, found: Any) -> Any:
    page = _changes(connection, found, found.position, EVENTS)
    values = {"id": found.id, "after": found.position, "upto": page.next, "events": len(page.items)}
    if page.next > found.position:
        connection.execute(text("UPDATE webhook SET position = :upto WHERE id = :id"), values)
    if not page.items:
        return None
    connection.execute(text(_WRITE_DOWN), values)
    return connection.execute(text(_PENDING), {"id": found.id}).one()


def _changes(connection: Connection, found: Any, since: int, limit: int) -> Page:
    asked = {"since": since, "limit": limit, "area": found.area, **found.filters}
    return page_of(map(dict, connection.exec_driver_sql(PAGE, asked).mappings()), since, limit)


def delivered(connection: Connection, delivery: Delivery, said: str) -> None:
    """The other side has it."""
    connection.execute(text(_DELIVERED), {"id": delivery.id, "said": said})


def failed(connection: Connection, delivery: Delivery, said: str, pause: timedelta | None) -> None:
    """It did not get there: again after `pause`, or dead when that is None."""
    values = {"id": delivery.id, "said": said, "dead": pause is None, "pause": pause or timedelta()}
    connection.execute(text(_FAILED), values)
