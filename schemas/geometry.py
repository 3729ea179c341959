"""Shapes as text: WKT or GeoJSON in, WKT out (degrees, longitude first)."""

from __future__ import annotations

import numpy as np
import pandas as pd


def to_wkt(raw: str) -> str | None:
    """The WKT of a WKT or GeoJSON text (a geometry or a feature); other text as it is, empty shapes as None."""
    import shapely

    text = raw.strip()
    if not text or text.lower() in ("null", "none", "nan"):
        return None
    read = shapely.from_geojson if text[0] == "{" else shapely.from_wkt
    with np.errstate(over="ignore"):
        shape = read(text.replace("\x00", ""), on_invalid="ignore")
    if shape is None:
        return text
    return None if shape.is_empty else str(shapely.to_wkt(shape, rounding_precision=-1))


def shapes(series: pd.Series) -> np.ndarray:
    """The shapely geometries of WKT texts, None where missing or unreadable."""
    import shapely

    texts = series.astype(object).where(series.notna(), None).to_numpy()
    with np.errstate(over="ignore"):
        found: np.ndarray = shapely.from_wkt(texts, on_invalid="ignore")
    return found


def unreadable(series: pd.Series) -> pd.Series:
    """Whether the text is no shape; `bool`, False for missing."""
    found = shapes(series)
    return pd.Series([shape is None for shape in found], index=series.index, dtype=bool) & series.notna()


def invalid(series: pd.Series) -> pd.Series:
    """Whether the shape crosses itself or is otherwise against the Simple Features rules."""
    import shapely

    found = shapes(series)
    return pd.Series(~shapely.is_missing(found) & ~shapely.is_valid(found), index=series.index, dtype=bool)


def outside_degrees(series: pd.Series) -> pd.Series:
    """Whether the shape leaves -180..180, -90..90: projected metres, or latitude first."""
    import shapely

    bounds = shapely.bounds(shapes(series)).reshape(-1, 4)
    with np.errstate(invalid="ignore"):
        beyond = (np.abs(bounds[:, [0, 2]]) > 180).any(axis=1) | (np.abs(bounds[:, [1, 3]]) > 90).any(axis=1)
    return pd.Series(beyond, index=series.index, dtype=bool)
