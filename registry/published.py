"""The published state as frames, and the writing of what differs from it.

A row that no longer holds gets its `known_to`, a new one begins with `known_from`; what is equal is not touched. Codes
are compared as their serials, so that a million rows meet as integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from schemas.codes import SERIAL_AT

Mask = npt.NDArray[np.bool_]
SEALED_FOR = "entity_value.sealed"


def serial_of(column: str) -> str:
    """SQL for the serial in a column of codes."""
    return f"substr({column}, {SERIAL_AT[0]}, {SERIAL_AT[1]})::bigint"


_ENTITIES = f"""
    SELECT {serial_of("code")} AS serial, code, type, kind, status, merged_into, division, grid, basis, records, sources
    FROM entity"""
_DAY = "SELECT CAST(now() AS date)::text"
_MEMBERS = f"""
    SELECT record AS rid, type, kind, {serial_of("code")} AS serial, how, weight FROM membership WHERE known_to IS NULL"""
_PAST = f"""
    SELECT DISTINCT m.record AS rid, m.type, m.kind, {serial_of("m.code")} AS serial
    FROM membership m JOIN entity e ON e.code = m.code WHERE m.known_to IS NOT NULL AND e.status <> 'active'"""
_VALUES = f"""
    SELECT {serial_of("code")} AS serial, property, value, sealed, record, rule, agree, differ
    FROM entity_value WHERE known_to IS NULL"""
_MODEL = "SELECT coalesce(model, '') FROM run WHERE id = :run"
_ROLLED_BACK = """
    SELECT b.id FROM run r LEFT JOIN run b ON b.id = r.about AND b.state = 'rolled_back'
    WHERE r.state = 'published' ORDER BY r.id DESC LIMIT 1"""
_EDGES = "SELECT record_a, record_b, weight, levels FROM edge WHERE model = %(model)s"
_RELATIONS = f"""
    SELECT {serial_of("code")} AS serial, relation, {serial_of("to_code")} AS to_serial, record
    FROM relation WHERE known_to IS NULL"""
_ALIASES = f"""
    SELECT scheme, coalesce(value, blind::text) AS value, blind IS NOT NULL AS blind, {serial_of("code")} AS serial
    FROM alias WHERE known_to IS NULL"""


@dataclass(frozen=True)
class Published:
    """What is published, as the functions of those names read it; edges of the model of the run alone.

    day: today. rolled_back: the run that the last publication rolled back, if it did.
    """

    entities: pd.DataFrame
    members: pd.DataFrame
    past_members: pd.DataFrame
    golden: pd.DataFrame
    relations: pd.DataFrame
    aliases: pd.DataFrame
    edges: pd.DataFrame
    model: str
    day: str
    rolled_back: int | None = None


def read_published(connection: Connection, keyring: Keyring, run: int) -> Published:
    """All that a run compares with."""
    model = str(connection.execute(text(_MODEL), {"run": run}).scalar_one())
    return Published(
        entities=entities(connection),
        members=members(connection),
        past_members=past_members(connection),
        golden=golden(connection, keyring),
        relations=relations(connection),
        aliases=aliases(connection),
        edges=read_frame(connection, _EDGES, {"model": model}),
        model=model,
        day=str(connection.execute(text(_DAY)).scalar_one()),
        rolled_back=connection.execute(text(_ROLLED_BACK)).scalar(),
    )


def entities(connection: Connection) -> pd.DataFrame:
    """Every code ever issued: `serial`, `code` and the columns of `entity`."""
    return read_frame(connection, _ENTITIES)


def members(connection: Connection) -> pd.DataFrame:
    """The present membership: `rid`, `type`, `kind`, `serial`, `how`, `weight`."""
    return read_frame(connection, _MEMBERS)


def past_members(connection: Connection) -> pd.DataFrame:
    """Former memberships in codes that are out of use: `rid`, `type`, `kind`, `serial`."""
    return read_frame(connection, _PAST)


def golden(connection: Connection, keyring: Keyring) -> pd.DataFrame:
    """The present golden values: `serial`, `property`, `value` (opened), `record`, `rule`, `agree`, `differ`."""
    found = read_frame(connection, _VALUES)
    opened = keyring.unseal_many(found["sealed"], SEALED_FOR)
    return found.assign(value=found["value"].where(found["sealed"].isna(), opened)).drop(columns="sealed")


def relations(connection: Connection) -> pd.DataFrame:
    """The present relations: `serial`, `relation`, `to_serial`, `record`."""
    return read_frame(connection, _RELATIONS)


def aliases(connection: Connection) -> pd.DataFrame:
    """The present aliases: `scheme`, `value` (`blind` ones as `\\x...`), `serial`."""
    return read_frame(connection, _ALIASES)


class Difference(NamedTuple):
    """What is to be written: `fresh` rows of the wanted frame, `ended` rows of the current one, both masks."""

    fresh: Mask
    ended: Mask


def difference(wanted: pd.DataFrame, current: pd.DataFrame, content: Sequence[str]) -> Difference:
    """Compares rows that have the same `at` (int64, unique in each frame) by the columns of `content`."""
    place = pd.Index(current["at"]).get_indexer(pd.Index(wanted["at"]))
    known = np.flatnonzero(place >= 0)
    same = np.ones(len(known), dtype=bool)
    for name in content:
        same &= equal(wanted[name].take(known), current[name].take(place[known]))
    fresh = np.ones(len(wanted), dtype=bool)
    fresh[known[same]] = False
    ended = np.ones(len(current), dtype=bool)
    ended[place[known[same]]] = False
    return Difference(fresh, ended)


def equal(one: pd.Series, two: pd.Series) -> Mask:
    """Where two columns of equal length say the same, missing being equal to missing."""
    left, right = one.reset_index(drop=True), two.reset_index(drop=True)
    missing = left.isna().to_numpy(dtype=bool), right.isna().to_numpy(dtype=bool)
    alike = (left == right).fillna(False).to_numpy(dtype=bool)
    return np.where(missing[0] | missing[1], missing[0] & missing[1], alike)


def begin(connection: Connection, table: str, rows: pd.DataFrame, moment: datetime | None) -> None:
    """Adds rows that hold from `moment` on."""
    copy_frame(connection, table, rows if moment is None else rows.assign(known_from=moment))


def end(
    connection: Connection, table: str, keys: pd.DataFrame, moment: datetime | None, until: pd.Series | None = None
) -> None:
    """Ends the present rows of `table` whose columns equal a row of `keys`.

    until: aligned with `keys`, the date up to which the row was true in the world; missing, or not after its beginning:
    it never was.
    """
    if keys.empty:
        return
    over = pd.Series(None, index=keys.index, dtype="str") if until is None else until.set_axis(keys.index)
    load_temporary(connection, "ended", table, keys.assign(valid_to=over))
    same = " AND ".join(f't."{name}" IS NOT DISTINCT FROM e."{name}"' for name in keys.columns)
    joined = " AND ".join(f't."{name}" = e."{name}"' for name in keys.columns if keys[name].notna().all())
    ending = "CASE WHEN t.valid_from IS NULL OR e.valid_to > t.valid_from THEN e.valid_to END"
    statement = f'UPDATE "{table}" t SET known_to = coalesce(CAST(:moment AS timestamptz), now()), valid_to = {ending} FROM ended e WHERE t.known_to IS NULL AND {joined} AND {same}'
    connection.execute(text(statement), {"moment": moment})


def load_temporary(connection: Connection, name: str, like: str, rows: pd.DataFrame) -> None:
    """A temporary table with `rows`, its columns of the types they have in the table `like`."""
    columns = ", ".join(f'"{column}"' for column in rows.columns)
    connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    made = f'CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS SELECT {columns} FROM "{like}" WITH NO DATA'
    connection.execute(text(made))
    copy_frame(connection, name, rows)
    connection.execute(text(f"ANALYZE {name}"))
