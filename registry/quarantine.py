"""What checking put aside, and what became of it: lines are open until a later load mends them or says them anew.

What a load says anew is the same ticket: it keeps the number and the due date of the line that said it first.
"""

from __future__ import annotations

from datetime import date

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from schemas.dates import today
from schemas.records import Checked
from schemas.working_days import YearUnknown, after

SEALED_FOR = "quarantine.sealed"
LINE = ("scope", "type", "role", "property")
TO_CORRECT = ("row", "value")  # scopes that a department is asked to correct; warnings are for its eyes
DAYS = 10  # working days to correct: the reply to a correction request, 政务数据共享条例 (国令 809), and local rules
_BEFORE = """
    SELECT id, load, key, scope, type, role, property, coalesce(first, id) AS ticket, due FROM quarantine
    WHERE source = %(source)s AND (load = %(load)s OR state = 'open')"""
_SETTLE = "UPDATE quarantine SET state = :state, settled_at = now() WHERE id = ANY(:ids)"
_SOURCE = "SELECT owner, level, division FROM source WHERE name = :source"


def keep_outcomes(connection: Connection, checked: Checked, keyring: Keyring) -> tuple[str, ...]:
    """Stores a load's quarantine lines (raw text sealed) and quality results in place of what it stored before.

    Open lines of earlier loads of the source are settled: `closed` where this load says them anew or their row is gone,
    `mended` where the row is now clean in that point. Returns what the data officer must hear of it.
    """
    before = read_frame(connection, _BEFORE, {"source": checked.source, "load": checked.load}, {"due": "str"})
    for table in ("quarantine", "quality_result"):
        connection.execute(text(f"DELETE FROM {table} WHERE load = :load"), {"load": checked.load})
    _settle(connection, before[before["load"] != checked.load], checked)
    day, warnings = _due(today())
    copy_frame(connection, "quarantine", _lines(checked, before, day, keyring))
    copy_frame(connection, "quality_result", _results(connection, checked))
    return warnings


def _due(now: date) -> tuple[str | None, tuple[str, ...]]:
    """By when what is found today is to be corrected. Without next year's calendar there is no day yet, and a warning."""
    try:
        return after(now, DAYS).isoformat(), ()
    except YearUnknown as unknown:
        return None, (f"Tickets have no due date: {unknown}",)


def _lines(checked: Checked, before: pd.DataFrame, day: str | None, keyring: Keyring) -> pd.DataFrame:
    lines = checked.quarantine[["row", "key", *LINE, "reasons"]]
    sealed = keyring.seal_many(checked.quarantine["raw"].astype("str"), SEALED_FOR)
    known = before.assign(name=_named(before)).dropna(subset="name").sort_values("ticket").drop_duplicates("name")
    place = pd.Index(known["name"]).get_indexer(pd.Index(_named(lines)))
    told = known.reset_index(drop=True)[["ticket", "due"]].reindex(place).set_axis(lines.index)
    due = told["due"].astype("str").fillna(day) if day else told["due"].astype("str")
    return lines.assign(
        load=checked.load,
        source=checked.source,
        sealed=sealed,
        first=told["ticket"].astype("Int64"),
        due=due.where(lines["scope"].isin(TO_CORRECT)),
    )


def _results(connection: Connection, checked: Checked) -> pd.DataFrame:
    """The counts with the source's owner and level; rows of no known division count for the source's own."""
    owner, level, division = connection.execute(text(_SOURCE), {"source": checked.source}).one()
    results = checked.results.assign(load=checked.load, source=checked.source, owner=owner, level=level)
    for name, usual in (("division", division), ("grid", ""), ("role", "")):
        results[name] = results[name].astype("str").fillna(usual)
    return results


def _settle(connection: Connection, earlier: pd.DataFrame, checked: Checked) -> None:
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
