"""The registry as files for other programs: who belongs to which code, and what each entity is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Connection

from onegrid.database import read_frame
from onegrid.errors import NotFound, SettingsError
from onegrid.sealing import Keyring
from registry.published import SEALED_FOR
from schemas.kinds import KINDS
from schemas.properties import EntityType, entity_types

if TYPE_CHECKING:
    import pyarrow as pa

MEMBER_COLUMNS = ("source", "key", "role", "type", "kind", "code")
_MEMBERS = """
    SELECT r.source, r.key, r.role, m.type, m.kind, m.code FROM membership m JOIN record r ON r.id = m.record
    WHERE m.known_to IS NULL ORDER BY m.record, m.type, m.kind"""
_ENTITIES = """
    SELECT code, kind, division, grid, basis, records, sources FROM entity
    WHERE type = %(type)s AND status = 'active' ORDER BY code"""
_VALUES = """
    SELECT v.code, v.property, v.value, v.sealed FROM entity_value v JOIN entity e ON e.code = v.code
    WHERE e.type = %(type)s AND e.status = 'active' AND v.known_to IS NULL"""


def export_members(connection: Connection, out: Path) -> int:
    """Writes Parquet: MEMBER_COLUMNS, a line for each (source, key, role, type, kind). Returns the number of lines.

    role and kind are empty where there is none. Raises SettingsError when the file cannot be written.
    """
    frame = read_frame(connection, _MEMBERS)
    return _write(frame[list(MEMBER_COLUMNS)], out)


def export_entities(connection: Connection, keyring: Keyring, kind: str, out: Path, masked: bool = True) -> int:
    """Writes Parquet: a line for each code in use of the type `kind`, its golden values, records and sources.

    Returns the number of lines. Sealed properties (sensitivity 3 and more) are masked unless `masked` is False. Raises
    NotFound for an unknown type, SettingsError when the file cannot be written.
    """
    if kind not in entity_types():
        raise NotFound(f"There is no type {kind}: name one of {', '.join(entity_types())}.")
    entities = read_frame(connection, _ENTITIES, {"type": kind}).set_index("code")
    values = opened(read_frame(connection, _VALUES, {"type": kind}), keyring, entity_types()[kind], masked)
    wide = values.pivot_table(index="code", columns="property", values="value", aggfunc="first")
    order = [name for name in _columns(entity_types()[kind], wide) if name in wide.columns]
    named = wide[order].rename(columns={"kind": "kind_value"})
    return _write(entities.join(named).reset_index(), out)


def _columns(entity_type: EntityType, wide: pd.DataFrame) -> list[str]:
    declared = list(entity_type.properties)
    return [*declared, *sorted(set(wide.columns) - set(declared))]


def opened(values: pd.DataFrame, keyring: Keyring, entity_type: EntityType, masked: bool) -> pd.DataFrame:
    """Golden values (`property`, `value`, `sealed`) of one type with the sealed ones opened into `value`, or masked."""
    secret = values["sealed"].notna()
    opened = keyring.unseal_many(values["sealed"], SEALED_FOR)
    if masked:
        for name, lines in values[secret].groupby("property"):
            mask = KINDS[entity_type.properties[str(name)].kind].mask
            opened[lines.index] = opened[lines.index].map(mask)
    return values.assign(value=values["value"].where(~secret, opened))


def _write(frame: pd.DataFrame, out: Path) -> int:
    import pyarrow as pa
    from pyarrow import parquet

    table: pa.Table = pa.Table.from_pandas(frame, preserve_index=False)
    try:
        parquet.write_table(table, out)
    except OSError as error:
        raise SettingsError(f"The file {out} cannot be written ({error.strerror}): name another with --out.") from None
    return len(frame)
