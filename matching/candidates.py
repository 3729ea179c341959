"""Which rows are worth comparing: pairs that share a key or a spot, within a budget."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

METRES_PER_DEGREE = 111_320.0
LARGEST_BLOCK = 60  # rows that share one key; more say that the key is a hub, and nothing of who is the same
CROWD = 20  # rows of one feed at one very spot: a default position, which says nothing


def pairs_within(block: pd.DataFrame, largest: int = LARGEST_BLOCK) -> pd.DataFrame:
    """Distinct pairs `a` < `b` of row positions that share a key. block: `at` (position), `key`; keys of more than
    `largest` rows are left out."""
    known = block.dropna().drop_duplicates()
    size = known.groupby("key")["at"].transform("size")
    kept = known[(size > 1) & (size <= largest)]
    pairs = kept.merge(kept, on="key")
    pairs = pairs[pairs["at_x"] < pairs["at_y"]]
    return pd.DataFrame({"a": pairs["at_x"], "b": pairs["at_y"]}).drop_duplicates(ignore_index=True)


def read_points(longitude: pd.Series, latitude: pd.Series, crowd: int = CROWD) -> npt.NDArray[np.float64]:
    """Metres east and north (equirectangular, about the middle latitude), shape (rows, 2); NaN where not known, and
    where more than `crowd` rows stand at one spot."""
    east = pd.to_numeric(longitude, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    north = pd.to_numeric(latitude, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    known = (np.abs(east) <= 180) & (np.abs(north) <= 90) & (east != 0) & (north != 0)
    points = np.where(known[:, None], np.stack([east, north], axis=1), np.nan)
    points[pd.DataFrame(points).groupby([0, 1])[0].transform("size").to_numpy() > crowd] = np.nan
    found = points[~np.isnan(points[:, 1]), 1]
    middle = float(np.median(found)) if len(found) else 0.0
    metres: npt.NDArray[np.float64] = points * METRES_PER_DEGREE * np.array([np.cos(np.radians(middle)), 1.0])
    return metres


def distances(points: npt.NDArray[np.float64], pairs: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Metres between the points at positions `a` and `b`; NaN where either is not known."""
    apart = points[pairs["a"].to_numpy()] - points[pairs["b"].to_numpy()]
    found: npt.NDArray[np.float64] = np.hypot(apart[:, 0], apart[:, 1])
    return found


def near_pairs(points: npt.NDArray[np.float64], metres: float) -> pd.DataFrame:
    """Pairs `a` < `b` of positions of points at most `metres` apart."""
    import shapely

    known = np.flatnonzero(~np.isnan(points[:, 0]))
    shapes = shapely.points(points[known])
    at, to = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=metres)
    return pd.DataFrame({"a": known[at[at < to]], "b": known[to[at < to]]})


def stepped(
    values: npt.NDArray[np.float64], steps: tuple[float, ...], weights: tuple[float, ...]
) -> npt.NDArray[np.float64]:
    """The weight of each value: that of the first step it does not exceed, the last beyond all; 0 for NaN."""
    at = np.searchsorted(np.array(steps), values).clip(max=len(steps))
    found: npt.NDArray[np.float64] = np.where(np.isnan(values), 0.0, np.array(weights)[at])
    return found


def texts_alike(one: pd.Series, other: pd.Series, *, inside: bool = False) -> npt.NDArray[np.float64]:
    """rapidfuzz ratio (0 to 100) of two aligned text columns; NaN where either is missing. `inside`: of the shorter text
    with the part of the longer that fits it best."""
    from rapidfuzz import fuzz, process

    ratio = fuzz.partial_ratio if inside else fuzz.ratio
    known = (one.notna().to_numpy() & other.notna().to_numpy()).astype(bool)
    scores = process.cpdist(one.fillna("").tolist(), other.fillna("").tolist(), scorer=ratio, dtype=np.float32)
    found: npt.NDArray[np.float64] = np.where(known, np.asarray(scores, dtype=np.float64), np.nan)
    return found
