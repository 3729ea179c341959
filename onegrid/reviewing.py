"""What the commands about review do: list tasks, answer them, and say how the model does on what people judged."""

from __future__ import annotations

import argparse
import getpass
from typing import TYPE_CHECKING

from onegrid.errors import SettingsError
from onegrid.printing import print_table, say

if TYPE_CHECKING:
    from onegrid.stages import Hub

Arguments = argparse.Namespace
_TASKS = """
    SELECT id AS task, type, kind, code, jsonb_array_length(parts) - 1 AS candidates, round(weight::numeric, 1)::float8 AS weight,
        reason, division, owner, eyes, state FROM review_task WHERE state = %(state)s ORDER BY weight DESC, id LIMIT %(rows)s"""


def review(hub: Hub, arguments: Arguments) -> int:
    """List tasks, answer one, or take an answer back."""
    from onegrid.frames import read_frame
    from registry import judging

    with hub.database.session(hub.actor) as connection:
        if arguments.what == "list":
            print_table(read_frame(connection, _TASKS, {"state": arguments.state, "rows": arguments.rows}))
            return 0
        if arguments.task is None:
            raise SettingsError(f"review {arguments.what} needs --task: `onegrid review list` shows the numbers.")
        by = getpass.getuser()
        if arguments.what == "undo":
            state = judging.undo(connection, arguments.task, by)
        else:
            state = judging.answer(connection, arguments.task, by, arguments.verdict, arguments.reason or "")
    say(f"Task {arguments.task} is {state}; the next run goes by it.")
    return 0


def evaluate(hub: Hub, _: Arguments) -> int:
    """Print the model's precision and recall on judged pairs, and how far those who judge agree."""
    from matching.people import JOIN
    from registry.judging import evaluate as evaluated

    with hub.database.session(hub.actor) as connection:
        found = evaluated(connection, JOIN)
    print(f"judged pairs  {found.pairs:,}")
    for name, share in (("precision", found.precision), ("recall", found.recall)):
        print(f"{name:<14}{'nothing tells' if share is None else f'{share:.4f}'}")
    told = (
        "no task has two answers"
        if found.agreement is None
        else f"{found.agreement:.4f} of {found.answers:,} pairs of answers"
    )
    print(f"agreement     {told}")
    return 0
