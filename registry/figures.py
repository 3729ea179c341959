"""Figures of the registry as it stands: entities by type, and what the last good load of each source counted."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.frames import read_frame

COUNTS = ("read", "clean", "quarantined", "repeated", "deleted", "withheld")
_ENTITIES = "SELECT type, count(*) FROM entity WHERE status = 'active' GROUP BY type ORDER BY type"
_STANDING = """
    SELECT DISTINCT ON (source) source, read, clean, quarantined, repeated, deleted, withheld
    FROM load WHERE state = 'staged' ORDER BY source, id DESC"""
_SOURCES = """
    SELECT s.name, s.title, s.owner, s.level, s.division, l.id AS load, l.state, l.finished_at, l.current_rows,
        l.quarantined, l.withheld, l.error, good.finished_at AS good_at
    FROM source s
    LEFT JOIN LATERAL (SELECT * FROM load WHERE source = s.name ORDER BY id DESC LIMIT 1) l ON true
    LEFT JOIN LATERAL (
        SELECT finished_at FROM load WHERE source = s.name AND state IN ('staged', 'unchanged') ORDER BY id DESC LIMIT 1
    ) good ON true
    ORDER BY s.name"""


def entity_counts(connection: Connection) -> dict[str, int]:
    """Active entities by type."""
    return {str(name): int(n) for name, n in connection.execute(text(_ENTITIES)).all()}


def standing_counts(connection: Connection) -> dict[str, dict[str, int]]:
    """The counts of each source's last staged load."""
    rows = connection.execute(text(_STANDING)).mappings().all()
    return {row["source"]: {name: int(row[name]) for name in COUNTS} for row in rows}


def source_states(connection: Connection) -> pd.DataFrame:
    """A row a declared source: who owns it, its last load and when it was last known good."""
    return read_frame(connection, _SOURCES)
