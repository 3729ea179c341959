"""Correction tickets: what the checks held back of a feed, for the department that owns it, with the day it is due.

A ticket is the line that said a fault first and every later line that says it again; it ends by itself when a load
brings the row mended, or no longer brings it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Connection

from onegrid.frames import read_frame
from registry.access import Caller
from registry.figures import OF_AREA
from registry.quarantine import TO_CORRECT
from registry.views import IN_KEY, without_numbers
from schemas.dates import today

STATES = ("open", "overdue", "mended", "closed")
_SCOPES = ", ".join(f"'{scope}'" for scope in TO_CORRECT)
_OVERDUE = "q.state = 'open' AND q.due < %(today)s::date"

TICKETS = f"""
    SELECT coalesce(q.first, q.id) AS ticket, s.owner AS department, q.source, s.title, q.key, q.row, q.load, q.scope,
        q.type, q.role, q.property, q.reasons, q.state, coalesce(f.at, q.at) AS opened, q.due,
        coalesce({_OVERDUE}, false) AS overdue, q.settled_at AS settled
    FROM quarantine q JOIN source s ON s.name = q.source LEFT JOIN quarantine f ON f.id = q.first
    WHERE q.scope IN ({_SCOPES}) AND {OF_AREA} AND coalesce(q.first, q.id) > %(after)s
        AND (%(department)s::text IS NULL OR s.owner = %(department)s)
        AND (%(source)s::text IS NULL OR q.source = %(source)s)
        AND q.state = CASE %(state)s WHEN 'overdue' THEN 'open' ELSE %(state)s END
        AND (%(state)s <> 'overdue' OR {_OVERDUE})
        AND (q.state <> 'closed' OR NOT EXISTS (
            SELECT FROM quarantine n WHERE n.first = coalesce(q.first, q.id) AND n.id > q.id))
    ORDER BY 1 LIMIT %(limit)s"""
COUNTS = f"""
    SELECT s.owner AS department, q.source, count(*) AS open, count(*) FILTER (WHERE {_OVERDUE}) AS overdue,
        min(q.due) AS earliest
    FROM quarantine q JOIN source s ON s.name = q.source
    WHERE q.state = 'open' AND q.scope IN ({_SCOPES}) AND {OF_AREA}
        AND (%(department)s::text IS NULL OR s.owner = %(department)s)
    GROUP BY 1, 2 ORDER BY 4 DESC, 3 DESC, 1, 2"""
REASON = "原因 reason"
SHEET = {
    "ticket": "工单 ticket", "department": "部门 department", "source": "来源 source", "key": "主键 key", "row": "行 row",
    "type": "类型 type", "property": "属性 property", "reason": REASON, "opened": "发现 opened", "due": "期限 due",
    "overdue": "逾期 overdue", "state": "状态 state",
}  # fmt: skip


def asked(
    state: str = "open",
    department: str | None = None,
    source: str | None = None,
    *,
    after: int = 0,
    limit: int | None = None,
    now: date | None = None,
) -> dict[str, Any]:
    """Parameters of TICKETS but `area`; department: None for all. now: the day by which `overdue` is judged."""
    day = (now or today()).isoformat()
    return {"state": state, "department": department, "source": source, "after": after, "limit": limit, "today": day}


def department_of(caller: Caller, department: str | None) -> str | None:
    """Whose tickets a caller gets: a department its own alone, whatever it asks for."""
    return (caller.department or "") if caller.role == "department" else department


def list_tickets(
    connection: Connection, state: str = "open", department: str | None = None, source: str | None = None
) -> pd.DataFrame:
    """Tickets, the oldest first, a line each; no value of the row among them."""
    frame = read_frame(connection, TICKETS, {"area": "", **asked(state, department, source)}, {"due": "str"})
    reasons = [_sentences(json.loads(found)) for found in frame["reasons"]]
    return frame.drop(columns="reasons").assign(reason=pd.Series(reasons, index=frame.index, dtype="str"))


def sheet(tickets: pd.DataFrame) -> pd.DataFrame:
    """Tickets as the sheet that goes to a department."""
    days = tickets["opened"].dt.strftime("%Y-%m-%d")
    return tickets.assign(opened=days)[list(SHEET)].rename(columns=SHEET)


def shown_ticket(line: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """A ticket as a caller of the API may see it: a feed's key may be a person's number."""
    key = line["key"] if caller.numbers or line["key"] is None else without_numbers(line["key"], IN_KEY)
    return {**line, "key": key}


def _sentences(reasons: list[dict[str, str]]) -> str:
    return "\n".join(reason["sentence"] for reason in reasons)
