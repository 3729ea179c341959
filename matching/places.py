"""Places: dwellings, buildings and estates from all addresses, places the feeds list, and the grid each lies in."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from matching.address_tail import WHOLE_HOUSE
from matching.atlas import Atlas
from matching.dwellings import estate_heads, gather_addresses, resolve, written_heads
from matching.estates import match_estates
from matching.gazetteer import fold_estate
from matching.grids import locate
from schemas.records import Matched, Records, column

LADDER = ("estate", "building", "dwelling")
SETTLED_ROWS = (
    "rid", "type", "property", "area", "written", "gate", "head", "building", "unit", "room",
    "estate_id", "building_id", "dwelling_id",
)  # fmt: skip
KEYS = {
    "estate": ["area", "head"],
    "building": ["area", "head", "building"],
    "dwelling": ["area", "head", "building", "unit", "room"],
}
BY_CODE = {"grid": "grid_code", "community": "division_code"}
KIND_OF_LEVEL = {"room": "dwelling", "unit": "unit", "building": "building", "estate": "estate", "road": "gate"}


@dataclass(frozen=True)
class Places:
    """matched: members, derived values, relations and locations of places.

    homes: for each person record with an address, `rid` and what the address means: `dwelling`, `building`, `estate`
    (Int64 clusters, missing where not readable so far), `community` (text), `level`, `unit`, `room`. registered: the same for
    registered addresses. addresses: the same for all other records, with `type`. atlas: what the addresses were read by.
    rows: every address read, with what it was settled to, `written` the head it writes.
    """

    matched: Matched
    homes: pd.DataFrame
    registered: pd.DataFrame
    addresses: pd.DataFrame
    atlas: Atlas = field(default_factory=Atlas)
    rows: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(SETTLED_ROWS)))


def match_places(records: Records, atlas: Atlas | None = None) -> Places:
    """Read every address, find out which mean the same dwelling, building or estate, and place them in grids.

    atlas: what was learned of the district's addresses; None learns it now.
    """
    atlas = atlas or Atlas()
    rows = resolve(gather_addresses(records), atlas)
    rows = _numbered(rows)
    estates = match_estates(records, estate_heads(records, rows, atlas))
    rows, estate_of = _with_listed_estates(rows, estates.clusters, records)
    members = _members(records, rows, estate_of)
    standing = rows[(rows["type"] == "place") | ((rows["type"] == "person") & (rows["property"] == "address"))]
    matched = Matched(members, _derived(standing), _relations(standing)) + Matched(relations=estates.parts)
    matched += _located(records, rows, standing, members)
    kept = rows.assign(written=written_heads(rows))[list(SETTLED_ROWS)]
    return Places(matched, _part(rows, "address"), _part(rows, "registered_address"), _others(rows), atlas, kept)


def _located(records: Records, rows: pd.DataFrame, standing: pd.DataFrame, members: pd.DataFrame) -> Matched:
    """Locations of the places that exist: those that homes and place records show, not every gate a shop names."""
    found = locate(records, rows, members).locations
    known = [members[["kind", "cluster"]]]
    known += [pd.DataFrame({"kind": name, "cluster": standing[f"{name}_id"].dropna().unique()}) for name in LADDER]
    exists = pd.MultiIndex.from_frame(pd.concat(known).astype({"cluster": "int64"}))
    kept = pd.MultiIndex.from_frame(found[["kind", "cluster"]]).isin(exists)
    return Matched(locations=found[kept].reset_index(drop=True))


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds Int64 columns `estate_id`, `building_id`, `dwelling_id`: the smallest `rid` of the rows that mean it."""
    known = rows["head"].notna()
    ready = {
        "estate": known,
        "building": known & (rows["building"].notna() | (rows["room"].notna() & rows["unit"].notna())),
        "dwelling": known & (rows["level"] == "room"),
    }
    for name in LADDER:
        part = rows.loc[ready[name], [*KEYS[name], "rid"]].fillna("")
        first = part.groupby(KEYS[name], sort=False)["rid"].transform("min")
        rows[f"{name}_id"] = first.astype("Int64").reindex(rows.index)
    return rows


def _with_listed_estates(rows: pd.DataFrame, estates: pd.DataFrame, records: Records) -> tuple[pd.DataFrame, pd.Series]:
    """Estates that feeds list take the place of those that addresses name alike; others keep their own number.

    Returns the rows and, for each listed estate record, its cluster (index `rid`).
    """
    listed = estates.set_index("rid")["cluster"].astype("Int64")
    raw = records.frame("place")
    raw = raw[raw["rid"].isin(listed.index)]
    names = pd.DataFrame(
        {"area": records.division(raw).str[:6], "head": column(raw, "name").map(fold_estate, na_action="ignore")}
    )
    names["cluster"] = raw["rid"].map(listed)
    unique = names.dropna().drop_duplicates()
    unique = unique[~unique.duplicated(["area", "head"], keep=False)]
    found = rows[["area", "head"]].merge(unique, on=["area", "head"], how="left")["cluster"].set_axis(rows.index)
    rows["estate_id"] = found.astype("Int64").fillna(rows["estate_id"])
    return rows, listed


def _members(records: Records, rows: pd.DataFrame, estate_of: pd.Series) -> pd.DataFrame:
    homes = rows[(rows["type"] == "person") & (rows["property"] == "address") & rows["dwelling_id"].notna()]
    lines = [pd.DataFrame({"rid": homes["rid"], "kind": "dwelling", "cluster": homes["dwelling_id"], "how": "address"})]
    raw = records.frame("place")
    if len(raw):
        lines.append(_place_members(records, raw, rows[rows["type"] == "place"], estate_of))
    members = pd.concat(lines, ignore_index=True)
    members.insert(1, "type", "place")
    return members.astype({"rid": "int64", "cluster": "int64"}).assign(weight=np.nan)


def _place_members(records: Records, raw: pd.DataFrame, read: pd.DataFrame, estate_of: pd.Series) -> pd.DataFrame:
    at = read.set_index("rid").reindex(raw["rid"]).set_axis(raw.index)
    kind = column(raw, "kind").fillna(at["level"].map(KIND_OF_LEVEL)).fillna("area")
    cluster = pd.Series(pd.NA, index=raw.index, dtype="Int64")
    for name in ("building", "dwelling"):
        cluster = cluster.mask(kind == name, at[f"{name}_id"].astype("Int64"))
    cluster = cluster.mask(kind == "estate", raw["rid"].map(estate_of).astype("Int64"))
    for name, code in BY_CODE.items():
        coded = (kind == name) & column(raw, code).notna()
        cluster = cluster.mask(coded, raw["rid"].groupby(column(raw, code)).transform("min").astype("Int64"))
    how = pd.Series("address", index=raw.index).mask(kind.isin(list(BY_CODE)), "code").mask(kind == "estate", "name")
    open_ = cluster.isna()
    cluster = cluster.fillna(_by_text(records, raw, kind))
    how = how.mask(open_, "name")
    return pd.DataFrame({"rid": raw["rid"], "kind": kind, "cluster": cluster, "how": how})


def _by_text(records: Records, raw: pd.DataFrame, kind: pd.Series) -> pd.Series:
    """Other places are one when kind, division, name and address are written alike; with neither text each is its own."""
    key = pd.DataFrame(
        {"kind": kind, "area": records.division(raw), "name": column(raw, "name"), "address": column(raw, "address")}
    )
    told = key["name"].notna() | key["address"].notna()
    own = raw["rid"].astype("Int64")
    first = raw["rid"].groupby([key[name].fillna("") for name in key]).transform("min").astype("Int64")
    return first.where(told, own)


def _canonical(rows: pd.DataFrame, names: pd.Series) -> pd.Series:
    """One way to write an address: estate (or road and number), building, unit, room; a whole house has no room."""
    head = rows["head"].map(names).astype("str").fillna(rows["head"])
    gate = rows["head"].str.contains("|", regex=False).fillna(False) & ~rows["head"].str.endswith("弄").fillna(False)
    text = head.str.replace("|", "", regex=False) + gate.map({True: "号", False: ""}).astype("str")
    text += _word(rows["building"].str.replace(r"(组[0-9A-Z-]+)$", r"\1号", regex=True), "栋", ("组", "号"))
    return text + _word(rows["unit"], "单元") + _word(rows["room"].where(rows["room"] != WHOLE_HOUSE), "室")


def _estate_names(rows: pd.DataFrame) -> pd.Series:
    """How addresses most often write the estate of each head."""
    written = rows["estate"] + rows["zone"].where(~rows["estate"].str.endswith("区").fillna(False)).fillna("")
    written += _word(rows["phase"], "期")
    counted = pd.DataFrame({"head": rows["head"], "name": written}).dropna().value_counts().rename("n").reset_index()
    counted = counted.sort_values(["n", "name"], ascending=[False, True]).drop_duplicates("head")
    return counted.set_index("head")["name"]


def _word(values: pd.Series, mark: str, marked: tuple[str, ...] = ()) -> pd.Series:
    known = values.fillna("").replace("?", "")
    ends = known.str.endswith(marked) if marked else pd.Series(False, index=values.index)
    return known.where((known == "") | ends, known + mark)


def _derived(rows: pd.DataFrame) -> pd.DataFrame:
    frames, names = [], _estate_names(rows)
    blank = {"estate": ("building", "unit", "room"), "building": ("unit", "room"), "dwelling": ()}
    for name in LADDER:
        first = rows[rows[f"{name}_id"].notna()].sort_values(["rid", "property"]).drop_duplicates(f"{name}_id")
        bare = first.copy()
        bare[list(blank[name])] = None
        found = pd.DataFrame({"cluster": first[f"{name}_id"], "value": _canonical(bare, names), "rid": first["rid"]})
        found["property"] = "name" if name == "estate" else "address"
        frames.append(found.assign(type="place", kind=name))
    columns = ["type", "kind", "cluster", "property", "value", "rid"]
    return pd.concat(frames, ignore_index=True)[columns].astype({"cluster": "int64", "rid": "int64"})


def _relations(rows: pd.DataFrame) -> pd.DataFrame:
    frames = []
    for low, high in (("dwelling", "building"), ("building", "estate"), ("dwelling", "estate")):
        pairs = rows[["rid", f"{low}_id", f"{high}_id"]].dropna().set_axis(["rid", "cluster", "to_cluster"], axis=1)
        if (low, high) == ("dwelling", "estate"):
            pairs = pairs[rows.loc[pairs.index, "building_id"].isna()]
        frames.append(pairs.drop_duplicates("cluster").assign(type="place", kind=low, to_type="place", to_kind=high))
    found = pd.concat(frames, ignore_index=True).assign(relation="located_in")
    columns = ["type", "kind", "cluster", "relation", "to_type", "to_kind", "to_cluster", "rid"]
    return found[columns].astype({"cluster": "int64", "to_cluster": "int64", "rid": "int64"})


def _part(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    return _homes(rows[(rows["type"] == "person") & (rows["property"] == name)])


def _others(rows: pd.DataFrame) -> pd.DataFrame:
    others = rows[rows["type"] != "person"]
    return _homes(others).assign(type=others["type"].to_numpy())


def _homes(rows: pd.DataFrame) -> pd.DataFrame:
    found = rows[["rid", "community", "level", "unit", "room", "road", "road_number", "gate"]].reset_index(drop=True)
    for name in LADDER:
        found[name] = rows[f"{name}_id"].to_numpy()
    return found
