"""The current records out of the database, as the frames that matching works on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import read_frame
from onegrid.sealing import Keyring
from registry.values import SEALED_FOR, from_text, property_columns
from schemas.properties import EntityType, entity_types
from schemas.records import Feed, Records

UNDECLARED_RANK = 99  # of a source whose file is gone: its records stand, but weigh least
_CURRENT = """
    SELECT id AS rid, source, key, role, "values", sealed FROM record
    WHERE type = %(type)s AND NOT deleted ORDER BY source COLLATE "C", key COLLATE "C", role COLLATE "C" """
_SOURCES = """
    SELECT s.name, s.level, s.division, s.owner, max(l.finished_at) AS loaded FROM source s
    LEFT JOIN load l ON l.source = s.name AND l.state = 'staged' GROUP BY s.name"""
_STAGED = "SELECT source, max(id) AS load FROM load WHERE state = 'staged' GROUP BY source"
_LAST_RUN = "SELECT max(id) FROM run WHERE state = 'published'"
_NEWER = """
    SELECT EXISTS (
        SELECT FROM record JOIN load l ON l.id = record.load JOIN run ON run.id = :run
        WHERE l.id > coalesce((run.loads ->> l.source)::bigint, 0)
    ) OR EXISTS (
        SELECT FROM judgement j JOIN run ON run.id = :run WHERE greatest(j.at, j.undone_at) > run.started_at)"""
_OTHER_MODEL = """
    SELECT EXISTS (SELECT FROM run JOIN model m ON m.current WHERE run.id = :run AND run.model <> m.version)"""
_JUDGED = """
    SELECT a.id AS rid_a, b.id AS rid_b, j.verdict FROM judgement j
    JOIN record a ON (a.source, a.key, a.type, a.role) = (j.source_a, j.key_a, j.type, j.role_a)
    JOIN record b ON (b.source, b.key, b.type, b.role) = (j.source_b, j.key_b, j.type, j.role_b)
    WHERE j.undone_at IS NULL AND j.verdict <> 'unsure' AND NOT a.deleted AND NOT b.deleted ORDER BY j.id"""


def read_records(connection: Connection, keyring: Keyring, feeds: Mapping[str, Feed]) -> Records:
    """Every record that stands, by type, ordered by (source, key, role) whenever they came; sealed values opened.

    feeds: what is known of the declared sources; for a source that is no longer declared the database's own knowledge
    is taken, so that its records keep a division.
    """
    frames = {name: _read_type(connection, keyring, found) for name, found in entity_types().items()}
    filled = {name: frame for name, frame in frames.items() if not frame.empty}
    known = _known_feeds(connection)
    loaded = {name: known[name].loaded if name in known else "" for name in feeds}
    told = {name: feed if feed.loaded else replace(feed, loaded=loaded[name]) for name, feed in feeds.items()}
    return Records(filled, {**known, **told})


def staged_loads(connection: Connection) -> dict[str, int]:
    """The last staged load of each source."""
    return {source: int(load) for source, load in connection.execute(text(_STAGED)).all()}


def staged_since(connection: Connection, run: int) -> bool:
    """Whether a record was added, changed or withdrawn, a judgement made, or another model taken into use since `run`."""
    return any(bool(connection.execute(text(query), {"run": run}).scalar_one()) for query in (_NEWER, _OTHER_MODEL))


def nothing_new(connection: Connection) -> bool:
    """Whether the published state already tells all that is staged."""
    last = connection.execute(text(_LAST_RUN)).scalar_one()
    return last is not None and not staged_since(connection, int(last))


def judgements(connection: Connection, records: Records) -> pd.DataFrame:
    """What people judged of pairs of current records: `rid_a`, `rid_b`, `verdict`; the last word on a pair stands."""
    found = read_frame(connection, _JUDGED)
    known = pd.concat([frame["rid"] for frame in records.frames.values()] or [pd.Series(dtype="int64")])
    found = found[found["rid_a"].isin(known) & found["rid_b"].isin(known)]
    low, high = found[["rid_a", "rid_b"]].min(axis=1), found[["rid_a", "rid_b"]].max(axis=1)
    ordered = found.assign(rid_a=low, rid_b=high)
    return ordered.drop_duplicates(["rid_a", "rid_b"], keep="last", ignore_index=True)


def open_values(raw: pd.DataFrame, keyring: Keyring, entity_type: EntityType) -> pd.DataFrame:
    """The columns `values` and `sealed` of rows of `record` replaced by the values themselves, a column a property."""
    columns = property_columns(entity_type)
    plain = from_text(raw["values"], columns)
    secret = from_text(keyring.unseal_many(raw["sealed"], SEALED_FOR), columns)
    return pd.concat([raw.drop(columns=["values", "sealed"]), plain, secret], axis=1)


def _read_type(connection: Connection, keyring: Keyring, entity_type: EntityType) -> pd.DataFrame:
    raw = read_frame(connection, _CURRENT, {"type": entity_type.name})
    return open_values(raw, keyring, entity_type)


def _known_feeds(connection: Connection) -> dict[str, Feed]:
    rows = connection.execute(text(_SOURCES)).all()
    return {
        row.name: Feed(
            name=row.name,
            level=row.level,
            division=row.division,
            owner=row.owner,
            rank=UNDECLARED_RANK,
            loaded=row.loaded.isoformat() if row.loaded else "",
        )
        for row in rows
    }
