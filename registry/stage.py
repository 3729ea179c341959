"""Checked records into the registry: new, changed and gone ones, each with what it said before.

All in the caller's transaction, so that a load is staged whole or not at all; staging it again changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from registry.quarantine import keep_outcomes
from registry.values import SEALED_FOR, split, to_text
from schemas.properties import EntityType
from schemas.records import Checked

NAME = ("key", "type", "role")
HASH_BYTES = 16
_KNOWN = "SELECT EXISTS (SELECT FROM record WHERE source = :source)"
_INCOMING = "CREATE TEMPORARY TABLE incoming (n int, key text, type text, role text, hash text) ON COMMIT DROP"
_RENEWED = 'CREATE TEMPORARY TABLE renewed (id bigint, "values" jsonb, sealed bytea, hash text) ON COMMIT DROP'
_KEYS = "CREATE TEMPORARY TABLE {name} (key text) ON COMMIT DROP"
_DIFFERENT = """
    SELECT i.n, r.id FROM incoming i
    LEFT JOIN record r ON r.source = %(source)s AND r.key = i.key AND r.type = i.type AND r.role = i.role
    WHERE r.id IS NULL OR r.hash <> i.hash OR r.deleted"""
_GONE = """
    CREATE TEMPORARY TABLE gone ON COMMIT DROP AS
    SELECT id FROM record r WHERE source = :source AND NOT deleted AND (
        EXISTS (SELECT FROM withdrawn w WHERE w.key = r.key)
        OR (:snapshot AND NOT EXISTS (SELECT FROM seen s WHERE s.key = r.key))
        OR (EXISTS (SELECT FROM incoming i WHERE i.key = r.key) AND NOT EXISTS (
            SELECT FROM incoming i WHERE i.key = r.key AND i.type = r.type AND i.role = r.role)))"""
_KEEP = """
    INSERT INTO record_version (record, load, "values", sealed, hash, deleted, known_from, known_to)
    SELECT r.id, r.load, r."values", r.sealed, r.hash, r.deleted, r.known_from, now()
    FROM record r JOIN {of} o ON o.id = r.id
    ON CONFLICT DO NOTHING"""
_RENEW = """
    UPDATE record r SET "values" = n."values", sealed = n.sealed, hash = n.hash, load = :load, deleted = false,
        known_from = now()
    FROM renewed n WHERE n.id = r.id"""
_WITHDRAW = "UPDATE record r SET deleted = true, load = :load, known_from = now() FROM gone g WHERE g.id = r.id"
_CURRENT = "SELECT count(DISTINCT key) FROM record WHERE source = :source AND NOT deleted"
_DONE = """
    UPDATE load SET state = 'staged', read = :read, clean = :clean, quarantined = :quarantined, repeated = :repeated,
        deleted = :deleted, withheld = :withheld, current_rows = :current_rows, error = NULL, finished_at = now(),
        warnings = (SELECT coalesce(jsonb_agg(said), '[]') FROM (
            SELECT jsonb_array_elements(warnings) AS said
            UNION SELECT to_jsonb(unnest(CAST(:warnings AS text[])))) AS warning)
    WHERE id = :load"""


@dataclass(frozen=True)
class StageReport:
    """What a load did to the records of its source; current_rows: rows of the source that stand after it; warnings:
    sentences for the data officer.
    """

    added: int
    changed: int
    unchanged: int
    deleted: int
    current_rows: int
    warnings: tuple[str, ...] = ()


def stage(checked: Checked, connection: Connection, keyring: Keyring, types: Mapping[str, EntityType]) -> StageReport:
    """Stores what checking made of a load, and what it says is gone; marks the load as staged.

    A record is new, changed (its old version is kept), or untouched. In a snapshot the records whose key was not seen
    are deleted; so are keys that say so themselves, and what a row that still comes no longer yields. A key that is
    clean again stands again under its old number.
    """
    incoming = _incoming(checked, keyring, types)
    if connection.execute(text(_KNOWN), {"source": checked.source}).scalar_one():
        added, changed, deleted = _update(connection, checked, incoming, keyring)
    else:
        added, changed, deleted = _add(connection, checked, incoming, keyring), 0, 0
    warnings = keep_outcomes(connection, checked, keyring)
    current = int(connection.execute(text(_CURRENT), {"source": checked.source}).scalar_one())
    _finish(connection, checked, current, warnings)
    return StageReport(added, changed, len(incoming) - added - changed, deleted, current, warnings)


def _incoming(checked: Checked, keyring: Keyring, types: Mapping[str, EntityType]) -> pd.DataFrame:
    """All records of the load: `key`, `type`, `role`, `plain` and `secret` (JSON), `hash`; index 0..n-1."""
    frames = [_written(frame, types[name]) for name, frame in checked.records.items() if not frame.empty]
    if not frames:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in (*NAME, "plain", "secret", "hash")})
    incoming = pd.concat(frames, ignore_index=True)
    return incoming.assign(hash=_hashes(incoming, keyring.blind("content", "record")))


def _written(frame: pd.DataFrame, entity_type: EntityType) -> pd.DataFrame:
    plain, secret = split(frame.columns, entity_type)
    return pd.DataFrame(
        {
            "key": frame["key"].astype("str"),
            "type": pd.Series(entity_type.name, index=frame.index, dtype="str"),
            "role": frame["role"].astype("str").fillna(""),
            "plain": to_text(frame, plain).fillna("{}"),
            "secret": to_text(frame, secret),
        }
    )


def _hashes(incoming: pd.DataFrame, key: bytes) -> pd.Series:
    """A keyed digest of each record's name and values: equal hashes tell nothing to those without the key."""
    columns = [incoming[name].fillna("").tolist() for name in (*NAME, "plain", "secret")]
    lines = map("\x1f".join, zip(*columns, strict=True))
    digests = [hashlib.blake2b(line.encode(), key=key, digest_size=HASH_BYTES).hexdigest() for line in lines]
    return pd.Series(digests, index=incoming.index, dtype="str")


def _add(connection: Connection, checked: Checked, fresh: pd.DataFrame, keyring: Keyring) -> int:
    rows = fresh[[*NAME, "plain", "hash"]].rename(columns={"plain": "values"})
    sealed = keyring.seal_many(fresh["secret"], SEALED_FOR)
    return copy_frame(connection, "record", rows.assign(source=checked.source, load=checked.load, sealed=sealed))


def _update(connection: Connection, checked: Checked, incoming: pd.DataFrame, keyring: Keyring) -> tuple[int, int, int]:
    """Compares with what the source said before; the numbers of records added, changed and deleted."""
    _temporary(connection, "incoming", _INCOMING, incoming[[*NAME, "hash"]].assign(n=incoming.index))
    different = read_frame(connection, _DIFFERENT, {"source": checked.source})
    known = different["id"].notna()
    added = _add(connection, checked, incoming.loc[different.loc[~known, "n"].to_numpy()], keyring)
    renewed = incoming.loc[different.loc[known, "n"].to_numpy()].assign(id=different.loc[known, "id"].to_numpy())
    _renew(connection, checked, renewed, keyring)
    return added, len(renewed), _withdraw(connection, checked)


def _renew(connection: Connection, checked: Checked, renewed: pd.DataFrame, keyring: Keyring) -> None:
    if renewed.empty:
        return
    rows = renewed[["id", "plain", "hash"]].rename(columns={"plain": "values"})
    _temporary(connection, "renewed", _RENEWED, rows.assign(sealed=keyring.seal_many(renewed["secret"], SEALED_FOR)))
    connection.execute(text(_KEEP.format(of="renewed")))
    connection.execute(text(_RENEW), {"load": checked.load})


def _withdraw(connection: Connection, checked: Checked) -> int:
    """Marks as deleted what is gone; needs the temporary table `incoming` of `_update`."""
    snapshot = checked.mode == "snapshot"
    _temporary(connection, "withdrawn", _KEYS.format(name="withdrawn"), _keys(checked.deleted))
    _temporary(connection, "seen", _KEYS.format(name="seen"), _keys(checked.seen) if snapshot else _keys(None))
    gone = connection.execute(text(_GONE), {"source": checked.source, "snapshot": snapshot}).rowcount
    if gone:
        connection.execute(text(_KEEP.format(of="gone")))
        connection.execute(text(_WITHDRAW), {"load": checked.load})
    connection.execute(text("DROP TABLE gone"))
    return gone


def _keys(keys: pd.Series | None) -> pd.DataFrame:
    known = pd.Series(dtype="str") if keys is None else keys.dropna().astype("str")
    return pd.DataFrame({"key": known.drop_duplicates()})


def _temporary(connection: Connection, name: str, statement: str, frame: pd.DataFrame) -> None:
    """A temporary table of this transaction with the rows of `frame`, known to the planner."""
    connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    connection.execute(text(statement))
    copy_frame(connection, name, frame)
    connection.execute(text(f"ANALYZE {name}"))


def _finish(connection: Connection, checked: Checked, current: int, warnings: tuple[str, ...]) -> None:
    values = {**asdict(checked.counts), "load": checked.load, "current_rows": current}
    connection.execute(text(_DONE), {**values, "warnings": [*checked.warnings, *warnings]})
