"""Events: which reports, over several channels, speak of the same matter.

Reports are compared where they lie close in time and share a spot, a place that their addresses mean, or a reporter's
phone. What agreement in time, place, kind, words and phone tells is learned for each pair of channels against chance
meetings (`matching.event_weights`), held near stated weights, which decide alone where there is too little to learn from.
A channel files a matter once, unless it is seen to hear of matters again (callers do).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.cluster import Rules, cluster
from matching.event_places import plain_text, read_places
from matching.event_weights import WEEK, weigh
from matching.located import locate_members
from matching.places import Places
from schemas.records import META, Matched, Records, column
from schemas.text import per_value

THRESHOLD = 0.0  # log2 odds: one matter is as likely as two


def match_events(records: Records, places: Places) -> Matched:
    """Members of type event (one line a record), the scored pairs, their grids and relations to these."""
    raw = records.frame("event").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    rows = _read(records, raw, places)
    edges, again = weigh(rows)
    found = cluster(edges, rows["rid"], Rules(exclusive=_filed_once(rows, again)), THRESHOLD)
    members = _members(rows, found, edges)
    scored = pd.DataFrame({"type": "event", "rid_a": edges["a"], "rid_b": edges["b"], "weight": edges["weight"]})
    return Matched(members=members, edges=scored) + locate_members(records, places, members)


def _read(records: Records, raw: pd.DataFrame, places: Places) -> pd.DataFrame:
    rows = pd.DataFrame({"rid": raw["rid"], "source": raw["source"], "area": records.division(raw).str[:6].fillna("")})
    rows["kind"] = per_value(column(raw, "kind"), plain_text)
    rows["department"] = per_value(column(raw, "department"), plain_text)
    rows["said"] = _said(raw)
    rows["phone"] = column(raw, "reporter_phone")
    moments = pd.concat([_hours(column(raw, name)) for name in ("occurred_at", "reported_at", "filed_at")], axis=1)
    rows["hour"] = moments.bfill(axis=1).iloc[:, 0]
    rows = rows.join(read_places(raw, rows["area"], places))
    span = max(float(rows["hour"].max() - rows["hour"].min()), WEEK)
    rows["crowd"] = rows.groupby("place")["rid"].transform("size").fillna(0) / (span / WEEK)
    rows["content"] = pd.util.hash_pandas_object(raw.drop(columns=[*META]).fillna(""), index=False)
    return rows


def _hours(moments: pd.Series) -> pd.Series:
    since = pd.to_datetime(moments, errors="coerce", format="ISO8601") - pd.Timestamp("2000-01-01")
    return since.dt.total_seconds() / 3600


def _said(raw: pd.DataFrame) -> pd.Series:
    """Title and text without the address, which is compared as a place: two matters at one door are not one."""
    told = pd.DataFrame({"told": column(raw, "title").fillna("") + " " + column(raw, "text").fillna("")})
    told["where"] = column(raw, "address").fillna("")
    cases = told.drop_duplicates()
    plain = [
        (plain_text(text) or "").replace(plain_text(where) or "\0", "") for text, where in cases.itertuples(index=False)
    ]
    said = told.merge(cases.assign(said=plain), how="left")["said"].astype("str")
    return said.mask(said == "").set_axis(raw.index)


def _filed_once(rows: pd.DataFrame, again: tuple[str, ...]) -> pd.DataFrame:
    """A column a channel: reports of one channel share a value only where they say the same."""
    names = sorted(set(rows["source"]) - set(again))
    columns = {name: rows["content"].where(rows["source"] == name) for name in names}
    return pd.DataFrame(columns, index=rows.index).set_index(pd.Index(rows["rid"]))


def _members(rows: pd.DataFrame, found: pd.Series, edges: pd.DataFrame) -> pd.DataFrame:
    clusters = rows["rid"].map(found)
    inside = edges[edges["a"].map(found).to_numpy() == edges["b"].map(found).to_numpy()]
    ends = pd.concat([inside["a"], inside["b"]], ignore_index=True)
    best = pd.Series(np.tile(inside["weight"].to_numpy(), 2)).groupby(ends.to_numpy()).max()
    how = np.where(clusters.duplicated(keep=False), "model", "single")
    weight = rows["rid"].map(best).where(how == "model").astype("float64")
    return pd.DataFrame(
        {"rid": rows["rid"], "type": "event", "kind": "", "cluster": clusters, "how": how, "weight": weight}
    )
