"""Back to the published state before a run, code by code, as a run of its own: nothing that was published is forgotten.

What the run and those after it began is ended, what they ended begins again, from now on; the changes say so to all who
follow the registry. Records stay as they are staged: the next run that has something new would publish much of it again, and is
therefore held until a person has looked.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame
from onegrid.errors import NotFound
from onegrid.frames import read_frame
from onegrid.sealing import Keyring
from registry.changes import Movement, Outcome, changes_of, count, outcome, written
from registry.published import SEALED_FOR, load_temporary, serial_of
from registry.runs import Run, find_run, publish_in_turn
from registry.search_keys import keys_of

TABLES = {  # what two clocks hold, with the columns that say what a row says
    "membership": ("record", "type", "kind", "code", "how", "weight", "run"),
    "entity_value": (
        "code", "property", "value", "sealed", "sensitivity", "record", "rule", "agree", "differ",
    ),
    "relation": ("code", "relation", "to_code", "record", "run"),
    "alias": ("scheme", "version", "value", "blind", "code"),
}  # fmt: skip
_BEGUN = "known_to IS NULL AND known_from >= %(moment)s"
_ENDED = "known_from < %(moment)s AND known_to >= %(moment)s"
_MOVED = f"""
    SELECT b.code, e.code AS code_then
    FROM (SELECT record, type, kind, code FROM membership WHERE {_BEGUN}) b
    FULL JOIN (SELECT record, type, kind, code FROM membership WHERE {_ENDED}) e USING (record, type, kind)
    WHERE b.code IS DISTINCT FROM e.code"""
_END = "UPDATE {table} SET known_to = now() WHERE known_to IS NULL AND known_from >= :moment"
_AGAIN = """
    INSERT INTO {table} ({columns}, valid_from, valid_to) SELECT {columns}, valid_from, valid_to FROM {table}
    WHERE known_from < :moment AND known_to >= :moment"""
_ENTITIES = """
    SELECT e.code, e.type, e.status, e.division, e.grid, e.created_run >= %(target)s AS new, v.status AS status_then,
        v.merged_into AS merged_then
    FROM entity e LEFT JOIN LATERAL (
        SELECT * FROM entity_version v WHERE v.code = e.code AND v.until_run >= %(target)s ORDER BY until_run LIMIT 1
    ) v ON true
    WHERE v.code IS NOT NULL OR e.created_run >= %(target)s"""
_KEEP = """
    INSERT INTO entity_version (code, status, merged_into, division, grid, basis, records, sources, changed_run, until_run)
    SELECT e.code, e.status, e.merged_into, e.division, e.grid, e.basis, e.records, e.sources, e.changed_run, :run
    FROM entity e WHERE e.created_run >= :target
        OR EXISTS (SELECT FROM entity_version v WHERE v.code = e.code AND v.until_run >= :target)"""
_RESTORE = """
    UPDATE entity e SET status = v.status, merged_into = v.merged_into, division = v.division, grid = v.grid,
        basis = v.basis, records = v.records, sources = v.sources, changed_run = :run
    FROM (
        SELECT DISTINCT ON (code) * FROM entity_version WHERE until_run BETWEEN :target AND :run - 1
        ORDER BY code, until_run
    ) v WHERE v.code = e.code AND e.created_run < :target"""
_RETIRE = "UPDATE entity SET status = 'retired', merged_into = NULL, changed_run = :run WHERE created_run >= :target"
_REDIRECT = "UPDATE entity e SET status = 'merged', merged_into = r.merged_into FROM redirect r WHERE r.code = e.code"
_TOUCH = "UPDATE entity e SET changed_run = :run FROM touched t WHERE e.code = t.code"
_WITHDRAWN = "UPDATE run SET state = 'rolled_back' WHERE state = 'published' AND id >= :target AND id <> :run"
_ABOUT = "UPDATE run SET about = :target, by = :by WHERE id = :run"
_UNKEY = "DELETE FROM search_key k USING touched t WHERE k.code = t.code"
_VALUES = f"""
    SELECT e.type, {serial_of("v.code")} AS serial, v.property, v.value, v.sealed FROM entity_value v
    JOIN touched t ON t.code = v.code JOIN entity e ON e.code = v.code AND e.status = 'active' WHERE v.known_to IS NULL"""


def roll_back(connection: Connection, keyring: Keyring, number: int, run: int, by: str) -> Outcome:
    """Bring back what was published before run `number`, as run `run`, in the caller's transaction.

    Raises NotFound when that run published nothing, or is rolled back already.
    """
    publish_in_turn(connection)
    target = find_run(connection, number)
    if target.state != "published" or target.published_at is None:
        raise NotFound(f"Run {number} is {target.state}: only what was published can be rolled back.")
    found = _entities(connection, target)
    movement, codes = _movement(connection, target, found)
    values = {"target": number, "run": run, "moment": target.published_at}
    connection.execute(text(_KEEP), {"target": number, "run": run})
    for name, columns in TABLES.items():
        connection.execute(text(_END.format(table=name)), {"moment": target.published_at})
        said = ", ".join(columns)
        connection.execute(text(_AGAIN.format(table=name, columns=said)), {"moment": target.published_at})
    for statement in (_RESTORE, _RETIRE):
        connection.execute(text(statement), {name: values[name] for name in ("target", "run")})
    _redirect(connection, movement, codes)
    told = _tell(connection, movement, found, codes, run)
    _keys(connection, keyring)
    connection.execute(text(_WITHDRAWN), {"target": number, "run": run})
    connection.execute(text(_ABOUT), {"target": number, "run": run, "by": by})
    return told


def _entities(connection: Connection, target: Run) -> pd.DataFrame:
    """The codes whose row is another one since: what each is, and was."""
    found = read_frame(connection, _ENTITIES, {"target": target.number})
    return found.assign(serial=_serials(found["code"]))


def _serials(codes: pd.Series) -> pd.Series:
    from schemas.codes import SERIAL_AT

    begin = SERIAL_AT[0] - 1
    return codes.str.slice(begin, begin + SERIAL_AT[1]).astype("int64")


def _movement(connection: Connection, target: Run, found: pd.DataFrame) -> tuple[Movement, dict[int, str]]:
    """How records, values and codes go back; and the code of each serial named in it."""
    moment = {"moment": target.published_at}
    lines = read_frame(connection, _MOVED, moment)
    both = lines.dropna(subset=["code", "code_then"])
    flows = both.groupby(["code", "code_then"]).size().rename("shared").reset_index()
    flows = flows.assign(serial=_serials(flows["code"]), to=_serials(flows["code_then"]))
    gained = _serials(lines.loc[lines["code"].isna(), "code_then"]).value_counts()
    lost = _serials(lines.loc[lines["code_then"].isna(), "code"]).unique()
    status = found["status_then"].fillna("retired")
    ends = found[(found["status"] == "active") & (status != "active")]
    heirs = flows[flows["serial"].isin(ends["serial"])]
    heirs = heirs.sort_values(["serial", "shared", "to"], ascending=[True, False, True]).drop_duplicates("serial")
    back = found.loc[(found["status"] != "active") & (status == "active"), "serial"].to_numpy(dtype=np.int64)
    then = ends.dropna(subset=["merged_then"])
    merged = {
        **dict(zip(heirs["serial"].tolist(), heirs["to"].tolist(), strict=True)),
        **dict(zip(then["serial"].tolist(), _serials(then["merged_then"]).tolist(), strict=True)),
    }
    named = pd.concat([found["code"], lines["code"], lines["code_then"], then["merged_then"]]).dropna().unique()
    touched = _touched(connection, moment)
    codes = pd.Series([*named, *touched["code"].unique()], dtype="str").drop_duplicates()
    movement = Movement(
        created=back,
        returned=back,
        flows=flows[["serial", "to", "shared"]],
        gained={int(serial): int(number) for serial, number in gained.items() if serial not in set(back)},  # type: ignore[call-overload]
        lost=np.setdiff1d(lost, ends["serial"]),
        merged=merged,
        retired=np.setdiff1d(ends["serial"].to_numpy(dtype=np.int64), np.array([*merged], dtype=np.int64)),
        touched=touched.loc[~touched["serial"].isin(back), ["serial", "part", "name"]],
    )
    return movement, dict(zip(_serials(codes).tolist(), codes.tolist(), strict=True))


def _touched(connection: Connection, moment: Mapping[str, object]) -> pd.DataFrame:
    """`code`, `serial`, `part`, `name` of values and relations that are not the same before and after."""
    parts = []
    for part, table, name, more in (
        ("properties", "entity_value", "property", "record, rule, agree, differ"),
        ("relations", "relation", "relation", "to_code"),
    ):
        sides = [
            read_frame(connection, f"SELECT code, {name} AS name, {more} FROM {table} WHERE {which}", moment)
            for which in (_BEGUN, _ENDED)
        ]
        every = pd.concat(sides, ignore_index=True)
        parts.append(every[~every.duplicated(keep=False)][["code", "name"]].drop_duplicates().assign(part=part))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(serial=_serials(found["code"]))


def _redirect(connection: Connection, movement: Movement, codes: dict[int, str]) -> None:
    """Codes that only came since lead to where their records went."""
    rows = pd.DataFrame(
        {
            "code": pd.Series([codes[one] for one in movement.merged], dtype="str"),
            "merged_into": pd.Series([codes[one] for one in movement.merged.values()], dtype="str"),
        }
    )
    if len(rows):
        load_temporary(connection, "redirect", "entity", rows)
        connection.execute(text(_REDIRECT))


def _tell(connection: Connection, movement: Movement, found: pd.DataFrame, codes: dict[int, str], run: int) -> Outcome:
    """Write the changes; leaves the changed codes in the temporary table `touched`."""
    changes = changes_of(movement)
    active = int(connection.execute(text("SELECT count(*) FROM entity WHERE status = 'active'")).scalar_one())
    counts = count(changes, movement, active)
    rows = pd.DataFrame(
        {
            "code": pd.Series([codes[serial] for serial in changes["serial"]], dtype="str"),
            "change": changes["change"].astype("str").array,
            "diff": written(changes, lambda serials: [codes[serial] for serial in serials]).array,
            "run": run,
        }
    )
    load_temporary(connection, "touched", "entity", rows[["code"]])
    connection.execute(text(_TOUCH), {"run": run})
    where = read_frame(
        connection, "SELECT e.code, e.type, e.division, e.grid FROM entity e JOIN touched t USING (code)"
    )
    placed = rows.merge(where, on="code", how="left", validate="one_to_one") if len(rows) else rows
    if len(rows):
        copy_frame(connection, "change", placed)
    told = placed[["code", "type", "change"]] if len(rows) else rows.assign(type=rows["code"])
    return outcome(counts, told.assign(reason="rolled back"))


def _keys(connection: Connection, keyring: Keyring) -> None:
    """The search keys of the changed codes made anew from their golden values."""
    connection.execute(text(_UNKEY))
    values = read_frame(connection, _VALUES)
    opened = keyring.unseal_many(values["sealed"], SEALED_FOR)
    lines = values.assign(value=values["value"].where(values["sealed"].isna(), opened))
    codes = read_frame(connection, f"SELECT code, {serial_of('code')} AS serial FROM touched").set_index("serial")[
        "code"
    ]
    keys = keys_of(lines, keyring)
    if len(keys):
        rows = pd.DataFrame({"token": keys["token"], "code": keys["serial"].map(codes).astype("str")})
        copy_frame(connection, "search_key", rows)
