"""The grid and division of things, organizations and events: by the feed's own code, else by the polygon, else the feed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.grids import grid_polygons, polygon_of
from matching.places import Places
from schemas.records import LOCATION_COLUMNS, RELATION_COLUMNS, Matched, Records, column

MEANT = ("dwelling", "gate", "building", "estate")


def places_meant(places: Places, rids: pd.Series) -> pd.DataFrame:
    """What the address of each record means, aligned with `rids`: MEANT columns as `str`, missing where not readable."""
    at = places.addresses.drop_duplicates("rid").set_index("rid").reindex(rids)
    return pd.DataFrame({name: column(at, name).to_numpy() for name in MEANT}, index=rids.index).astype("str")


def locate_members(records: Records, places: Places, members: pd.DataFrame) -> Matched:
    """Locations of the clusters of `members` (of one type), and `located_in` relations to the grids that feeds list.

    Of several records the one whose grid is known best decides: code, polygon, feed; then the smallest `rid`.
    """
    if members.empty:
        return Matched()
    kind = str(members["type"].iloc[0])
    raw = records.frame(kind).set_index("rid", drop=False).reindex(members["rid"])
    raw.index = members.index
    lines = _lines(records, raw).assign(type=kind, kind="", cluster=members["cluster"], rid=members["rid"])
    rank = lines["basis"].map({"code": 0, "polygon": 1, "feed": 2})
    best = lines.assign(rank=rank).sort_values(["cluster", "rank", "rid"]).drop_duplicates("cluster", ignore_index=True)
    return Matched(locations=best[list(LOCATION_COLUMNS)], relations=_in_grids(records, places, best))


def _lines(records: Records, raw: pd.DataFrame) -> pd.DataFrame:
    listed = records.frame("place")
    code = column(raw, "grid_code")
    inside = polygon_of(column(raw, "longitude"), column(raw, "latitude"), grid_polygons(listed))
    grid = code.fillna(inside).astype("str")
    basis = np.select([code.notna(), inside.notna()], ["code", "polygon"], default="feed")
    division = grid.map(_divisions(listed)).astype("str").fillna(records.division(raw))
    return pd.DataFrame({"division": division, "grid": grid, "basis": basis}, index=raw.index)


def _divisions(listed: pd.DataFrame) -> pd.Series:
    """The division code of each grid code, as the grids' own records say it (the smallest where they differ)."""
    grids = listed[column(listed, "kind") == "grid"]
    said = pd.DataFrame({"grid": column(grids, "grid_code"), "division": column(grids, "division_code")}).dropna()
    return said.sort_values(["grid", "division"]).drop_duplicates("grid").set_index("grid")["division"].astype("str")


def _in_grids(records: Records, places: Places, best: pd.DataFrame) -> pd.DataFrame:
    listed = records.frame("place")
    code = pd.Series(column(listed, "grid_code").to_numpy(), index=listed["rid"])
    grids = places.matched.members
    grids = grids[grids["kind"] == "grid"]
    known = pd.DataFrame({"grid": grids["rid"].map(code), "to_cluster": grids["cluster"]}).dropna()
    known = known.sort_values(["grid", "to_cluster"]).drop_duplicates("grid")
    found = best.merge(known, on="grid")
    found = found.assign(relation="located_in", to_type="place", to_kind="grid")
    return found[list(RELATION_COLUMNS)].astype({"to_cluster": "int64"})
