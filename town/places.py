"""The ground: communities, grids, roads, estates, buildings and dwellings of the street."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from town.draw import Rng, among, choose, stream, words

STREET = "340202004"
COMMUNITIES, GRIDS, HOUSEHOLDS = 12, 181, 65357  # X Street's own figures
SPARE = 1.13  # dwellings for each household: flats stand empty, are let, or wait for their owner
ORIGIN = (118.350, 31.320)  # degrees, the street's south-west corner
CELL = (0.0080, 0.0064)  # degrees, a community's width and height
KINDS = {"high": 0.34, "multi": 0.46, "lane": 0.10, "yard": 0.10}  # shares of estates outside villages
PHASED = 0.18  # estates built in two phases, or with an east and a west part
ALIASED = 0.35  # estates known under a second name


@dataclass(frozen=True)
class Places:
    """The street's ground. Row numbers are ids: `dwellings.building` is a row of `buildings`, and so on up.

    communities: code, name, west, south. grids: code, community, west, south, east, north.
    estates: name, alias, kind, community, road, number, road2, number2, lon, lat, labels (how its buildings are called).
    buildings: estate, number, group, units, floors, rooms (a floor), grid, lon, lat.
    dwellings: building, unit (0: none), floor, room (0: the whole house).
    """

    communities: pd.DataFrame
    grids: pd.DataFrame
    estates: pd.DataFrame
    buildings: pd.DataFrame
    dwellings: pd.DataFrame


def build_places(scale: float, seed: int) -> Places:
    """The ground for `scale` times the street's households."""
    communities = _communities(scale)
    grids = _grids(communities, max(2 * len(communities), round(GRIDS * scale)))
    estates, buildings = _estates(communities, round(HOUSEHOLDS * scale * SPARE), stream(seed, "estates"))
    buildings = _place_buildings(buildings, estates, grids, stream(seed, "sites"))
    centre = buildings.groupby("estate")[["lon", "lat"]].mean().round(6)
    return Places(communities, grids, estates.join(centre), buildings, _dwellings(buildings))


def _communities(scale: float) -> pd.DataFrame:
    """Fewer communities at small scales, so that each keeps a believable size; villages last (third block 2xx)."""
    count = max(2, min(COMMUNITIES, round(COMMUNITIES * scale**0.5)))
    villages = max(1, count // 4)
    names = words("places.yml")
    urban = [(f"{STREET}{i + 1:03}", f"{n}社区") for i, n in enumerate(names["communities"][: count - villages])]
    rural = [(f"{STREET}{i + 201:03}", f"{n}村") for i, n in enumerate(names["villages"][:villages])]
    frame = pd.DataFrame([*urban, *rural], columns=["code", "name"])
    across = int(np.ceil(np.sqrt(count * 4 / 3)))
    place = np.arange(count)
    frame["west"] = (ORIGIN[0] + CELL[0] * (place % across)).round(6)
    frame["south"] = (ORIGIN[1] + CELL[1] * (place // across)).round(6)
    frame["village"] = frame["name"].str.endswith("村")
    return frame


def _grids(communities: pd.DataFrame, count: int) -> pd.DataFrame:
    """Each community cut into rectangles, numbered from west to east and then from north to south."""
    rows = []
    for number, share in enumerate(np.array_split(np.arange(count), len(communities))):
        here, cells = communities.iloc[number], len(share)
        bands = max(1, round(np.sqrt(cells)))
        serial = 0
        for band, part in enumerate(np.array_split(np.arange(cells), bands)):
            for column in range(len(part)):
                serial += 1
                west = here.west + CELL[0] * column / len(part)
                north = here.south + CELL[1] * (1 - band / bands)
                box = (west, north - CELL[1] / bands, west + CELL[0] / len(part), north)
                rows.append((f"{here.code}{serial:03}", number, serial, *(round(edge, 6) for edge in box)))
    return pd.DataFrame(rows, columns=["code", "community", "serial", "west", "south", "east", "north"])


def _estates(communities: pd.DataFrame, homes: int, rng: Rng) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Estates are added to each community until it has its share of the homes."""
    namer = _Namer(rng)
    estates: list[tuple[object, ...]] = []
    buildings: list[pd.DataFrame] = []
    for number, here in communities.iterrows():
        left = homes / len(communities)
        namer.open_roads()
        while left > 0:
            kind = "village" if here.village and rng.random() < 0.6 else among(rng, KINDS, 1)[0]
            for name, alias in namer.estate(kind, here["name"]):
                made = _shapes(kind, rng, left)
                made["estate"] = len(estates)
                left -= int((np.maximum(made.units, 1) * made.floors * made.rooms).sum())
                estates.append((name, alias, kind, number, *namer.plate(), *namer.plate(), _labels(kind, rng)))
                buildings.append(made)
    columns = ["name", "alias", "kind", "community", "road", "number", "road2", "number2", "labels"]
    return pd.DataFrame(estates, columns=columns), pd.concat(buildings, ignore_index=True)


def _labels(kind: str, rng: Rng) -> str:
    if kind in ("high", "multi"):
        return str(among(rng, {"栋": 0.45, "幢": 0.25, "号楼": 0.25, "座": 0.05 if kind == "high" else 0.0}, 1)[0])
    return {"lane": "号", "yard": "号楼", "village": "号"}[kind]


class _Namer:
    """Hands out names of estates and door plates, none twice."""

    def __init__(self, rng: Rng) -> None:
        self.rng, self.words = rng, words("places.yml")
        self.used: set[str] = set()
        self.doors: dict[str, int] = {}
        self.roads: list[str] = []

    def open_roads(self) -> None:
        """The roads of the next community: five, some of which it shares with its neighbours."""
        ends = among(self.rng, self.words["road_ends"], 5)
        stems = self.rng.permutation(self.words["roads"])[:5]
        self.roads = [*self.roads[:1], *(stem + end for stem, end in zip(stems.tolist(), ends, strict=True))]

    def plate(self) -> tuple[str, int]:
        """The next free door number of a road."""
        road = str(choose(self.rng, self.roads, 1)[0])
        self.doors[road] = self.doors.get(road, int(self.rng.integers(1, 30))) + int(self.rng.integers(2, 24))
        return road, self.doors[road]

    def estate(self, kind: str, community: str) -> list[tuple[str, str | None]]:
        """One name and alias, or two when the estate has two phases. Lanes and yards bear the name of their door plate alone."""
        if kind in ("lane", "yard"):
            return [("", None)]
        if kind == "village":
            return [
                (
                    self._fresh(lambda: self._pick("estate_first")[:1] + choose(self.rng, list("村塘圩湾岗桥"), 1)[0]),
                    None,
                )
            ]
        name = self._fresh(lambda: self._pick("estate_first") + self._pick("estate_last"))
        alias = self._fresh(self._alias) if self.rng.random() < ALIASED else None
        if self.rng.random() >= PHASED:
            return [(name, alias)]
        phases = self.words["phases"][int(self.rng.integers(0, len(self.words["phases"])))]
        return [(name + part, alias + part if alias else None) for part in phases]

    def _alias(self) -> str:
        kind = "alias" if self.rng.random() < 0.4 else "brand"
        return self._pick(f"{kind}_first") + self._pick(f"{kind}_last")

    def _pick(self, key: str) -> str:
        return str(choose(self.rng, self.words[key], 1)[0])

    def _fresh(self, make) -> str:  # type: ignore[no-untyped-def]
        for _ in range(500):
            name = str(make())
            if name not in self.used:
                self.used.add(name)
                return name
        name = f"{name}{len(self.used)}号院"
        self.used.add(name)
        return name


def _shapes(kind: str, rng: Rng, left: float) -> pd.DataFrame:
    """Number, group, units, floors and rooms a floor of the buildings of one estate (units 0: no unit is ever written)."""
    if kind == "village":
        return _village(rng, left)
    low, high = {"high": (3, 9), "multi": (8, 22), "lane": (15, 40), "yard": (2, 7)}[kind]
    count = int(rng.integers(low, high + 1))
    floors = {"high": (11, 33), "multi": (5, 7), "lane": (3, 6), "yard": (5, 7)}[kind]
    units = {"high": (1, 2), "multi": (1, 5), "lane": (0, 0), "yard": (2, 4)}[kind]
    rooms = {"high": (2, 4), "multi": (2, 3), "lane": (2, 4), "yard": (2, 3)}[kind]
    shape = pd.DataFrame({"number": np.arange(1, count + 1), "group": 0})
    homes = 0
    shape["units"] = rng.integers(units[0], units[1] + 1, count)
    shape["floors"] = rng.integers(floors[0], floors[1] + 1, count)
    shape["rooms"] = np.full(count, rng.integers(rooms[0], rooms[1] + 1))
    homes = (np.maximum(shape.units, 1) * shape.floors * shape.rooms).cumsum()
    kept: pd.DataFrame = shape[homes.shift(fill_value=0) < max(left, 60)]
    return kept


def _village(rng: Rng, left: float) -> pd.DataFrame:
    """Self-built houses in groups; a third of them let rooms by the floor, the others are one home each."""
    houses = int(rng.integers(25, 70)) * int(rng.integers(3, 8))
    shape = pd.DataFrame({"number": np.arange(houses), "group": np.arange(houses) // int(rng.integers(25, 70)) + 1})
    shape["number"] = shape.groupby("group").cumcount() + 1
    let = rng.random(houses) < 0.33
    shape["units"] = 0
    shape["floors"] = np.where(let, rng.integers(2, 5, houses), 1)
    shape["rooms"] = np.where(let, rng.integers(2, 5, houses), 1)
    homes = (shape.floors * shape.rooms).cumsum()
    kept: pd.DataFrame = shape[homes.shift(fill_value=0) < max(left, 60)]
    return kept


def _place_buildings(buildings: pd.DataFrame, estates: pd.DataFrame, grids: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Buildings of a community are dealt to its grids in order, so that each grid has about the same number of homes."""
    community = estates["community"].to_numpy()[buildings["estate"]]
    homes = np.maximum(buildings.units, 1) * buildings.floors * buildings.rooms
    before = homes.groupby(community).cumsum() - homes
    share = before / homes.groupby(community).transform("sum").to_numpy()
    count = grids.groupby("community").size().to_numpy()[community]
    first = grids.groupby("community").apply(lambda g: g.index[0]).to_numpy()[community]
    placed = buildings.assign(grid=first + np.minimum((share * count).astype(int), count - 1))
    box = grids.loc[placed["grid"], ["west", "south", "east", "north"]].to_numpy()
    at = 0.1 + 0.8 * rng.random((len(placed), 2))
    placed["lon"] = (box[:, 0] + (box[:, 2] - box[:, 0]) * at[:, 0]).round(6)
    placed["lat"] = (box[:, 1] + (box[:, 3] - box[:, 1]) * at[:, 1]).round(6)
    return placed


def _dwellings(buildings: pd.DataFrame) -> pd.DataFrame:
    """Every unit × floor × room; a house with one floor and one room is one dwelling without a room number."""
    units = np.maximum(buildings.units.to_numpy(), 1)
    floors, rooms = buildings.floors.to_numpy(), buildings.rooms.to_numpy()
    building = np.repeat(np.arange(len(buildings)), units * floors * rooms)
    place = np.arange(len(building)) - np.repeat(
        np.cumsum(units * floors * rooms) - units * floors * rooms, units * floors * rooms
    )
    per_unit = (floors * rooms)[building]
    unit = np.where(buildings.units.to_numpy()[building] > 0, place // per_unit + 1, 0)
    floor = place % per_unit // rooms[building] + 1
    room = floor * 100 + place % rooms[building] + 1
    room[per_unit == 1] = 0
    return pd.DataFrame({"building": building, "unit": unit, "floor": floor, "room": room})
