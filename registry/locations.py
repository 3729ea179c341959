"""(division, grid) of every entity by rule: what matching found, else its place's, else its feed's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from registry.groups import Groups
from registry.origins import Origins

WHERE = ("division", "grid", "basis")
TO_PLACES = {"lives_at": 0, "located_in": 1, "registered_at": 2, "member_of": 3}  # which relation tells it first
STEPS = 2  # person -> household -> dwelling


def locate(groups: Groups, locations: pd.DataFrame, links: pd.DataFrame, origins: Origins) -> pd.DataFrame:
    """`division`, `grid` (missing: no grid), `basis` of each group, by its number.

    locations: as in `Matched`. links: relations as `group`, `relation`, `to_group`, `rid`.
    """
    found = _told(groups, locations)
    ways = links.assign(order=links["relation"].map(TO_PLACES)).dropna(subset=["order"])
    ways = ways.sort_values(["order", "rid", "to_group"])
    for _ in range(STEPS):
        found = pd.concat([found, _through(ways, found)])
    located = found.reindex(groups.table.index)
    lost = located["division"].isna().to_numpy()
    first = origins.at(groups.table["first"].to_numpy())
    located["division"] = located["division"].where(~lost, origins.division.take(first).set_axis(located.index))
    located["basis"] = located["basis"].where(~lost, "feed")
    return located


def _told(groups: Groups, locations: pd.DataFrame) -> pd.DataFrame:
    group = groups.find(locations)
    told = locations[list(WHERE)].astype("str").set_axis(pd.Index(group))
    told = told[(group >= 0) & told["division"].notna().to_numpy()]
    return told[~told.index.duplicated()]


def _through(ways: pd.DataFrame, found: pd.DataFrame) -> pd.DataFrame:
    """The locations of groups that have none yet, through their first relation to one that has."""
    open_ = ways[~ways["group"].isin(found.index) & ways["to_group"].isin(found.index)].drop_duplicates("group")
    return found.loc[open_["to_group"].to_numpy(dtype=np.int64)].set_axis(pd.Index(open_["group"]))
