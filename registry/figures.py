"""Figures of the registry as it stands: entities by type, and what the last good load of each source counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.frames import read_frame

COUNTS = ("read", "clean", "quarantined", "repeated", "deleted", "withheld")
_ENTITIES = "SELECT type, count(*) FROM entity WHERE status = 'active' GROUP BY type ORDER BY type"
_STANDING = """
    SELECT DISTINCT ON (source) source, read, clean, quarantined, repeated, deleted, withheld
    FROM load WHERE state = 'staged' ORDER BY source, id DESC"""
_LAST = """
    SELECT DISTINCT ON (source) source, id AS load, state, warnings, error, stages FROM load ORDER BY source, id DESC"""
OF_AREA = "(starts_with(s.division, %(area)s) OR starts_with(%(area)s, s.division))"  # what an area has a part in
SOURCES = f"""
    SELECT s.name, s.title, s.owner, s.level, s.division, l.id AS load, l.state, l.finished_at, l.current_rows,
        l.quarantined, l.withheld, l.error, good.finished_at AS good_at
    FROM source s
    LEFT JOIN LATERAL (SELECT * FROM load WHERE source = s.name ORDER BY id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT finished_at FROM load WHERE source = s.name AND state IN ('staged', 'unchanged') ORDER BY id DESC LIMIT 1
    ) good ON true
    WHERE {OF_AREA} ORDER BY s.name"""

_VISITS = """
    WITH persons AS (
        SELECT h.code AS home, p.code AS person, bool_or(s.level = 'grid') AS listed, bool_or(s.level <> 'grid') AS known
        FROM membership h
        JOIN membership p ON p.record = h.record AND p.type = 'person' AND p.known_to IS NULL
        JOIN record r ON r.id = h.record JOIN source s ON s.name = r.source
        WHERE h.type = 'household' AND h.kind = 'residential' AND h.known_to IS NULL GROUP BY h.code, p.code
    ), homes AS (
        SELECT bool_or(listed) AS listed, bool_and(known OR NOT listed) AS known FROM persons GROUP BY home
    )
    SELECT count(*) FILTER (WHERE listed) AS listed, count(*) FILTER (WHERE listed AND known) AS known FROM homes"""
_FIELDS = """
    WITH listed AS (
        SELECT m.code FROM membership m JOIN record r ON r.id = m.record JOIN source s ON s.name = r.source
        WHERE m.type = 'person' AND m.known_to IS NULL GROUP BY m.code HAVING bool_or(s.level = 'grid')
    )
    SELECT count(*) AS listed, count(*) FILTER (WHERE s.level <> 'grid' OR v.agree > 1) AS known
    FROM listed JOIN entity_value v ON v.code = listed.code AND v.known_to IS NULL
    JOIN record r ON r.id = v.record JOIN source s ON s.name = r.source"""
_CHANGES = "SELECT counts, stages FROM run WHERE state = 'published' AND id > :run ORDER BY id"


@dataclass(frozen=True)
class Saved:
    """What grid workers list by hand and another office knows already: homes (visits) and fields of their persons.

    visits: homes on the lists of level grid; known_visits: those where every listed person is in a feed of another
    level. fields: golden values of the listed persons; known_fields: those that a feed of another level gives, or that
    more than one record says.
    """

    visits: int
    known_visits: int
    fields: int
    known_fields: int


def entity_counts(connection: Connection) -> dict[str, int]:
    """Active entities by type."""
    return {str(name): int(n) for name, n in connection.execute(text(_ENTITIES)).all()}


def standing_counts(connection: Connection) -> dict[str, dict[str, int]]:
    """The counts of each source's last staged load."""
    rows = connection.execute(text(_STANDING)).mappings().all()
    return {row["source"]: {name: int(row[name]) for name in COUNTS} for row in rows}


def last_loads(connection: Connection) -> dict[str, dict[str, Any]]:
    """Each source's last load: its counts (of the last staged one, where it was not staged itself), `load`, `state`,
    `warnings`, `error`, `stages`.
    """
    standing = standing_counts(connection)
    rows = connection.execute(text(_LAST)).mappings().all()
    return {row["source"]: {**standing.get(row["source"], dict.fromkeys(COUNTS, 0)), **row} for row in rows}


def source_states(connection: Connection) -> pd.DataFrame:
    """A row a declared source: who owns it, its last load and when it was last known good."""
    return read_frame(connection, SOURCES, {"area": ""})


def saved_collection(connection: Connection) -> Saved:
    """How much of what grid workers collect need not be collected again."""
    visits, fields = (connection.execute(text(query)).one() for query in (_VISITS, _FIELDS))
    return Saved(visits.listed, visits.known, fields.listed, fields.known)


def published_since(connection: Connection, run: int) -> list[tuple[dict[str, int], dict[str, dict[str, float]]]]:
    """Counts of changes and costs of stages of each run that published after `run`."""
    return [(row.counts, row.stages) for row in connection.execute(text(_CHANGES), {"run": run})]
