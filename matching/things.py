"""Things: which rows mean the same component of the street.

A component number (GB/T 30428.2) decides. Rows without one in common are one thing when they lie within a few metres of
each other, are of one kind, and no number in their names differs; the nearest join first. A feed lists a thing once.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.candidates import distances, near_pairs, pairs_within, read_points, stepped, texts_alike
from matching.cluster import Rules, cluster
from matching.located import locate_members
from matching.places import Places
from schemas.records import Matched, Records, column
from schemas.text import fold, per_value

REACH = 10.0  # metres: the accuracy of component surveys of class C (GB/T 30428.2)
STEPS, WEIGHTS = (3.0, 6.0, REACH), (4.0, 3.0, 2.0, -8.0)  # metres, and what each distance weighs
SAME_NUMBER, DISPUTED_NUMBER, SAME_KIND, OTHER_KIND = 20.0, 3.0, 3.0, -10.0
SPREAD = 50.0  # metres that rows of one feed under one number may lie apart; further, two things were given one number
SAME_NAME, LIKE_NAME, OTHER_NAME, OTHER_MARKS = 2.0, 1.0, -2.0, -10.0
SAME_ADDRESS, OTHER_ADDRESS = 1.5, -2.0  # the words for where it stands, one within the other or unlike
SAID_FOR_ONE = 3  # numbers under which two words for kinds must meet before they count as one kind
ALIKE = 70.0  # rapidfuzz ratio of two names of one thing
THRESHOLD = 4.5
SHARED_NUMBER = 3  # rows of one feed under one number; more, and it is a placeholder
_MARKS = re.compile(r"[0-9]+|[A-Z]+|[东西南北]")


def match_things(records: Records, places: Places) -> Matched:
    """Members of type thing (one line a record), the scored pairs, their grids and relations to these."""
    raw = records.frame("thing").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    rows = _read(records, raw)
    edges = _scored(rows, _candidates(rows))
    found = cluster(edges, rows["rid"], Rules(exclusive=_listed_once(rows)), THRESHOLD)
    members = _members(rows, found, edges)
    return Matched(members=members, edges=_edges(edges)) + locate_members(records, places, members)


def _read(records: Records, raw: pd.DataFrame) -> pd.DataFrame:
    rows = pd.DataFrame({"rid": raw["rid"], "source": raw["source"], "area": records.division(raw).str[:6].fillna("")})
    for name in ("kind", "name", "address"):
        rows[name] = per_value(
            column(raw, name), lambda text: re.sub(r"[\s()\[\]\-·.,，。]+", "", fold(text)).upper() or None
        )
    said = rows["name"].fillna(rows["kind"])
    rows["word"] = per_value(said, lambda text: re.sub(r"[0-9A-Z]+|[#号]", "", text) or None)
    rows["marks"] = per_value(said, lambda text: " ".join(_MARKS.findall(text)))
    rows["number"] = _numbers(rows["source"], column(raw, "number"))
    rows[["east", "north"]] = read_points(column(raw, "longitude"), column(raw, "latitude"))
    rows["disputed"] = _disputed(rows)
    return rows


def _disputed(rows: pd.DataFrame) -> pd.Series:
    """Whether some feed gives the row's number to rows that lie apart: it says little then, anywhere."""
    by = rows[rows["number"].notna() & rows["east"].notna()].groupby(["source", "number"])[["east", "north"]]
    spread = (by.max() - by.min()).max(axis=1)
    return rows["number"].isin(spread.index[spread > SPREAD].get_level_values("number")) & rows["number"].notna()


def _numbers(source: pd.Series, number: pd.Series) -> pd.Series:
    """Numbers that name one thing: not one digit all over, and not given to many rows of one feed."""
    folded = number.str.upper().str.replace(r"[\s\-]", "", regex=True)
    times = number.groupby([source, folded]).transform("size").reindex(number.index)
    blank = folded.str.fullmatch(r"(.)\1*").fillna(True).to_numpy(dtype=bool)
    return folded.mask(blank | (times > SHARED_NUMBER))


def _candidates(rows: pd.DataFrame) -> pd.DataFrame:
    at = pd.Series(np.arange(len(rows)))
    written = rows["kind"].fillna("") + "|" + rows["name"] + "|" + rows["address"]
    blocks = [pairs_within(pd.DataFrame({"at": at, "key": key})) for key in (rows["number"], written)]
    near = near_pairs(rows[["east", "north"]].to_numpy(dtype=np.float64), REACH)
    pairs = pd.concat([*blocks, near], ignore_index=True).drop_duplicates(ignore_index=True)
    area = rows["area"].to_numpy(dtype=object)
    one_area: npt.NDArray[np.bool_] = area[pairs["a"]] == area[pairs["b"]]
    return pairs.loc[one_area].reset_index(drop=True)


def _scored(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Edges `a`, `b` (rids), `weight`, and whether the numbers are the `same`."""
    one, other = (rows.iloc[pairs[side]].reset_index(drop=True) for side in ("a", "b"))
    distance = distances(rows[["east", "north"]].to_numpy(dtype=np.float64), pairs)
    numbered, disputed = _equal(one["number"], other["number"]), one["disputed"].to_numpy(dtype=bool)
    same = numbered & ~disputed
    weight = np.where(same, SAME_NUMBER, stepped(distance, STEPS, WEIGHTS)) + DISPUTED_NUMBER * (numbered & disputed)
    weight = weight - np.nan_to_num(distance).clip(max=REACH) / (10 * REACH)  # of several, the nearest
    weight = weight + _kinds(one, other, same) + _names(one, other) + _addresses(one, other)
    return pd.DataFrame({"a": one["rid"], "b": other["rid"], "weight": weight, "same": same})


def _kinds(one: pd.DataFrame, other: pd.DataFrame, numbered: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Kinds agree where their words or those of the names do, or where feeds use the two words for one numbered thing.

    Feeds that write codes and words for kinds say nothing to each other.
    """
    known = (one["kind"].notna() & other["kind"].notna()).to_numpy(dtype=bool)
    coded = (one["kind"].str.isdigit() != other["kind"].str.isdigit()).to_numpy(dtype=bool)
    same = _equal(one["kind"], other["kind"]) | _equal(one["word"], other["word"])
    first, second = (side["kind"].fillna("").to_numpy(dtype=object) for side in (one, other))
    words = pd.Series(np.minimum(first, second) + "|" + np.maximum(first, second))
    met = words[numbered & known].value_counts()
    same |= words.isin(met.index[met >= SAID_FOR_ONE]).to_numpy(dtype=bool)
    found: npt.NDArray[np.float64] = np.select([same, known & ~coded], [SAME_KIND, OTHER_KIND], 0.0)
    return found


def _names(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.float64]:
    alike = texts_alike(one["name"], other["name"])
    both_marked = (one["marks"].fillna("") != "") & (other["marks"].fillna("") != "")
    other_marks = (both_marked & (one["marks"] != other["marks"])).to_numpy(dtype=bool)
    tests = [other_marks, np.isnan(alike), alike == 100, alike >= ALIKE]
    found: npt.NDArray[np.float64] = np.select(tests, [OTHER_MARKS, 0.0, SAME_NAME, LIKE_NAME], OTHER_NAME)
    return found


def _addresses(one: pd.DataFrame, other: pd.DataFrame) -> npt.NDArray[np.float64]:
    alike = texts_alike(one["address"], other["address"], inside=True)
    found: npt.NDArray[np.float64] = np.select([alike >= 90, alike < 60], [SAME_ADDRESS, OTHER_ADDRESS], 0.0)
    return found


def _equal(one: pd.Series, other: pd.Series) -> npt.NDArray[np.bool_]:
    return (one == other).fillna(False).to_numpy(dtype=bool)


def _listed_once(rows: pd.DataFrame) -> pd.DataFrame:
    """What a thing holds at most one of: a number, and a row of each feed (rows of one number count as one)."""
    labels = rows["number"].mask(rows["disputed"]).fillna("#" + rows["rid"].astype("str"))
    columns = {name: labels.where(rows["source"] == name) for name in sorted(rows["source"].unique())}
    return pd.DataFrame({"number": rows["number"], **columns}).set_index(pd.Index(rows["rid"]))


def _members(rows: pd.DataFrame, found: pd.Series, edges: pd.DataFrame) -> pd.DataFrame:
    clusters = rows["rid"].map(found)
    alone = ~clusters.duplicated(keep=False).to_numpy()
    inside = edges[edges["a"].map(found).to_numpy() == edges["b"].map(found).to_numpy()]
    numbered = rows["rid"].isin(pd.concat([inside["a"], inside["b"]])[inside["same"].tolist() * 2]).to_numpy()
    ends = pd.concat([inside["a"], inside["b"]], ignore_index=True)
    weights = pd.Series(np.tile(inside["weight"].to_numpy(), 2)).groupby(ends.to_numpy()).max()
    how = np.select([alone, numbered], ["single", "number"], default="model")
    weight = rows["rid"].map(weights).where(how == "model")
    return pd.DataFrame(
        {
            "rid": rows["rid"],
            "type": "thing",
            "kind": "",
            "cluster": clusters,
            "how": how,
            "weight": weight.astype("float64"),
        }
    )


def _edges(edges: pd.DataFrame) -> pd.DataFrame:
    scored = edges[~edges["same"]]
    return pd.DataFrame({"type": "thing", "rid_a": scored["a"], "rid_b": scored["b"], "weight": scored["weight"]})
