"""Grids as polygons: they cover the street but for one gap, and lie apart but for one overlap."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

from shapely.geometry import shape
from shapely.ops import unary_union


def test_one_gap_and_one_overlap(town: Path) -> None:
    features = json.loads((town / "data" / "grids.geojson").read_text(encoding="utf-8"))["features"]
    grids = [shape(f["geometry"]) for f in features if f["properties"]["kind"] == "网格"]
    communities = [shape(f["geometry"]) for f in features if f["properties"]["kind"] == "社区"]
    tiny = min(grid.area for grid in grids) / 1000
    assert sum(a.intersection(b).area > tiny for a, b in combinations(grids, 2)) == 1
    left = unary_union(communities).difference(unary_union(grids).buffer(1e-9))
    parts = list(left.geoms) if hasattr(left, "geoms") else [left]
    assert sum(part.area > tiny for part in parts) == 1
    assert all(f["properties"]["manager"] and f["properties"]["phone"] for f in features)
