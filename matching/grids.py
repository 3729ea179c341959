"""Where a place lies: its division and grid, and by which rule that is known.

Rules in order: the feed's own grid code for the address; the polygon the coordinates lie in; the grid that most
addresses of the building, then of the estate, are said to be in; else the division of the feed alone.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from schemas.records import Matched, Records, column

BASES = ("code", "polygon", "building", "estate", "feed")


def locate(records: Records, rows: pd.DataFrame, members: pd.DataFrame) -> Matched:
    """Locations of dwellings, buildings, estates and of every place record's cluster.

    rows: resolved addresses with `estate_id`, `building_id`, `dwelling_id`. members: the place members.
    """
    raw = records.frame("place")
    grid = pd.Series(dtype="str") if raw.empty else _record_grids(raw)
    said = rows.assign(grid_said=rows["rid"].where(rows["type"] == "place").map(grid).astype("str"))
    by = {name: _majority(said, f"{name}_id") for name in ("dwelling", "building", "estate")}
    lines = [_ladder(rows, name, by) for name in ("dwelling", "building", "estate")]
    if len(raw):
        lines.append(_listed(records, raw, members, grid))
    found = pd.concat(lines, ignore_index=True).drop_duplicates(["type", "kind", "cluster"], ignore_index=True)
    return Matched(locations=found)


def _record_grids(raw: pd.DataFrame) -> pd.Series:
    """The grid of each place record (index `rid`): its own code, else the polygon that holds its coordinates."""
    code = column(raw, "grid_code")
    inside = polygon_of(column(raw, "longitude"), column(raw, "latitude"), grid_polygons(raw))
    found = code.fillna(inside)
    found.index = pd.Index(raw["rid"])
    return found


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


def _majority(rows: pd.DataFrame, name: str) -> pd.Series:
    part = rows[[name, "grid_said"]].dropna()
    if part.empty:
        return pd.Series(dtype="str")
    counts = part.groupby([name, "grid_said"]).size().rename("n").reset_index()
    counts = counts.sort_values([name, "n", "grid_said"], ascending=[True, False, True])
    return counts.drop_duplicates(name).set_index(name)["grid_said"]


def _ladder(rows: pd.DataFrame, name: str, by: dict[str, pd.Series]) -> pd.DataFrame:
    first = rows[rows[f"{name}_id"].notna()].drop_duplicates(f"{name}_id")
    found = pd.DataFrame(
        {"type": "place", "kind": name, "cluster": first[f"{name}_id"].astype("int64"), "division": first["area"]}
    )
    found["grid"] = pd.Series(pd.NA, index=found.index, dtype="str")
    found["basis"] = "feed"
    steps = {"dwelling": ("dwelling", "building", "estate"), "building": ("building", "estate"), "estate": ("estate",)}[
        name
    ]
    for step in steps:
        told = first[f"{step}_id"].map(by[step]).astype("str")
        fresh = found["grid"].isna() & told.notna()
        found["grid"] = found["grid"].fillna(told)
        found["basis"] = found["basis"].mask(fresh, "code" if step == name else step)
    return found


def _listed(records: Records, raw: pd.DataFrame, members: pd.DataFrame, grid: pd.Series) -> pd.DataFrame:
    own = members[members["rid"].isin(raw["rid"])].drop_duplicates(["kind", "cluster"])
    at = raw.set_index("rid").reindex(own["rid"])
    code = column(at, "grid_code")
    found = pd.DataFrame({"type": "place", "kind": own["kind"].to_numpy(), "cluster": own["cluster"].to_numpy()})
    found["division"] = column(at, "division_code").fillna(records.division(at)).to_numpy()
    found["grid"] = own["rid"].map(grid).to_numpy()
    found["basis"] = np.select([code.notna().to_numpy(), found["grid"].notna()], ["code", "polygon"], default="feed")
    return found
