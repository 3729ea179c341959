"""What the commands about runs do: list them, publish one that is held, take one back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onegrid.errors import SettingsError
from onegrid.printing import outcome_text, print_table, say

if TYPE_CHECKING:
    from onegrid.stages import Hub
    from registry.changes import Outcome

Arguments = argparse.Namespace


def runs(hub: Hub, arguments: Arguments) -> int:
    """List the newest runs, or tell of one what it did or would have done."""
    from registry.runs import find_run, list_runs

    with hub.database.session(hub.actor) as connection:
        if arguments.run is not None:
            print(_run_text(find_run(connection, arguments.run).plan))
            return 0
        found = list_runs(connection, arguments.rows)
    found["counts"] = [_counts_text(json.loads(text)) for text in found["counts"]]
    print_table(found.rename(columns={"counts": "changes", "started_at": "started", "published_at": "published"}))
    return 0


def _counts_text(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items() if number and name != "untouched")


def _run_text(plan: Mapping[str, Any]) -> str:
    return outcome_text(
        plan.get("by_type", {}), plan.get("reasons", {}), plan.get("examples", {}), plan.get("alarms", ())
    )


def publish(hub: Hub, arguments: Arguments) -> int:
    """Publish a run that is held, once a person has looked at it."""
    from onegrid.pipeline import publish_held

    if not arguments.accept:
        raise SettingsError(
            f"publish {arguments.run} needs --accept: look first with `onegrid runs --run {arguments.run}`."
        )
    _say(publish_held(hub, arguments.run))
    return 0


def rollback(hub: Hub, arguments: Arguments) -> int:
    """Bring back what was published before a run."""
    from onegrid.pipeline import roll_back

    _say(roll_back(hub, arguments.run))
    say("Records stay as staged: the next run with something new is held until you have looked at it.")
    return 0


def _say(outcome: Outcome) -> None:
    print(outcome_text(outcome.by_type, outcome.reasons, outcome.examples, outcome.alarms))
