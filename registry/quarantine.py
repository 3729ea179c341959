"""What checking put aside, and what became of it: lines are open until a later load mends them or says them anew."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from schemas.records import Checked

SEALED_FOR = "quarantine.sealed"
LINE = ("scope", "type", "role", "property")
_OPEN = """
    SELECT id, key, scope, type, role, property FROM quarantine
    WHERE source = %(source)s AND load <> %(load)s AND state = 'open'"""
_SETTLE = "UPDATE quarantine SET state = :state WHERE id = ANY(:ids)"
_SOURCE = "SELECT owner, level, division FROM source WHERE name = :source"


def keep_outcomes(connection: Connection, checked: Checked, keyring: Keyring) -> None:
    """Stores a load's quarantine lines (raw text sealed) and quality results in place of what it stored before.

    Open lines of earlier loads of the source are settled: `closed` where this load says them anew or their row is gone,
    `mended` where the row is now clean in that point.
    """
    for table in ("quarantine", "quality_result"):
        connection.execute(text(f"DELETE FROM {table} WHERE load = :load"), {"load": checked.load})
    _settle(connection, checked)
    copy_frame(connection, "quarantine", _lines(checked, keyring))
    copy_frame(connection, "quality_result", _results(connection, checked))


def _lines(checked: Checked, keyring: Keyring) -> pd.DataFrame:
    lines = checked.quarantine[["row", "key", *LINE, "reasons"]]
    sealed = keyring.seal_many(checked.quarantine["raw"].astype("str"), SEALED_FOR)
    return lines.assign(load=checked.load, source=checked.source, sealed=sealed)


def _results(connection: Connection, checked: Checked) -> pd.DataFrame:
    """The counts with the source's owner and level; rows of no known division count for the source's own."""
    owner, level, division = connection.execute(text(_SOURCE), {"source": checked.source}).one()
    results = checked.results.assign(load=checked.load, source=checked.source, owner=owner, level=level)
    for name, usual in (("division", division), ("grid", ""), ("role", "")):
        results[name] = results[name].astype("str").fillna(usual)
    return results


def _settle(connection: Connection, checked: Checked) -> None:
    earlier = read_frame(connection, _OPEN, {"source": checked.source, "load": checked.load})
    if earlier.empty:
        return
    state = _settled(earlier, checked)
    for value in ("closed", "mended"):
        ids = earlier.loc[state == value, "id"].tolist()
        connection.execute(text(_SETTLE), {"state": value, "ids": ids})


def _settled(earlier: pd.DataFrame, checked: Checked) -> pd.Series:
    """`closed`, `mended` or `open` for each line of an earlier load."""
    now = checked.quarantine
    out = earlier["key"].isin(now.loc[now["scope"] == "row", "key"].dropna())
    again = earlier["key"].notna() & _named(earlier).isin(_named(now))
    clean = earlier["key"].isin(pd.concat([frame["key"] for frame in checked.records.values()] or [_no_keys()]))
    gone = earlier["key"].isin(checked.deleted.dropna())
    if checked.mode == "snapshot":
        gone |= ~earlier["key"].isin(checked.seen.dropna())
    state = pd.Series("open", index=earlier.index)
    return state.mask(clean, "mended").mask((out & ~clean) | again | gone, "closed")


def _named(lines: pd.DataFrame) -> pd.Series:
    """One text for (key, scope, type, role, property)."""
    return lines["key"].str.cat(lines[list(LINE)].astype("str").fillna(""), sep="\x1f")


def _no_keys() -> pd.Series:
    return pd.Series(dtype="str")
