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
HOURS, HOUR_WEIGHTS = (2.0, 8.0, 24.0, WINDOW), (3.0, 2.0, -1.0, -4.0, -10.0)  # between found, reported and reported
RATIOS, RATIO_WEIGHTS = (
    (1.0, 35.0, 60.0, 80.0),
    (-6.0, -1.0, 2.0, 3.0, 4.0),
)  # rapidfuzz ratio of what is said, but for where
SAME_KIND, OTHER_KIND = 2.0, -4.0
PLACE_WEIGHTS, OTHER_PLACE = (4.0, 3.0, 3.0, 1.0), -4.0  # of MEANT
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
    rows["said"] = _said(raw)
    rows["phone"] = column(raw, "reporter_phone")
    moments = pd.concat([_hours(column(raw, name)) for name in ("occurred_at", "reported_at", "filed_at")], axis=1)
    told = moments.iloc[:, :2]
    rows["hour"] = told.min(axis=1).fillna(moments.iloc[:, 2])
    rows["last"] = told.max(axis=1).fillna(moments.iloc[:, 2])
    rows[["east", "north"]] = read_points(column(raw, "longitude"), column(raw, "latitude"), crowd=len(raw))
    rows[list(MEANT)] = places_meant(places, rows["rid"])
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
    plain = [(_plain(text) or "").replace(_plain(where) or "\0", "") for text, where in cases.itertuples(index=False)]
    said = told.merge(cases.assign(said=plain), how="left")["said"].astype("str")
    return said.mask(said == "").set_axis(raw.index)


def _gap(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Hours between the spans from found to reported of two reports; 0 where these overlap."""
    apart = (one["hour"] - other["last"]).clip(lower=other["hour"] - one["last"])
    found: npt.NDArray[np.float64] = np.maximum(apart.to_numpy(dtype=np.float64), 0.0)
    return found


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
    weight = stepped(_gap(one, other), HOURS, HOUR_WEIGHTS)
    weight = weight + _kinds(one, other) + SAME_PHONE * _equal(one["phone"], other["phone"])
    weight = weight + np.where(np.isnan(distance), _addressed(one, other), stepped(distance, SPOTS, SPOT_WEIGHTS))
    hopeful = weight + max(RATIO_WEIGHTS) > 0
    one, other, weight = one[hopeful], other[hopeful], weight[hopeful]
    weight = weight + stepped(texts_alike(one["said"], other["said"], inside=True), RATIOS, RATIO_WEIGHTS)
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
    same = [_equal(one[name], other[name]) for name in MEANT]
    both = {name: (one[name].notna() & other[name].notna()).to_numpy(dtype=bool) for name in MEANT}
    other_house = both["building"] & ~_equal(one["building"], other["building"])
    anything = np.logical_or.reduce(list(both.values()))
    found: npt.NDArray[np.float64] = np.select(
        [other_house, *same, anything], [OTHER_PLACE, *PLACE_WEIGHTS, OTHER_PLACE], 0.0
    )
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
