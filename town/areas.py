"""The street's own areas: grids and communities as polygons, estates on two lists, and the roster of buildings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from town.clerks import worker_phones
from town.draw import Rates, Rng, Texts, among, choose, either, joined, stream, strings, texts
from town.feed import Feed, Spec
from town.naming import draw_surnames
from town.sheets import write_sheet
from town.world import World, mobiles
from town.writing import STYLES, chinese

DIVISION = "340202004"
GAP, OVERLAP = 0.10, 0.12  # parts of a grid's width that nobody covers, and that two grids cover
METRE = 1 / 100_000  # degrees, near enough for small offsets


def grid_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Communities first, then grids."""
    places = world.places
    return pd.concat(
        [
            pd.DataFrame({"row": np.arange(len(places.communities)), "grid": False}),
            pd.DataFrame({"row": np.arange(len(places.grids)), "grid": True}),
        ]
    )


def write_grids(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """One feature an area; `geometry` is GeoJSON text. One grid stops short of its neighbour, another reaches into its own."""
    shapes = _boxes(world)
    area = shapes.loc[rows["row"] + np.where(rows["grid"], len(world.places.communities), 0)].reset_index(drop=True)
    heads = draw_surnames(stream(world.seed, "area heads"), len(shapes))
    called = texts([n + "主任" if not g else n for n, g in zip(heads, shapes["grid"], strict=True)])
    given = choose(
        stream(world.seed, "area heads", "given"),
        ["敏", "建国", "丽", "志强", "海燕", "晓红", "伟", "文静"],
        len(shapes),
    )
    people = np.where(shapes["grid"], heads + given, called)
    phones = np.concatenate(
        [mobiles(stream(world.seed, "directors"), len(world.places.communities)), worker_phones(world)]
    )
    at = rows["row"].to_numpy() + np.where(rows["grid"], len(world.places.communities), 0)
    return pd.DataFrame(
        {
            "code": area["code"], "kind": np.where(area["grid"], "网格", "社区"), "name": area["name"], "division": area["code"].str[:12],
            "grid_code": area["code"].where(area["grid"]), "manager": people[at], "phone": phones[at], "geometry": area["shape"],
            "_place": at, "_lost": False,
        }
    )  # fmt: skip


def _boxes(world: World) -> pd.DataFrame:
    """Code, name, whether a grid, and GeoJSON of every area."""
    communities, grids = world.places.communities, world.places.grids.copy()
    width = grids["east"] - grids["west"]
    beside = grids["east"].eq(grids["west"].shift(-1)) & grids["community"].eq(grids["community"].shift(-1))
    gap, overlap = np.flatnonzero(beside)[[0, -1]]
    grids.loc[gap, "east"] -= GAP * width[gap]
    grids.loc[overlap, "east"] += OVERLAP * width[overlap]
    from town.places import CELL

    whole = communities.assign(east=communities["west"] + CELL[0], north=communities["south"] + CELL[1], grid=False)
    names = communities["name"].to_numpy()[grids["community"]]
    grids = grids.assign(name=[f"{n}第{s}网格" for n, s in zip(names, grids["serial"], strict=True)], grid=True)
    both = pd.concat([whole, grids], ignore_index=True)
    both["shape"] = [
        _polygon(*box) for box in both[["west", "south", "east", "north"]].round(6).itertuples(index=False)
    ]
    return both[["code", "name", "grid", "shape"]]


def _polygon(west: float, south: float, east: float, north: float) -> str:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def save_features(rows: pd.DataFrame, path: Path) -> None:
    """Rows as a GeoJSON FeatureCollection; the columns but `geometry` are the properties, missing ones null."""
    lines = rows.astype(object).where(rows.notna(), None).to_dict("records")
    features = [{"type": "Feature", "geometry": json.loads(line.pop("geometry")), "properties": line} for line in lines]
    collection: dict[str, Any] = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")


def point(lon: float, lat: float) -> str:
    """GeoJSON of a point."""
    return json.dumps({"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]})


def grid_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "网格与社区范围", "owner": "云亭街道综治中心", "level": "street", "division": DIVISION, "schedule": "0 0 1 * *",
        "read": {"kind": "files", "path": "../data/grids.geojson", "format": "geojson", "key": ["properties.code"]},
        "maps": {"place": {
            "kind": "properties.kind", "name": "properties.name", "division_code": "properties.division", "grid_code": "properties.grid_code",
            "responsible_person": "properties.manager", "responsible_phone": "properties.phone", "geometry": "geometry",
        }},
    }  # fmt: skip


def estate_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Named estates and villages."""
    named = np.flatnonzero(world.places.estates["name"] != "")
    return pd.DataFrame({"estate": named})


def write_estates(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """地名办: official names with their door plates; half of the second names are known there."""
    estate = world.places.estates.iloc[rows["estate"]].reset_index(drop=True)
    community = world.places.communities["code"].to_numpy()[estate["community"]]
    known = rng.random(len(rows)) < rates["alias_known"]
    plate = texts([f"{r}{n}号" for r, n in zip(estate["road"], estate["number"], strict=True)])
    return pd.DataFrame(
        {
            "编号": texts([f"DM{n}" for n in strings(rows["estate"].to_numpy() + 1, 4)]), "类别": np.where(estate["kind"] == "village", "自然村", "住宅小区"),
            "标准名称": estate["name"], "别名": estate["alias"].where(known), "门牌": np.where(estate["kind"] == "village", None, "镜湖区云亭街道" + plate),
            "社区代码": community, "经度": (estate["lon"] + rng.normal(0, 15, len(rows)) * METRE).round(6),
            "纬度": (estate["lat"] + rng.normal(0, 15, len(rows)) * METRE).round(6),
            "_estate": np.where(estate["kind"] == "village", -1, rows["estate"]), "_place": np.where(estate["kind"] == "village", 10_000 + rows["estate"], -1), "_lost": False,
        }
    )  # fmt: skip


def save_estates(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """estates.xlsx."""
    write_sheet(data / "estates.xlsx", rows)


def estate_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "标准地名库小区名录", "owner": "区民政局地名办", "level": "district", "division": "340202", "schedule": "0 0 1 * *",
        "read": {"kind": "files", "path": "../data/estates.xlsx", "format": "xlsx", "key": ["编号"]},
        "maps": {"place": {
            "kind": "类别", "name": "标准名称", "alias": "别名", "address": "门牌", "division_code": "社区代码", "longitude": "经度", "latitude": "纬度",
        }},
    }  # fmt: skip


def managed_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Estates that a property company looks after."""
    estates = world.places.estates
    return pd.DataFrame(
        {
            "estate": np.flatnonzero(
                estates["kind"].isin(["high", "multi"]) & (rng.random(len(estates)) < rates["covers"])
            )
        }
    )


def write_managed(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """房管: promoted names where there are any, phases written with figures, another gate's door plate."""
    estate = world.places.estates.iloc[rows["estate"]].reset_index(drop=True)
    second = rng.random(len(rows)) < rates["alias_used"]
    name = estate["name"].where(~second | estate["alias"].isna(), estate["alias"])
    figures = rng.random(len(rows)) < rates["phase_in_figures"]
    name = name.where(
        ~figures,
        name.str.replace("一期", "1期")
        .str.replace("二期", "(2期)")
        .str.replace("一区", "1区")
        .str.replace("二区", "2区"),
    )
    gate = rng.random(len(rows)) < 0.3
    plate = [
        f"{r2 if g else r}{n2 if g else n}号"
        for r, n, r2, n2, g in zip(
            estate["road"], estate["number"], estate["road2"], estate["number2"], gate, strict=True
        )
    ]
    homes = world.places.dwellings["building"].map(world.places.buildings["estate"]).value_counts()
    return pd.DataFrame(
        {
            "xqbh": texts([f"WY{n}" for n in strings(rows["estate"].to_numpy() * 3 + 11, 5)]), "xqmc": name, "xqdz": plate,
            "hs": strings(homes.reindex(rows["estate"]).fillna(0).astype(int).to_numpy()), "wygs": choose(rng, ["安居物业", "万家物业", "城投物业"], len(rows)),
            "_estate": rows["estate"], "_lost": False,
        }
    )  # fmt: skip


def save_managed(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """managed_estates.csv."""
    rows.to_csv(data / "managed_estates.csv", index=False, encoding="utf-8")


def managed_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "物业小区台账", "owner": "区住建局", "level": "district", "division": "340202", "schedule": "0 0 1 * *",
        "read": {"kind": "files", "path": "../data/managed_estates.csv", "format": "csv", "key": ["xqbh"]},
        "maps": {"place": {"kind": {"value": "小区"}, "name": "xqmc", "address": "xqdz"}},
    }  # fmt: skip


def building_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Buildings, village houses left out."""
    buildings = world.places.buildings
    return pd.DataFrame(
        {"building": np.flatnonzero((buildings["group"] == 0) & (rng.random(len(buildings)) < rates["covers"]))}
    )


def write_buildings(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """楼栋台账: which grid a building's address lies in, its place, its building leader."""
    places = world.places
    building = places.buildings.iloc[rows["building"]].reset_index(drop=True)
    estate = places.estates.iloc[building["estate"]].reset_index(drop=True)
    wrong = rng.random(len(rows)) < rates["grid_wrong"]
    grid = np.clip(building["grid"] + np.where(wrong, rng.choice([-1, 1], len(rows)), 0), 0, len(places.grids) - 1)
    leader = draw_surnames(rng, len(rows)) + choose(rng, ["芳", "建国", "红", "秀英", "志明", "玉兰"], len(rows))
    return pd.DataFrame(
        {
            "楼栋编号": texts([f"LD{n}" for n in strings(rows["building"].to_numpy() + 1, 6)]), "地址": building_addresses(building, estate, rng),
            "网格编码": places.grids["code"].to_numpy()[grid], "单元数": building["units"].astype(str), "层数": building["floors"].astype(str),
            "楼栋长": leader, "楼栋长电话": either(rng.random(len(rows)) < 0.1, None, mobiles(rng, len(rows))),
            "经度": building["lon"], "纬度": building["lat"], "_building": rows["building"], "_lost": False,
        }
    )  # fmt: skip


def building_addresses(building: pd.DataFrame, estate: pd.DataFrame, rng: Rng) -> Texts:
    """Addresses of whole buildings: estate and number, or a lane's door."""
    plate = [f"{r}{n}" for r, n in zip(estate["road"], estate["number"], strict=True)]
    sort = estate["kind"].to_numpy()
    head = np.where(
        sort == "lane",
        texts([p + "弄" for p in plate]),
        np.where(sort == "yard", texts([p + "号院" for p in plate]), estate["name"]),
    )
    style = among(rng, {"standard": 0.6, "curtain": 0.2, "north": 0.15, "chinese": 0.05}, len(building))
    label = estate["labels"].to_numpy()
    tails = [
        chinese(b) + la if s == "chinese" else STYLES[s](b, 0, 0, 0, la)
        for s, b, la in zip(style, building["number"].tolist(), label, strict=True)
    ]
    return joined(head, texts(tails))


def save_buildings(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """buildings.csv."""
    rows.to_csv(data / "buildings.csv", index=False, encoding="gb18030")


def building_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "楼栋台账", "owner": "云亭街道综治中心", "level": "street", "division": DIVISION, "schedule": "0 3 * * 1",
        "read": {"kind": "files", "path": "../data/buildings.csv", "format": "csv", "encoding": "gb18030", "key": ["楼栋编号"]},
        "maps": {"place": {
            "kind": {"value": "楼栋"}, "address": "地址", "grid_code": "网格编码", "longitude": "经度", "latitude": "纬度",
            "responsible_person": "楼栋长", "responsible_phone": "楼栋长电话",
        }},
    }  # fmt: skip


def _save_grids(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    save_features(rows, data / "grids.geojson")


GRIDS = Feed("grids", ("code",), grid_entries, write_grids, _save_grids, grid_spec, lasting=True)
ESTATES = Feed("estates", ("编号",), estate_entries, write_estates, save_estates, estate_spec, lasting=True)
MANAGED = Feed("managed_estates", ("xqbh",), managed_entries, write_managed, save_managed, managed_spec, lasting=True)
BUILDINGS = Feed(
    "buildings", ("楼栋编号",), building_entries, write_buildings, save_buildings, building_spec, lasting=True
)
