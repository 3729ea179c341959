"""Where each report is: what its address means, the words of one that cannot be read, and its position, or the middle of
what it means."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from matching.candidates import read_points
from matching.located import MEANT, places_meant
from matching.places import Places
from schemas.records import column
from schemas.text import fold, per_value

REPORTS = 20  # under a name, from which the ground that they lie on is known
ONE_MIDDLE = 0.3  # distance of the middles of two names for one place, by how far their reports spread
ALIKE_SPREAD = 1.3  # ratio of their spreads at most

_SPACES = re.compile(r"[\s,，.。;；:：!！?？()\[\]【】·\-]+")
_BESIDE = re.compile("(?:门口|附近|旁边?|对面|周边|路口|里面?|内|处)$")
_NUMBER = re.compile("[0-9]+(?:[栋幢座]|号楼|单元).*$")


def plain_text(text: str) -> str | None:
    """A text without blanks and marks; None where nothing is left."""
    return _SPACES.sub("", fold(text)) or None


def read_places(raw: pd.DataFrame, area: pd.Series, places: Places) -> pd.DataFrame:
    """By position: `building`, `gate` and `place` (the estate, else the gate, else the words as they stand), `east` and
    `north` in metres, and whether these are the `middle` of what the address means and not the report's own."""
    rows = places_meant(places, raw["rid"]).set_axis(raw.index)[[name for name in MEANT if name != "dwelling"]]
    written = per_value(column(raw, "address"), lambda text: _BESIDE.sub("", plain_text(text) or "") or None)
    counted = written.where(written.str.contains(_NUMBER) & rows["gate"].isna())
    named = written.str.replace(_NUMBER, "", regex=True)
    rows["place"] = area + "|" + rows["estate"].fillna(rows["gate"]).fillna(named.mask(named == ""))
    rows["building"] = area + "|" + rows["building"].fillna(counted)
    rows["gate"] = area + "|" + rows["gate"]
    points = pd.DataFrame(
        read_points(column(raw, "longitude"), column(raw, "latitude"), crowd=len(raw)),
        columns=["east", "north"], index=raw.index,
    )  # fmt: skip
    rows["place"] = rows["place"].replace(_one_ground(rows["place"], points))
    rows["middle"] = points["east"].isna()
    own = points.copy()
    for name in ("building", "gate", "place"):
        meant = rows[name].dropna()
        points = points.fillna(own.loc[meant.index].groupby(meant).transform("median"))
    return rows.drop(columns="estate").assign(east=points["east"], north=points["north"])


def _one_ground(place: pd.Series, points: pd.DataFrame) -> dict[str, str]:
    """The names that mean the place of another name (a road and number, and the village behind it): reports under both lie
    over the same ground, each name the other's nearest."""
    import shapely

    seen = points[place.notna()].groupby(place.dropna()).agg(["mean", "std", "count"])
    seen = seen[seen["east"]["count"] >= REPORTS]
    if len(seen) < 2:
        return {}
    middles, spread = (seen.xs(name, axis=1, level=1).to_numpy(dtype=np.float64) for name in ("mean", "std"))
    wide, number = np.hypot(spread[:, 0], spread[:, 1]), seen["east"]["count"].to_numpy()
    shapes = shapely.points(middles)
    (at, to), apart = shapely.STRtree(shapes).query_nearest(
        shapes, return_distance=True, all_matches=False, exclusive=True
    )
    nearest = np.full(len(seen), -1)
    nearest[at] = to
    low, high = np.minimum(wide[at], wide[to]), np.maximum(wide[at], wide[to])
    one = (nearest[to] == at) & (apart <= ONE_MIDDLE * low) & (high <= ALIKE_SPREAD * low)
    one &= (number[at] < number[to]) | ((number[at] == number[to]) & (at > to))
    names = seen.index
    return dict(zip(names[at[one]], names[to[one]], strict=True))
