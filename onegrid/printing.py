"""What commands print: a run's summary, tables, and one household drawn whole."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from onegrid.pipeline import Summary
    from onegrid.stages import Hub
    from registry.figures import Saved

_WIDTHS = (("read", 10), ("clean", 10), ("quarantined", 13), ("repeated", 10), ("withheld", 10))

KINDS_OF_CHANGE = ("created", "absorbed", "merged", "split", "moved", "retired", "updated")


def say(text: str) -> None:
    """A line for the person at the keyboard; standard output is kept for results."""
    print(text, file=sys.stderr, flush=True)


def summary_text(summary: Summary) -> str:
    """The summary as people read it: a line a source, then entities, changes and time by stage."""
    lines = [f"{'source':<22}{'read':>10}{'clean':>10}{'quarantined':>13}{'repeated':>10}{'withheld':>10}  state"]
    for name, found in summary.sources.items():
        counts = "".join(f"{found[key]:>{width},}" for key, width in _WIDTHS)
        lines.append(f"{name:<22}{counts}  {found['state']}")
    lines.append("")
    lines.append("entities  " + "  ".join(f"{name} {n:,}" for name, n in summary.entities.items()))
    lines.append("changes   " + "  ".join(f"{name} {n:,}" for name, n in summary.changes.items()))
    spent = {name: tally["seconds"] for name, tally in summary.stages.items()}
    lines.append(
        "seconds   " + "  ".join(f"{name} {s:.1f}" for name, s in spent.items()) + f"  all {sum(spent.values()):.1f}"
    )
    warnings = [f"{name}: {text}" for name, found in summary.sources.items() for text in found.get("warnings", ())]  # type: ignore[attr-defined]
    return "\n".join(lines + [f"warning   {text}" for text in warnings])


def outcome_text(
    by_type: Mapping[str, Mapping[str, int]],
    reasons: Mapping[str, Mapping[str, int]],
    examples: Mapping[str, Sequence[str]],
    alarms: Sequence[str],
) -> str:
    """What a run does to codes: by type and change, why, some codes of each, and what is beyond the bounds."""
    lines = [f"{'type':<14}" + "".join(f"{name:>11}" for name in KINDS_OF_CHANGE)]
    for kind, counts in by_type.items():
        lines.append(f"{kind:<14}" + "".join(f"{counts.get(name, 0):>11,}" for name in KINDS_OF_CHANGE))
    if not by_type:
        lines = ["nothing changes"]
    for change, told in reasons.items():
        why = ", ".join(f"{reason} {number:,}" for reason, number in told.items())
        some = " ".join(code.strip() for code in examples.get(change, ())[:3])
        lines.append(f"{change:<10}{why}; for instance {some}")
    return "\n".join([*lines, *(f"beyond the bounds: {alarm}" for alarm in alarms)])


def print_table(frame: pd.DataFrame, rows: int | None = None) -> None:
    """Print a frame, at most `rows` lines of it; what is left out is said on standard error."""
    shown = frame if rows is None else frame.head(rows)
    print(shown.to_string(index=False, na_rep="") if len(shown) else "nothing to list")
    if len(shown) < len(frame):
        print(f"{len(frame) - len(shown):,} more lines; --rows shows more", file=sys.stderr)


def household_of_note(hub: Hub) -> str:
    """One residential household, drawn whole: the largest of those seen by most feeds."""
    from sqlalchemy import text

    from registry.show import show as draw

    query = (
        "SELECT code FROM entity WHERE type = 'household' AND kind = 'residential' AND status = 'active' "
        "AND records BETWEEN 8 AND 20 ORDER BY sources DESC, records DESC, code LIMIT 1"
    )
    with hub.database.session(hub.actor) as connection:
        code = connection.execute(text(query)).scalar()
        return "" if code is None else draw(connection, hub.keyring, str(code))


def saved_text(saved: Saved) -> str:
    """What grid workers need not collect again."""
    return (
        f"saved     of {saved.visits:,} homes on the grid workers' lists {saved.known_visits:,} were known to another office: "
        f"no visit needed; of {saved.fields:,} fields of their people {saved.known_fields:,}"
    )


def injected_text(requests: int, injected: Mapping[str, int]) -> str:
    """How often the policing server was asked, and what it failed on purpose, by status: each was asked once more."""
    failed = ", ".join(f"{status}: {count}" for status, count in injected.items()) or "none"
    return f"policing was asked {requests:,} times; failures it put in on purpose, and which were tried again: {failed}"
