"""The change feed as others read it: ordered, without gaps, filtered, and as CloudEvents 1.0.

Publishing transactions come one after the other (`registry.runs.publish_in_turn`), and each takes its numbers within
itself: whoever sees a change sees all before it, so that a reader who goes on from the last number misses none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from registry.access import DISTRICT_DIGITS

CHANGE_KINDS = ("created", "absorbed", "merged", "split", "moved", "retired", "updated")
WINDOW = 50_000  # numbers one page looks through: what it costs does not grow with how little a filter lets pass
BATCH = "application/cloudevents-batch+json"

PAGE = f"""
    WITH top AS (SELECT coalesce(max(sequence), 0) AS top FROM change)
    SELECT top.top, e.* FROM top LEFT JOIN LATERAL (
        SELECT c.sequence, c.run, c.code, c.type, c.change, c.diff, c.division, c.grid, c.at FROM change c
        WHERE c.sequence > %(since)s AND c.sequence <= least(%(since)s + {WINDOW}, top.top)
            AND (starts_with(c.division, %(area)s) OR c.division IS NULL AND length(%(area)s) <= {DISTRICT_DIGITS})
            AND (%(types)s::text[] IS NULL OR c.type = ANY(%(types)s))
            AND (%(changes)s::text[] IS NULL OR c.change = ANY(%(changes)s))
            AND (%(division)s::text IS NULL OR starts_with(c.division, %(division)s))
            AND (%(grid)s::text IS NULL OR c.grid = %(grid)s)
        ORDER BY c.sequence LIMIT %(limit)s
    ) e ON true ORDER BY e.sequence"""
HUB = "SELECT id FROM hub"


@dataclass(frozen=True)
class Wanted:
    """Which changes somebody follows; None for all. division: what the codes of the divisions begin with."""

    types: Sequence[str] | None = None
    changes: Sequence[str] | None = None
    division: str | None = None
    grid: str | None = None

    def values(self) -> dict[str, Any]:
        """As parameters of `PAGE`."""
        return asdict(self)


@dataclass(frozen=True)
class Page:
    """Changes in order; next: where to go on from; more: whether there is anything to look through after it."""

    items: list[dict[str, Any]]
    next: int
    more: bool


def page_of(rows: Iterable[Mapping[str, Any]], since: int, limit: int) -> Page:
    """The page in the rows of `PAGE`, asked with `since` and `limit`."""
    lines = [dict(row) for row in rows]
    top = lines[0]["top"]
    items = [{name: line[name] for name in line if name != "top"} for line in lines if line["sequence"] is not None]
    end = items[-1]["sequence"] if len(items) == limit else max(since, min(since + WINDOW, top))
    return Page(items, end, end < top)


def cloud_events(items: Iterable[Mapping[str, Any]], hub: str) -> list[dict[str, Any]]:
    """Changes as CloudEvents 1.0. `source` and `id` together name an event for ever; `subject` is the code."""
    return [
        {
            "specversion": "1.0",
            "id": str(item["sequence"]),
            "source": f"urn:uuid:{hub}",
            "type": f"onegrid.{item['type']}.{item['change']}",
            "subject": item["code"],
            "time": item["at"],
            "datacontenttype": "application/json",
            "sequence": f"{item['sequence']:019d}",  # the extension of that name: its order is that of the text
            "data": {name: item[name] for name in ("run", "diff", "division", "grid")},
        }
        for item in items
    ]
