"""Commands for what leaves the registry: correction tickets, webhooks, packages."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from onegrid.errors import SettingsError
from onegrid.printing import print_table, say
from onegrid.settings import read_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from onegrid.stages import Hub

Arguments = argparse.Namespace
LISTED = ["ticket", "department", "source", "key", "row", "property", "opened", "due", "overdue", "state"]


def tickets(arguments: Arguments) -> int:
    """List or export what departments are to correct, and by when."""
    from quality.corrections import write_sheets
    from registry.tickets import list_tickets, sheet

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        found = list_tickets(connection, arguments.state, arguments.department, arguments.source)
    if arguments.what == "list":
        print_table(found[LISTED], arguments.rows)
        return 0
    out = arguments.out or Path("tickets.xlsx")
    write_sheets(out, {"工单 tickets": sheet(found)})
    say(f"{len(found):,} tickets in {out}; its keys may name persons: keep it as you keep the feed.")
    return 0


def webhook(arguments: Arguments) -> int:
    """Add, list, remove or replay subscriptions, or send what is due; a new one's secret is printed once."""
    from onegrid.delivering import deliver
    from registry.webhooks import end_webhook, list_webhooks, replay

    with _hub(arguments) as hub:
        if arguments.what == "deliver":
            deliver(hub)
            return 0
        with hub.database.session(hub.actor) as connection:
            if arguments.what == "list":
                print_table(list_webhooks(connection))
            elif arguments.what == "add":
                _add_webhook(hub, connection, arguments)
            elif arguments.id is None:
                raise SettingsError(f"webhook {arguments.what} needs --id: `onegrid webhook list` shows the numbers.")
            elif arguments.what == "remove":
                end_webhook(connection, hub.actor, arguments.id)
                say(f"Webhook {arguments.id} has ended.")
            else:
                number = replay(connection, hub.actor, arguments.id, since=arguments.since)
                what = "dead deliveries" if arguments.since is None else f"changes after {arguments.since}"
                say(f"{number:,} {what} are sent again.")
    return 0


def _add_webhook(hub: Hub, connection: Connection, arguments: Arguments) -> None:
    from registry.access import area_of
    from registry.changes_out import Wanted
    from registry.webhooks import add_webhook, check_url
    from schemas.sources import DIVISION

    if arguments.url is None or arguments.division is None:
        raise SettingsError("webhook add needs --url and --division.")
    if not DIVISION.fullmatch(arguments.division):
        raise SettingsError("--division must be a division code of 6, 9 or 12 digits.")
    wanted = Wanted(arguments.type, arguments.change, None, arguments.grid)
    url = check_url(arguments.url, hub.settings.webhook_plain_hosts)
    area = area_of(arguments.division)
    number, secret = add_webhook(connection, hub.keyring, hub.actor, url, area, wanted, arguments.name)
    say(f"Webhook {number}. Its secret is shown this once: hand it over safely.")
    print(secret)


def package(arguments: Arguments) -> int:
    """Write what changed in an area since its receiver got the last package."""
    from onegrid.packaging import hand_over
    from registry.access import area_of
    from registry.packages import Order
    from schemas.sources import DIVISION

    if not DIVISION.fullmatch(arguments.division):
        raise SettingsError("--division must be a division code of 6, 9 or 12 digits.")
    order = Order(
        receiver=arguments.receiver,
        area=area_of(arguments.division),
        grid=arguments.grid,
        role=arguments.role,
        numbers=arguments.numbers,
        without=tuple(arguments.without or ()),
        full=arguments.full,
    )
    with _hub(arguments) as hub:
        made, manifest = hand_over(hub, order, arguments.format, arguments.out)
    lines = sum(map(len, made.frames.values()))
    say(
        f"{lines:,} entities, changes {made.after} to {made.upto}; {manifest} lists the files. They hold personal values."
    )
    return 0


def hub(arguments: Arguments) -> int:
    """Which hub this is, or number it before its first run."""
    from registry.hubs import hub as this_hub
    from registry.hubs import set_number

    with _hub(arguments) as opened, opened.database.session(opened.actor) as connection:
        if arguments.number is not None:
            set_number(connection, arguments.number)
        identity, number = this_hub(connection)
    print(f"hub {identity}  number {number}")
    return 0


def _hub(arguments: Arguments) -> AbstractContextManager[Hub]:
    from onegrid import pipeline
    from onegrid.database import Actor

    return pipeline.open_hub(read_settings(arguments.home), Actor(f"onegrid {arguments.command}"), say)
