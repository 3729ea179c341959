"""The commands on the past and on reasons. Whoever runs them sits at the hub: what they show is masked, not filtered."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from onegrid.commands import _hub
from onegrid.errors import NotFound, SettingsError

Arguments = argparse.Namespace
RECORD = "SOURCE KEY, and a role if it has one: population r003, or visits 17 landlord"


def timeline(arguments: Arguments) -> int:
    """All that happened to an entity."""
    from registry.drawing import show_timeline

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        print(show_timeline(connection, hub.keyring, arguments.code))
    return 0


def how(arguments: Arguments) -> int:
    """How the records of a person came together."""
    from onegrid.explaining import how as explain
    from registry.drawing import masked, show_how
    from schemas.codes import parse

    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        try:
            code = parse(arguments.code)
        except ValueError as error:
            raise NotFound(str(error)) from None
        if code.type != "person":
            raise NotFound("Joins are kept of persons: `onegrid show` says by what each record of other types came in.")
        print(show_how(masked(explain(connection, hub.keyring, str(code)))))
    return 0


def why(arguments: Arguments) -> int:
    """Why two records are one person, or two; those not named are read from standard input, a line each, so that no
    shell keeps a key that is a number.
    """
    from onegrid.explaining import Name, codes_of
    from onegrid.explaining import why as explain
    from registry.drawing import masked, show_why

    lines = [sys.stdin.readline().split() if words is None else words for words in (arguments.one, arguments.two)]
    one, two = (Name(*(*_named(words), "")[:3]) for words in lines)
    with _hub(arguments) as hub, hub.database.session(hub.actor) as connection:
        told = explain(connection, hub.keyring, one, two, codes_of(connection, one, two))
    print(show_why(masked(told)))
    if arguments.svg and told["pair"]:
        Path(arguments.svg).write_text(told["pair"]["svg"], encoding="utf-8")
    return 0


def day_of(text: str | None) -> date | None:
    """A day as typed; SettingsError for what is none."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SettingsError("--valid-at is a day: 2026-03-01.") from None


def moment_of(text: str | None) -> datetime | None:
    """A moment as typed, local without an offset; a day alone means its end. SettingsError for what is none."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text if len(text) > len("2026-03-05") else f"{text}T23:59:59.999999")
    except ValueError:
        raise SettingsError("--known-at is a moment: 2026-03-05, or 2026-03-05T18:00.") from None
    return moment.astimezone(UTC)


def _named(words: list[str]) -> list[str]:
    if len(words) not in (2, 3):
        raise SettingsError(f"A record is named by {RECORD}.")
    return words
