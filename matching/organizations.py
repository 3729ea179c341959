"""Organizations: which rows mean the same enterprise, shop, institution or association.

A valid unified social credit code (GB 32100-2015) decides. Else names are compared, every name that a row bears with every
one of the other, and weighed with address, phone, legal representative and position. A name that one feed gives to several
rows names none of them alone; a branch is never its house. A feed lists an organization once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.candidates import distances, near_pairs, pairs_within, read_points, stepped
from matching.cluster import Rules, cluster
from matching.located import MEANT, locate_members, places_meant
from matching.organization_names import CORE, INSIDE, ONE_OFF, OTHER, WRITTEN, compare_names, read_names
from matching.phones import fold_phones
from matching.places import Places
from schemas.identifiers import recognise
from schemas.records import RELATION_COLUMNS, Matched, Records, column

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SAME_CODE, DISPUTED_CODE = 40.0, 3.0
NAME_WEIGHTS = {WRITTEN: 8.0, CORE: 6.0, INSIDE: 3.0, ONE_OFF: 3.0, OTHER: -12.0}
REPEATED = -5.0  # a name that one feed gives to several rows, and no legal form makes it the only one of its division
SECOND_NAME = -1.0  # one side's name is a second one: a short or former name, or a body that shares its house
PLACE_WEIGHTS = (4.0, 4.0, 3.0, 1.0)  # of MEANT
SAME_YARD, OTHER_PLACE = 1.0, -3.0  # one road and number, and another door behind it; another place
SAME_PHONE, SAME_HEAD, OTHER_HEAD = 7.0, 3.0, -2.0
SPOTS, SPOT_WEIGHTS = (100.0, 500.0, 3000.0), (3.0, 1.0, -2.0, -5.0)  # metres
REACH = 50.0  # metres within which rows are compared whatever their names
SHARED_PHONE = 8  # rows under one phone; more, and it is an agent's
THRESHOLD = 5.0


def match_organizations(records: Records, places: Places) -> Matched:
    """Members of type organization (one line a record), the scored pairs, where they are registered, and their grids."""
    raw = records.frame("organization").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    rows = _read(records, raw, places)
    names = read_names(column(raw, "name"), column(raw, "short_name"))
    rows["disputed"] = _disputed(rows, names)
    edges = _scored(rows, names, _candidates(rows, names))
    found = cluster(edges, rows["rid"], Rules(exclusive=_listed_once(rows)), THRESHOLD)
    members = _members(rows, found, edges)
    unsure = edges[~edges["code"]]
    scored = pd.DataFrame(
        {"type": "organization", "rid_a": unsure["a"], "rid_b": unsure["b"], "weight": unsure["weight"]}
    )
    matched = Matched(members=members, edges=scored, relations=_registered_at(places, members))
    return matched + locate_members(records, places, members)


def _read(records: Records, raw: pd.DataFrame, places: Places) -> pd.DataFrame:
    """What the rows say beside their names, by position."""
    rows = pd.DataFrame({"rid": raw["rid"], "source": raw["source"], "area": records.division(raw).str[:4].fillna("")})
    read = recognise(column(raw, "uscc"))
    rows["uscc"] = read["normal"].where((read["kind"] == "uscc") & read["valid"])
    phone = fold_phones(column(raw, "phone"))
    rows["phone"] = phone.mask(phone.groupby(phone).transform("size") > SHARED_PHONE)
    rows["head"] = column(raw, "legal_representative")
    rows[["east", "north"]] = read_points(column(raw, "longitude"), column(raw, "latitude"))
    rows[list(MEANT)] = places_meant(places, rows["rid"])
    return rows


def _candidates(rows: pd.DataFrame, names: pd.DataFrame) -> pd.DataFrame:
    """Pairs `a` < `b` of row positions of one city that share a code, a name, a core, a core's end, a phone or a spot."""
    at, area = pd.Series(np.arange(len(rows))), rows["area"]
    blocks = [pd.DataFrame({"at": at, "key": rows["uscc"]})]
    blocks += [
        pd.DataFrame({"at": at, "key": area + "|" + rows[name]}) for name in ("phone", "head", "dwelling", "gate")
    ]
    of_name = area.to_numpy()[names["at"]]
    keys = (names["strict"], names["core"], names["core"].str[-5:].where(names["core"].str.len() >= 5))
    blocks += [pd.DataFrame({"at": names["at"], "key": of_name + f"|{n}|" + key}) for n, key in enumerate(keys)]
    near = near_pairs(rows[["east", "north"]].to_numpy(dtype=np.float64), REACH)
    return pd.concat([*map(pairs_within, blocks), near], ignore_index=True).drop_duplicates(ignore_index=True)


def _scored(rows: pd.DataFrame, names: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Edges `a`, `b` (rids), `weight`, and whether the `code` is the same; pairs of unlike names are left out."""
    by_name = _by_name(names, _repeated(rows, names), pairs)
    one, other = (rows.iloc[pairs[side]].reset_index(drop=True) for side in ("a", "b"))
    coded, disputed = _equal(one["uscc"], other["uscc"]), one["disputed"].to_numpy(dtype=bool)
    code = coded & ~disputed
    related = (by_name > NAME_WEIGHTS[OTHER]) | code
    pairs, by_name, code, coded = pairs[related], by_name[related], code[related], coded[related]
    one, other = one[related], other[related]
    distance = distances(rows[["east", "north"]].to_numpy(dtype=np.float64), pairs)
    weight = (
        by_name + SAME_CODE * code + DISPUTED_CODE * (coded & ~code) + SAME_PHONE * _equal(one["phone"], other["phone"])
    )
    weight = weight + _heads(one, other) + _addressed(one, other) + stepped(distance, SPOTS, SPOT_WEIGHTS)
    return pd.DataFrame({"a": one["rid"], "b": other["rid"], "weight": weight, "code": code})


def _disputed(rows: pd.DataFrame, names: pd.DataFrame) -> pd.Series:
    """Whether some feed gives the row's code to rows of other names and other heads: it was copied, and says little then."""
    first = names[names["rank"] == 0].drop_duplicates("at").set_index("at")["core"].reindex(range(len(rows)))
    coded = rows.assign(core=first.to_numpy())[rows["uscc"].notna()]
    told = coded.groupby(["source", "uscc"])[["core", "head"]].nunique()
    shared = told.index[(told > 1).all(axis=1)].get_level_values("uscc")
    return rows["uscc"].isin(shared) & rows["uscc"].notna()


def _repeated(rows: pd.DataFrame, names: pd.DataFrame) -> pd.Series:
    """Which lines of `names` say what several rows of one feed say, without a legal form that makes it unique."""
    source, code = rows["source"].to_numpy()[names["at"]], rows["uscc"].to_numpy()[names["at"]]
    lines = names.assign(source=source, bearer=pd.Series(code, index=names.index).fillna(names["at"].astype("str")))
    bearers = lines.groupby(["source", "core", "branch", "district"])["bearer"].transform("nunique")
    most = bearers.groupby([names["core"], names["branch"]]).transform("max")
    return (most > 1) & ~names["legal"].astype(bool)


def _by_name(names: pd.DataFrame, repeated: pd.Series, pairs: pd.DataFrame) -> Floats:
    """The best weight of all names of the one with all names of the other, aligned with `pairs`."""
    lines = names.assign(repeated=repeated)
    asked = pairs.reset_index(drop=True).reset_index(names="pair")
    both = asked.merge(lines, left_on="a", right_on="at").merge(
        lines, left_on="b", right_on="at", suffixes=("_a", "_b")
    )
    sides = [both.filter(regex=f"{end}$").rename(columns=lambda name: name[:-2]) for end in ("_a", "_b")]
    level = compare_names(*sides)
    weight = np.select([level == known for known in NAME_WEIGHTS], list(NAME_WEIGHTS.values()))
    close = level < OTHER
    weight = weight + REPEATED * (close & (both["repeated_a"] | both["repeated_b"]).to_numpy(dtype=bool))
    weight = weight + SECOND_NAME * (close & ((both["rank_a"] > 0) | (both["rank_b"] > 0)).to_numpy(dtype=bool))
    best = pd.Series(weight).groupby(both["pair"].to_numpy()).max()
    found: Floats = best.reindex(range(len(pairs)), fill_value=0.0).to_numpy(dtype=np.float64)
    return found


def _heads(one: pd.DataFrame, other: pd.DataFrame) -> Floats:
    same, known = _equal(one["head"], other["head"]), (one["head"].notna() & other["head"].notna()).to_numpy(dtype=bool)
    found: Floats = np.select([same, known], [SAME_HEAD, OTHER_HEAD], 0.0)
    return found


def _addressed(one: pd.DataFrame, other: pd.DataFrame) -> Floats:
    """The finest place both addresses mean; known and different ones weigh against."""
    tests = [_equal(one[name], other[name]) for name in MEANT]
    doors = [side["gate"].str.replace(r"(?:-|附).*$", "", regex=True) for side in (one, other)]
    one_yard = _equal(*doors)
    both = [(one[name].notna() & other[name].notna()).to_numpy(dtype=bool) for name in MEANT]
    found: Floats = np.select(
        [*tests, one_yard, np.logical_or.reduce(both)], [*PLACE_WEIGHTS, SAME_YARD, OTHER_PLACE], 0.0
    )
    return found


def _equal(one: pd.Series, other: pd.Series) -> Flags:
    return (one == other).fillna(False).to_numpy(dtype=bool)


def _listed_once(rows: pd.DataFrame) -> pd.DataFrame:
    """What an organization holds at most one of: a valid code, and a row of each feed (rows of one code count as one)."""
    code = rows["uscc"].mask(rows["disputed"])
    labels = code.fillna("#" + rows["rid"].astype("str"))
    columns = {name: labels.where(rows["source"] == name) for name in sorted(rows["source"].unique())}
    return pd.DataFrame({"uscc": code, **columns}).set_index(pd.Index(rows["rid"]))


def _members(rows: pd.DataFrame, found: pd.Series, edges: pd.DataFrame) -> pd.DataFrame:
    clusters = rows["rid"].map(found)
    inside = edges[edges["a"].map(found).to_numpy() == edges["b"].map(found).to_numpy()]
    lines = pd.concat([inside[[side, "weight", "code"]].rename(columns={side: "rid"}) for side in ("a", "b")])
    best = lines.groupby("rid").agg({"weight": "max", "code": "max"}).reindex(rows["rid"]).reset_index(drop=True)
    coded = best["code"].eq(True).to_numpy(dtype=bool)
    how = np.select([~clusters.duplicated(keep=False), coded], ["single", "code"], default="model")
    weight = best["weight"].where(how == "model").astype("float64")
    return pd.DataFrame(
        {"rid": rows["rid"], "type": "organization", "kind": "", "cluster": clusters, "how": how, "weight": weight}
    )


def _registered_at(places: Places, members: pd.DataFrame) -> pd.DataFrame:
    """`registered_at` from each organization to the dwelling its addresses mean, else the building."""
    at = places.addresses.drop_duplicates("rid")
    if not {"dwelling", "building"} <= set(at.columns):
        return pd.DataFrame(columns=list(RELATION_COLUMNS))
    lines = members[["rid", "cluster"]].merge(at[["rid", "dwelling", "building"]], on="rid").sort_values("rid")
    to_kind = np.where(lines["dwelling"].notna(), "dwelling", "building")
    found = lines.assign(to_kind=to_kind, to_cluster=lines["dwelling"].fillna(lines["building"])).dropna(
        subset="to_cluster"
    )
    found = found.drop_duplicates(["cluster", "to_kind", "to_cluster"])
    found = found.assign(type="organization", kind="", relation="registered_at", to_type="place")
    return found[list(RELATION_COLUMNS)].astype({"to_cluster": "int64"})
