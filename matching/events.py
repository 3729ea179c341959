"""Events: which reports, over several channels, speak of the same matter.

Reports are compared where they lie close in time and share a spot, a place that their addresses mean, or a reporter's
phone. Kind, place, time and text are weighed together. One channel files a matter once: two of its reports are one only
where they say the same in every word.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.candidates import distances, pairs_within, read_points, stepped, texts_alike
from matching.cluster import Rules, cluster
from matching.located import MEANT, locate_members, places_meant
from matching.places import Places
from schemas.records import META, Matched, Records, column
from schemas.text import fold, per_value

REACH = 300.0  # metres: beyond, two reports are of two places
WINDOW = 72.0  # hours: beyond, of two occasions
SPOTS, SPOT_WEIGHTS = (30.0, 100.0, REACH), (3.0, 2.0, 0.0, -8.0)
HOURS, HOUR_WEIGHTS = (2.0, 8.0, 24.0, WINDOW), (3.0, 2.0, 0.0, -2.0, -10.0)
RATIOS, RATIO_WEIGHTS = (20.0, 40.0, 60.0, 80.0), (-2.0, 0.0, 1.0, 3.0, 4.0)  # rapidfuzz ratio of title and text
SAME_KIND, OTHER_KIND = 2.0, -4.0
PLACE_WEIGHTS, OTHER_PLACE = (4.0, 3.0, 3.0, 1.0), -3.0  # of MEANT
SAME_PHONE = 4.0
THRESHOLD = 6.0
LARGEST_BLOCK = 80  # reports of one spot and day, or of one phone and day
CELL = 150.0  # metres: side of the squares that reports are looked up by


def match_events(records: Records, places: Places) -> Matched:
    """Members of type event (one line a record), the scored pairs, their grids and relations to these."""
    raw = records.frame("event").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    rows = _read(records, raw, places)
    edges = _scored(rows, _candidates(rows))
    found = cluster(edges, rows["rid"], Rules(exclusive=_filed_once(rows)), THRESHOLD)
    members = _members(rows, found, edges)
    scored = pd.DataFrame({"type": "event", "rid_a": edges["a"], "rid_b": edges["b"], "weight": edges["weight"]})
    return Matched(members=members, edges=scored) + locate_members(records, places, members)


def _read(records: Records, raw: pd.DataFrame, places: Places) -> pd.DataFrame:
    rows = pd.DataFrame({"rid": raw["rid"], "source": raw["source"], "area": records.division(raw).str[:6].fillna("")})
    rows["kind"] = per_value(column(raw, "kind"), _plain)
    rows["said"] = (column(raw, "title").fillna("") + " " + column(raw, "text").fillna("")).pipe(per_value, _plain)
    rows["phone"] = column(raw, "reporter_phone")
    moment = column(raw, "occurred_at").fillna(column(raw, "reported_at")).fillna(column(raw, "filed_at"))
    since = pd.to_datetime(moment, errors="coerce", format="ISO8601") - pd.Timestamp("2000-01-01")
    rows["hour"] = since.dt.total_seconds() / 3600
    rows[["east", "north"]] = read_points(column(raw, "longitude"), column(raw, "latitude"), crowd=len(raw))
    rows[list(MEANT)] = places_meant(places, rows["rid"])
    rows["content"] = pd.util.hash_pandas_object(raw.drop(columns=[*META]).fillna(""), index=False)
    return rows


def _plain(text: str) -> str | None:
    return re.sub(r"[\s,，.。;；:：!！?？()\[\]【】·\-]+", "", fold(text)) or None


def _candidates(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs `a` < `b` of row positions that share a spot, place or phone and lie at most a day and a half apart.

    Each row stands in its own day and the next one, so that midnight parts nothing; a spot is a square with its neighbours.
    """
    at, day = np.arange(len(rows)), np.floor(rows["hour"] / 24)
    dated = pd.concat([pd.DataFrame({"at": at, "day": day + late}) for late in (0, 1)]).dropna().astype("int64")
    blocks = [_spots(rows, dated)]
    for name in (*MEANT, "phone", "said"):
        key = rows["area"].to_numpy()[dated["at"]] + "|" + rows[name].iloc[dated["at"]].reset_index(drop=True)
        blocks.append(
            pd.DataFrame({"at": dated["at"].to_numpy(), "key": key + "|" + dated["day"].astype("str").to_numpy()})
        )
    pairs = [pairs_within(block, LARGEST_BLOCK) for block in blocks]
    return pd.concat(pairs, ignore_index=True).drop_duplicates(ignore_index=True)


def _spots(rows: pd.DataFrame, dated: pd.DataFrame) -> pd.DataFrame:
    """Each dated row under the four squares of a double-wide grid that hold it: rows a square apart share one of them."""
    east, north = (np.floor(rows[name].to_numpy(dtype=np.float64)[dated["at"]] / CELL) for name in ("east", "north"))
    known = ~np.isnan(east)
    day = dated["day"].to_numpy()[known]
    frames = []
    for over in (0, 1):
        for up in (0, 1):
            square = (east[known] + over).astype(np.int64), (north[known] + up).astype(np.int64)
            numbers = pd.DataFrame({"over": square[0] // 2, "up": square[1] // 2, "day": day, "shift": 2 * over + up})
            frames.append(
                pd.DataFrame(
                    {
                        "at": dated["at"].to_numpy()[known],
                        "key": pd.util.hash_pandas_object(numbers, index=False).astype("str"),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def _scored(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Edges `a`, `b` (rids), `weight`; pairs that no text could bring near the threshold are left out."""
    one, other = (rows.iloc[pairs[side]].reset_index(drop=True) for side in ("a", "b"))
    distance = distances(rows[["east", "north"]].to_numpy(dtype=np.float64), pairs)
    weight = stepped((one["hour"] - other["hour"]).abs().to_numpy(dtype=np.float64), HOURS, HOUR_WEIGHTS)
    weight = weight + _kinds(one, other) + SAME_PHONE * _equal(one["phone"], other["phone"])
    weight = weight + np.where(np.isnan(distance), _addressed(one, other), stepped(distance, SPOTS, SPOT_WEIGHTS))
    hopeful = weight + max(RATIO_WEIGHTS) > 0
    one, other, weight = one[hopeful], other[hopeful], weight[hopeful]
    weight = weight + stepped(texts_alike(one["said"], other["said"]), RATIOS, RATIO_WEIGHTS)
    return pd.DataFrame({"a": one["rid"], "b": other["rid"], "weight": weight})


def _kinds(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Channels that write codes and words for kinds say nothing to each other."""
    known = (one["kind"].notna() & other["kind"].notna()).to_numpy(dtype=bool)
    coded = (one["kind"].str.isdigit() != other["kind"].str.isdigit()).to_numpy(dtype=bool)
    tests = [_equal(one["kind"], other["kind"]), known & ~coded]
    found: npt.NDArray[np.float64] = np.select(tests, [SAME_KIND, OTHER_KIND], 0.0)
    return found


def _addressed(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The finest place both addresses mean weighs; known and different ones weigh against."""
    tests = [_equal(one[name], other[name]) for name in MEANT]
    known = np.zeros(len(one), dtype=bool)
    for name in MEANT:
        known |= (one[name].notna() & other[name].notna()).to_numpy(dtype=bool)
    found: npt.NDArray[np.float64] = np.select([*tests, known], [*PLACE_WEIGHTS, OTHER_PLACE], 0.0)
    return found


def _equal(one: pd.Series, other: pd.Series) -> npt.NDArray[np.bool_]:
    return (one == other).fillna(False).to_numpy(dtype=bool)


def _filed_once(rows: pd.DataFrame) -> pd.DataFrame:
    """A column a channel: reports of one channel share a value only where they say the same."""
    columns = {name: rows["content"].where(rows["source"] == name) for name in sorted(rows["source"].unique())}
    return pd.DataFrame(columns).set_index(pd.Index(rows["rid"]))


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
