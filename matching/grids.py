"""Where a place lies: its division and grid, and by which rule that is known.

Rules in order: the feed's own grid code for the address; the polygon the coordinates lie in; the grid that most
addresses of the building, then of the estate, are said to be in; else the division of the feed alone.
"""

from __future__ import annotations

import pandas as pd

from schemas.records import Matched, Records, column

STEPS = ("dwelling", "building", "estate")  # where a place lies is told by itself, else by what it lies in
COMMITTEE = r"(?:社区居民委员会|社区居委会|村民委员会|居民委员会|居委会|村委会|社区|村)$"


def locate(records: Records, rows: pd.DataFrame, members: pd.DataFrame) -> Matched:
    """Locations of dwellings, buildings, estates and of every place record's cluster.

    rows: resolved addresses with `estate_id`, `building_id`, `dwelling_id`. members: the place members.
    """
    raw = records.frame("place")
    told = _record_grids(raw)
    own = rows[rows["type"] == "place"]
    said = own.assign(
        grid=own["rid"].map(told["grid"]).astype("str"), basis=own["rid"].map(told["basis"]).astype("str")
    )
    by = {name: _majority(said, f"{name}_id") for name in STEPS}
    lines = [_ladder(rows, name, by, _communities(raw)) for name in STEPS]
    if len(raw):
        lines.append(_listed(records, raw, members, told))
    found = pd.concat(lines, ignore_index=True)
    grid_division = _division_of_grids(raw)
    found["division"] = found["grid"].map(grid_division).astype("str").fillna(found["division"])
    return Matched(locations=found.drop_duplicates(["type", "kind", "cluster"], ignore_index=True))


def _record_grids(raw: pd.DataFrame) -> pd.DataFrame:
    """`grid` and `basis` of each place record (index `rid`): its own code, else the polygon that holds its coordinates."""
    code = column(raw, "grid_code")
    inside = polygon_of(column(raw, "longitude"), column(raw, "latitude"), grid_polygons(raw))
    basis = pd.Series("code", index=raw.index).where(code.notna(), "polygon")
    return pd.DataFrame({"grid": code.fillna(inside), "basis": basis}).set_index(pd.Index(raw["rid"]))


def _division_of_grids(raw: pd.DataFrame) -> dict[str, str]:
    """The division each listed grid belongs to."""
    grids = pd.DataFrame({"grid": column(raw, "grid_code"), "division": column(raw, "division_code")})
    grids = grids[column(raw, "kind") == "grid"].dropna().sort_values(["grid", "division"]).drop_duplicates("grid")
    return dict(zip(grids["grid"], grids["division"], strict=True))


def _communities(raw: pd.DataFrame) -> dict[str, str]:
    """Division code of each listed community, by its name without 社区 or 村 and the like; names borne twice are left out."""
    listed = pd.DataFrame({"name": column(raw, "name"), "division": column(raw, "division_code")})
    listed = listed[column(raw, "kind") == "community"].dropna()
    listed["name"] = listed["name"].str.replace(COMMITTEE, "", regex=True)
    listed = listed.drop_duplicates()
    listed = listed[~listed["name"].duplicated(keep=False)]
    return dict(zip(listed["name"], listed["division"], strict=True))


def grid_polygons(raw: pd.DataFrame) -> pd.DataFrame:
    """The grids' codes and boundaries: `code`, `geometry` (WKT); grids by code so that overlaps always fall alike."""
    grids = raw[(column(raw, "kind") == "grid") & column(raw, "geometry").notna() & column(raw, "grid_code").notna()]
    return pd.DataFrame({"code": column(grids, "grid_code"), "geometry": column(grids, "geometry")}).sort_values(
        "code", ignore_index=True
    )


def polygon_of(longitude: pd.Series, latitude: pd.Series, grids: pd.DataFrame) -> pd.Series:
    """The code of the grid each point lies in (the smallest where several do); missing for no point or no grid."""
    found = pd.Series(pd.NA, index=longitude.index, dtype="str")
    known = longitude.notna() & latitude.notna()
    if grids.empty or not known.any():
        return found
    import shapely

    shapes = shapely.from_wkt(grids["geometry"].to_numpy(dtype=object), on_invalid="ignore")
    points = shapely.points(longitude[known].astype("float64").to_numpy(), latitude[known].astype("float64").to_numpy())
    tree = shapely.STRtree(shapes)
    at, shape = tree.query(points, predicate="within")
    first = pd.Series(shape).groupby(at).min()
    index = found.index[known.to_numpy()][first.index.to_numpy()]
    found.loc[index] = grids["code"].to_numpy()[first.to_numpy()]
    return found


def _majority(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """`grid` and `basis` by cluster: what most records say, a feed's code before a polygon."""
    part = rows[[name, "grid", "basis"]].dropna()
    counts = part.groupby([name, "basis", "grid"]).size().rename("n").reset_index()
    counts = counts.sort_values([name, "basis", "n", "grid"], ascending=[True, True, False, True])
    return counts.drop_duplicates(name).set_index(name)[["grid", "basis"]]


def _ladder(rows: pd.DataFrame, name: str, by: dict[str, pd.DataFrame], communities: dict[str, str]) -> pd.DataFrame:
    first = rows[rows[f"{name}_id"].notna()].drop_duplicates(f"{name}_id")
    cluster = first[f"{name}_id"].astype("int64")
    found = pd.DataFrame({"type": "place", "kind": name, "cluster": cluster})
    found["grid"] = pd.Series(pd.NA, index=found.index, dtype="str")
    found["basis"] = pd.Series(pd.NA, index=found.index, dtype="str")
    for step in STEPS[STEPS.index(name) :]:
        grid = first[f"{step}_id"].map(by[step]["grid"]).astype("str")
        basis = first[f"{step}_id"].map(by[step]["basis"]).astype("str") if step == name else step
        found["basis"] = found["basis"].mask(found["grid"].isna() & grid.notna(), basis)
        found["grid"] = found["grid"].fillna(grid)
    community = cluster.map(_community_written(rows, name, communities)).astype("str")
    found["basis"] = found["basis"].fillna(community.notna().map({True: "community", False: "feed"}).astype("str"))
    return found.assign(division=community.fillna(first["area"]))


def _community_written(rows: pd.DataFrame, name: str, communities: dict[str, str]) -> pd.Series:
    """The division code of the listed community that most addresses of each cluster write."""
    short = rows["community"].str.replace(COMMITTEE, "", regex=True)
    part = pd.DataFrame({"cluster": rows[f"{name}_id"], "division": short.map(communities).astype("str")}).dropna()
    counts = part.groupby(["cluster", "division"]).size().rename("n").reset_index()
    counts = counts.sort_values(["cluster", "n", "division"], ascending=[True, False, True])
    return counts.drop_duplicates("cluster").set_index("cluster")["division"]


def _listed(records: Records, raw: pd.DataFrame, members: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Where the clusters of place records lie that addresses do not name: by the first record that knows its grid."""
    own = members[members["rid"].isin(raw["rid"])].copy()
    own[["grid", "basis"]] = told.reindex(own["rid"]).to_numpy()
    own = own.sort_values(["kind", "cluster", "grid", "rid"]).drop_duplicates(["kind", "cluster"])
    at = raw.set_index("rid").reindex(own["rid"])
    found = own[["type", "kind", "cluster", "grid"]].reset_index(drop=True).astype({"grid": "str"})
    found["division"] = column(at, "division_code").fillna(records.division(at)).to_numpy()
    found["basis"] = own["basis"].where(own["grid"].notna(), "feed").to_numpy()
    return found
