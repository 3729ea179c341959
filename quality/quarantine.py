"""The quarantine as the registry keeps it: listed without values, exported for correction, and fed back in.

A line is open until the row comes again without its fault (mended) or is judged anew (closed). Only `export_quarantine`
and `rows_to_replay` unseal; neither writes anything but the file it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import read_frame
from onegrid.sealing import Keyring
from quality.corrections import LINE, read_corrections, sheet_name, write_sheets
from schemas.records import Checked

SEALED_FOR = "quarantine.sealed"  # what raw rows and withheld values are sealed for, as the registry seals them
STATES = ("open", "mended", "closed")
PLACE = ["key", "scope", "type", "role", "property"]
LISTED = ("id", "load", "source", "key", "row", "scope", "type", "role", "property", "rules", "state", "due", "at")
REASON_COLUMN = "原因 reasons"


def list_quarantine(connection: Connection, source: str | None = None, state: str | None = "open") -> pd.DataFrame:
    """The lines, oldest first, with the names of the rules they broke; no raw value. None stands for any."""
    frame = _lines(
        connection, source, state, "id, load, source, key, row, scope, type, role, property, reasons, state, due, at"
    )
    frame["rules"] = [", ".join(reason["rule"] for reason in json.loads(found)) for found in frame["reasons"]]
    return frame[list(LISTED)]


def export_quarantine(
    connection: Connection, keyring: Keyring, out: Path, source: str | None = None, state: str = "open"
) -> int:
    """Write an xlsx for the owner: a sheet of whole rows a source, to be corrected and replayed, and one of values.

    The file holds personal values: mode 0600. Cells are text, whatever they begin with, so no sheet program runs them.
    Returns the number of lines written.
    """
    lines = _unsealed(connection, keyring, source, state)
    lines[REASON_COLUMN] = [_sentences(found) for found in lines["reasons"]]
    sheets: dict[str, pd.DataFrame] = {}
    for name, found in lines.groupby("source"):
        rows, values = found[found["scope"] == "row"], found[found["scope"] != "row"]
        if len(rows):
            sheets[sheet_name(str(name))] = _row_sheet(rows)
        if len(values):
            sheets[sheet_name(str(name), ".values")] = values[["id", REASON_COLUMN, "row", *PLACE, "raw"]].rename(
                columns={"id": LINE}
            )
    write_sheets(out, sheets)
    return len(lines)


def rows_to_replay(
    connection: Connection, keyring: Keyring, source: str, corrected: Path | None = None
) -> tuple[list[int], pd.DataFrame]:
    """The open quarantined rows of a source as landed rows (index 0..n-1), and the ids of their lines in that order.

    corrected: an exported file; then only the rows it holds, with its cells. A row that a later one of the same key
    replaced comes back only when its cells were changed: replayed as it was, it would undo the newer row.
    """
    lines = _unsealed(connection, keyring, source, "open", "row").reset_index(drop=True)
    raw = [json.loads(found) for found in lines["raw"]]
    changes = None if corrected is None else read_corrections(corrected, source)
    ids: list[int] = []
    rows: list[Mapping[str, str | None]] = []
    for line, reasons, row in zip(lines["id"].tolist(), lines["reasons"].tolist(), raw, strict=True):
        mended = row if changes is None else changes.mend(line, row)
        if mended is not None and (mended != row or not _replaced(reasons)):
            ids.append(line)
            rows.append(mended)
    return ids, pd.DataFrame(rows, columns=_columns(raw)).astype("str")


def settle_replay(connection: Connection, ids: Sequence[int], checked: Checked) -> None:
    """After a replay: lines whose row is clean now are mended, the others closed (new lines hold their new reasons)."""
    out = set(checked.quarantine.loc[checked.quarantine["scope"] == "row", "row"])
    mark(connection, [line for row, line in enumerate(ids, start=1) if row not in out], "mended")
    mark(connection, [line for row, line in enumerate(ids, start=1) if row in out], "closed")


def mark(connection: Connection, ids: Sequence[int], state: str) -> None:
    """Set the state (open | mended | closed) of the given lines."""
    if state not in STATES:
        raise ValueError(f"no state {state}; one of {', '.join(STATES)}")
    if ids:
        connection.execute(
            text("UPDATE quarantine SET state = :state, settled_at = now() WHERE id = ANY(:ids)"),
            {"state": state, "ids": list(ids)},
        )


def _lines(connection: Connection, source: str | None, state: str | None, columns: str) -> pd.DataFrame:
    query = f"""SELECT {columns} FROM quarantine
        WHERE (%(source)s::text IS NULL OR source = %(source)s) AND (%(state)s::text IS NULL OR state = %(state)s)
        ORDER BY id"""
    return read_frame(connection, query, {"source": source, "state": state})


def _unsealed(
    connection: Connection, keyring: Keyring, source: str | None, state: str, scope: str | None = None
) -> pd.DataFrame:
    lines = _lines(connection, source, state, "id, source, key, row, scope, type, role, property, reasons, sealed")
    lines = lines if scope is None else lines[lines["scope"] == scope]
    return lines.assign(raw=keyring.unseal_many(lines["sealed"], SEALED_FOR)).drop(columns="sealed")


def _row_sheet(rows: pd.DataFrame) -> pd.DataFrame:
    raw = [json.loads(found) for found in rows["raw"]]
    cells = pd.DataFrame(raw, columns=_columns(raw), index=rows.index)
    return pd.concat([rows[["id", REASON_COLUMN]].rename(columns={"id": LINE}), cells], axis=1)


def _columns(raw: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(name for row in raw for name in row))


def _sentences(reasons: str) -> str:
    found = json.loads(reasons)
    return "\n".join(
        f"{reason['property']}: {reason['sentence']}" if reason.get("property") else reason["sentence"]
        for reason in found
    )


def _replaced(reasons: str) -> bool:
    return any(reason["rule"] == "duplicate_key" for reason in json.loads(reasons))
