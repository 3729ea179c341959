"""Packages: what changed in an area since its receiver got the last one, as the receiver may see it.

How far each receiver is told is kept with the area, in the transaction that also writes an access event for every
entity disclosed. A code that left the area, was merged or retired is told once, without values.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import Actor, copy_frame, read_frame
from onegrid.errors import SettingsError
from onegrid.sealing import Keyring
from registry.access import DISTRICT_DIGITS, ENTITIES, RIGHTS
from registry.export import opened
from registry.views import IN_TEXT, without_numbers
from schemas.properties import EntityType, entity_types

META = ("code", "entity_kind", "entity_status", "gone", "successor", "changes", "sequence", "division", "grid")
PACKAGE_LOCK = 0x6F6E6567_64  # "onegd"
SEQUENCE_DIGITS = 19
CHANGED = "updated_at"
_LAST = """
    SELECT coalesce(max(upto), 0) FROM package
    WHERE receiver = :receiver AND area = :area AND grid IS NOT DISTINCT FROM :grid"""
_INSIDE = f"""
    (starts_with({{e}}.division, %(area)s) OR {{e}}.division IS NULL AND {{e}}.code IS NOT NULL
        AND length(%(area)s) <= {DISTRICT_DIGITS}) AND (%(grid)s::text IS NULL OR {{e}}.grid = %(grid)s)"""
_LINES = f"""
    WITH told AS (
        SELECT code, max(sequence) AS sequence, string_agg(DISTINCT change, ' ' ORDER BY change) AS changes
        FROM change WHERE sequence > %(after)s AND sequence <= %(upto)s GROUP BY code
    ), placed AS (
        SELECT e.code, e.type, e.kind AS entity_kind, e.status, e.merged_into AS successor, e.division, e.grid,
            t.changes, lpad(t.sequence::text, {SEQUENCE_DIGITS}, '0') AS sequence,
            coalesce({_INSIDE.format(e="e")}, false) AS inside, coalesce({_INSIDE.format(e="b")}, false) AS before
        FROM told t JOIN entity e ON e.code = t.code LEFT JOIN LATERAL (
            SELECT c.code, c.division, c.grid FROM change c
            WHERE c.code = t.code AND c.sequence <= %(after)s ORDER BY c.sequence DESC LIMIT 1
        ) b ON true
    )
    SELECT code, type, entity_kind, CASE WHEN inside THEN status ELSE 'left' END AS entity_status,
        CASE WHEN inside THEN successor END AS successor, CASE WHEN inside THEN division END AS division,
        CASE WHEN inside THEN grid END AS grid, changes, sequence
    FROM placed WHERE (inside OR before) AND (%(after)s > 0 OR status = 'active') ORDER BY type, code"""
_VALUES = """
    SELECT v.code, v.property, v.value, v.sealed, coalesce(r.source = ANY(%(without)s), false) AS theirs,
        to_char(r.known_from, 'YYYY-MM-DD"T"HH24:MI:SS') AS known
    FROM unnest(%(codes)s::text[]) AS asked(code)
    JOIN entity_value v ON v.code = asked.code AND v.known_to IS NULL LEFT JOIN record r ON r.id = v.record"""
_KEEP = """
    INSERT INTO package (receiver, area, grid, after, upto, lines, digest)
    VALUES (:receiver, :area, :grid, :after, :upto, :lines, :digest)"""


@dataclass(frozen=True)
class Order:
    """Who gets what. area: what the division codes begin with; numbers: id and phone numbers unmasked; without: sources
    whose values are left out, as the receiver sent them itself; full: everything that stands, not what changed alone.
    """

    receiver: str
    area: str
    grid: str | None = None
    role: str = "department"
    numbers: bool = False
    without: tuple[str, ...] = ()
    full: bool = False


@dataclass(frozen=True)
class Package:
    """What is handed over: a frame a type, META and then the type's properties; after, upto: the changes it holds."""

    order: Order
    after: int
    upto: int
    frames: Mapping[str, pd.DataFrame]

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Lines by type and status."""
        found = {name: frame["entity_status"].value_counts() for name, frame in self.frames.items()}
        return {name: {str(status): int(n) for status, n in counts.items()} for name, counts in found.items()}


def make_package(connection: Connection, keyring: Keyring, actor: Actor, order: Order) -> Package:
    """What an order's receiver is to be told now; an access event says so of each entity whose values are in it.

    `keep_package` in the same transaction moves the receiver's position. SettingsError for a role that sees no entities.
    """
    if ENTITIES not in RIGHTS.get(order.role, frozenset()):
        raise SettingsError(f"The role {order.role} has no right to see entities: a package for it would be empty.")
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PACKAGE_LOCK})
    place = {"receiver": order.receiver, "area": order.area, "grid": order.grid}
    after = 0 if order.full else int(connection.execute(text(_LAST), place).scalar_one())
    upto = int(connection.execute(text("SELECT coalesce(max(sequence), 0) FROM change")).scalar_one())
    lines = read_frame(connection, _LINES, {**place, "after": after, "upto": upto})
    lines["gone"] = (lines["entity_status"] != "active").map({True: "yes", False: "no"})
    standing = lines.loc[lines["entity_status"] == "active", "code"].tolist()
    values = read_frame(connection, _VALUES, {"codes": standing, "without": list(order.without)})
    types = values["code"].map(lines.set_index("code")["type"])
    frames = {}
    for name, kind in entity_types().items():
        own = lines[lines["type"] == name]
        if len(own):
            frames[name] = _frame(own, values[(types == name).to_numpy(bool)], kind, keyring, order)
    _tell(connection, actor, order, frames)
    return Package(order, after, upto, {name: frame for name, frame in frames.items() if len(frame)})


def keep_package(connection: Connection, package: Package, digest: str) -> None:
    """Remembers what the receiver now has. digest: of the package's manifest."""
    order = package.order
    values = {"receiver": order.receiver, "area": order.area, "grid": order.grid, "digest": digest}
    lines = sum(map(len, package.frames.values()))
    connection.execute(text(_KEEP), {**values, "after": package.after, "upto": package.upto, "lines": lines})


def _frame(lines: pd.DataFrame, values: pd.DataFrame, kind: EntityType, keyring: Keyring, order: Order) -> pd.DataFrame:
    """The lines with a column a property. What the receiver sent itself stays out, but for what names the thing."""
    names = [name for name in kind.properties if name != "registry_code"]
    values = values[values["property"].isin(names)]
    own = values.loc[~values["theirs"].to_numpy(bool), "code"]
    values = values[~values["theirs"].to_numpy(bool) | values["property"].isin(kind.require_any).to_numpy(bool)]
    if order.without:
        lines = lines[(lines["gone"] == "yes").to_numpy(bool) | lines["code"].isin(own).to_numpy(bool)]
        values = values[values["code"].isin(lines["code"])]
    shown = _shown(values, kind, keyring, order.numbers)
    wide = shown.pivot(index="code", columns="property", values="value").reindex(columns=names).astype("str")
    if CHANGED in names:  # a value without a day would be taken to be as new as the package
        known = values[~values["theirs"].to_numpy(bool)].groupby("code")["known"].max()
        wide[CHANGED] = wide[CHANGED].fillna(known.reindex(wide.index).astype("str"))
    return lines[list(META)].join(wide, on="code").reset_index(drop=True)


def _shown(values: pd.DataFrame, kind: EntityType, keyring: Keyring, numbers: bool) -> pd.DataFrame:
    """The values opened, and without `numbers` masked; free text may hold a number."""
    found = opened(values, keyring, kind, not numbers)[["code", "property", "value"]]
    if numbers:
        return found
    free = [name for name, prop in kind.properties.items() if prop.kind == "text"]
    texts = found["property"].isin(free).to_numpy(bool) & found["value"].notna().to_numpy(bool)
    written = found.loc[texts, "value"]
    masked = written.map({value: without_numbers(value, IN_TEXT) for value in written.unique().tolist()})
    return found.assign(value=found["value"].mask(pd.Series(texts, index=found.index), masked))


def _tell(connection: Connection, actor: Actor, order: Order, frames: Mapping[str, pd.DataFrame]) -> None:
    """An access event for each entity, with the properties that are shown unmasked."""
    for name, frame in frames.items():
        known = entity_types()[name].properties
        names = [column for column in known if column in frame.columns and (order.numbers or not known[column].sealed)]
        standing = frame[(frame["gone"] == "no").to_numpy(bool)]
        flags = standing[names].notna().to_numpy(bool) @ (1 << np.arange(len(names), dtype=np.int64))
        lists = {
            int(found): json.dumps([n for place, n in enumerate(names) if found >> place & 1]) for found in set(flags)
        }
        properties = pd.Series(flags, index=standing.index).map(lists)
        events = pd.DataFrame({"code": standing["code"], "properties": properties.astype("str")})
        who = {"actor": actor.name, "role": order.role, "department": order.receiver, "act": "package"}
        copy_frame(connection, "access_event", events.assign(**who))
