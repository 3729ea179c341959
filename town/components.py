"""城市部件: lamps, covers and facilities on three lists of two departments; some stand on two of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from town.areas import DIVISION, METRE, point, save_features
from town.draw import Rates, Rng, among, choose, either, stream, strings, texts
from town.feed import Feed, Spec
from town.sheets import write_sheet
from town.world import World

# major and minor class (GB/T 30428.2), how many stand in the street, departments
KINDS: dict[str, tuple[str, int, str]] = {
    "路灯": ("0120", 24000, "市政管理处"), "景观灯": ("0121", 2500, "市政管理处"),
    "上水井盖": ("0101", 4200, "供水公司"), "污水井盖": ("0102", 9300, "排水管理处"), "雨水井盖": ("0103", 8200, "排水管理处"),
    "电力井盖": ("0105", 3900, "供电公司"), "通信井盖": ("0106", 4400, "电信公司"),
    "消防设施": ("0111", 1900, "消防救援大队"), "公用电话亭": ("0126", 180, "电信公司"), "交通信号灯": ("0209", 640, "交警大队"),
    "公交站亭": ("0204", 260, "公交公司"), "垃圾箱": ("0307", 3600, "环卫所"), "行道树": ("0402", 7800, "园林所"), "公共厕所": ("0301", 70, "环卫所"),
}  # fmt: skip
LAMPS, COVERS = ("路灯", "景观灯"), ("上水井盖", "污水井盖", "雨水井盖", "电力井盖", "通信井盖")
STATES = {"完好": 0.90, "破损": 0.06, "丢失": 0.015, "废弃": 0.025}
WORDS = {
    "上水井盖": "给水井盖",
    "污水井盖": "下水井盖",
    "消防设施": "消火栓",
    "公共厕所": "公厕",
    "垃圾箱": "果皮箱",
    "路灯": "灯杆",
}


def stock(world: World) -> pd.DataFrame:
    """Every component of the street: kind, number (6 + 2 + 2 + 6 digits), grid, lon, lat, road. The row number is the id."""
    rng = stream(world.seed, "components")
    counts = [max(2, round(count * world.scale)) for _, count, _ in KINDS.values()]
    kind = np.repeat(np.arange(len(KINDS)), counts)
    grids = world.places.grids
    grid = rng.integers(0, len(grids), len(kind))
    box = grids.loc[grid, ["west", "south", "east", "north"]].to_numpy()
    at = rng.random((len(kind), 2))
    serial = np.concatenate([np.arange(1, count + 1) for count in counts])
    classes = texts([row[0] for row in KINDS.values()])[kind]
    return pd.DataFrame(
        {
            "kind": texts(list(KINDS))[kind], "department": texts([row[2] for row in KINDS.values()])[kind],
            "number": "340202" + classes + strings(serial, 6), "grid": grid, "lon": box[:, 0] + (box[:, 2] - box[:, 0]) * at[:, 0],
            "lat": box[:, 1] + (box[:, 3] - box[:, 1]) * at[:, 1], "road": choose(rng, world.places.estates["road"].unique(), len(kind)),
        }
    )  # fmt: skip


def _entries(world: World, own: tuple[str, ...], shared: Mapping[str, float], rng: Rng) -> pd.DataFrame:
    things = stock(world)
    share = things["kind"].map({**dict.fromkeys(own, 0.97), **shared}).fillna(0.0).to_numpy()
    return pd.DataFrame({"thing": rng.permutation(np.flatnonzero(rng.random(len(things)) < share))})


def _seen(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Components as one department holds them: number, kind, name, place and state, with its slips."""
    thing = stock(world).iloc[rows["thing"]].reset_index(drop=True)
    size = len(thing)
    number = thing["number"].to_numpy(dtype=object)
    wrong = np.flatnonzero(rng.random(size) < rates["number_wrong"])
    number[wrong] = texts([n[:12] + strings(rng.integers(0, 10_000, 1), 4)[0] for n in number[wrong]])
    number = either(rng.random(size) < rates["number_missing"], None, number)
    offset = rng.normal(0, rates["metres"], (size, 2)) * METRE
    kind = thing["kind"].to_numpy(dtype=object)
    other = texts([WORDS.get(k, k) for k in kind])
    grid = world.places.grids["code"].to_numpy(dtype=object)[thing["grid"]]
    return pd.DataFrame(
        {
            "number": number, "kind": np.where(rng.random(size) < rates["other_word"], other, kind), "road": thing["road"],
            "name": thing["road"] + kind + thing["number"].str[-4:], "grid": either(rng.random(size) < rates["grid_missing"], None, grid),
            "lon": (thing["lon"] + offset[:, 0]).round(6), "lat": (thing["lat"] + offset[:, 1]).round(6),
            "state": among(rng, STATES, size), "department": thing["department"], "_thing": rows["thing"].to_numpy(), "_lost": False,
        }
    )  # fmt: skip


def lamp_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Lamps of the district's lighting office."""
    return _entries(world, LAMPS, {}, rng)


def write_lamps(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Headers in Chinese, as the file has them."""
    seen = _seen(world, rows, rates, rng)
    keys = texts([f"DG{n}" for n in strings(rows["thing"].to_numpy() + 1, 7)])
    return pd.DataFrame(
        {
            "资产编号": keys, "部件标识码": seen["number"], "部件名称": seen["name"], "类别": seen["kind"], "所在道路": seen["road"], "单元网格": seen["grid"],
            "经度": seen["lon"].map("{:.6f}".format), "纬度": seen["lat"].map("{:.6f}".format), "部件状态": seen["state"], "主管部门": seen["department"],
            "_thing": seen["_thing"], "_lost": False,
        }
    )  # fmt: skip


def lamp_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "城市照明部件", "owner": "区城管局", "level": "street", "division": DIVISION, "schedule": "0 4 * * *",
        "read": {"kind": "files", "path": "../data/lamps.csv", "format": "csv", "encoding": "gb18030", "key": ["资产编号"]},
        "maps": {"thing": {
            "number": "部件标识码", "name": "部件名称", "kind": "类别", "address": "所在道路", "grid_code": "单元网格", "longitude": "经度", "latitude": "纬度",
            "status": "部件状态", "department": "主管部门",
        }},
    }  # fmt: skip


def cover_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Covers of all kinds, and the lamps that the same survey met."""
    return _entries(world, COVERS, {"路灯": rates["lamps_too"]}, rng)


def write_covers(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Properties of the features, and their geometry."""
    seen = _seen(world, rows, rates, rng)
    return pd.DataFrame(
        {
            "id": texts([f"JG{n}" for n in strings(rows["thing"].to_numpy() + 1, 7)]), "code": seen["number"], "type": seen["kind"],
            "road": seen["road"], "grid": seen["grid"], "state": seen["state"], "owner": seen["department"],
            "geometry": texts([point(lon, lat) for lon, lat in zip(seen["lon"], seen["lat"], strict=True)]), "_thing": seen["_thing"], "_lost": False,
            "x": seen["lon"], "y": seen["lat"],
        }
    )  # fmt: skip


def cover_spec(world: World, data: Path) -> Spec:
    """The source file."""
    names = {
        "number": "code",
        "kind": "type",
        "address": "road",
        "grid_code": "grid",
        "longitude": "x",
        "latitude": "y",
        "status": "state",
        "department": "owner",
    }
    return {
        "title": "井盖与部件普查", "owner": "云亭街道城管办", "level": "street", "division": DIVISION, "schedule": "0 4 * * *",
        "read": {"kind": "files", "path": "../data/covers.geojson", "format": "geojson", "key": ["properties.id"]},
        "maps": {"thing": {name: f"properties.{column}" for name, column in names.items()}},
    }  # fmt: skip


def facility_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Everything that is neither lamp nor cover, and some of those that the community workers noted as well."""
    rest = tuple(kind for kind in KINDS if kind not in (*LAMPS, *COVERS))
    shared = dict.fromkeys(COVERS, float(rates["covers_too"]))
    shared["路灯"] = rates["lamps_too"]
    return _entries(world, rest, shared, rng)


def write_facilities(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The community workers' workbook: often without number."""
    seen = _seen(world, rows, rates, rng)
    return pd.DataFrame(
        {
            "序号": texts([f"SS{n}" for n in strings(rows["thing"].to_numpy() + 1, 7)]), "设施编码": seen["number"], "设施名称": seen["kind"],
            "位置": "云亭街道" + seen["road"], "经度": seen["lon"], "纬度": seen["lat"], "状态": seen["state"], "责任单位": seen["department"],
            "_thing": seen["_thing"], "_lost": False,
        }
    )  # fmt: skip


def facility_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "公共设施台账", "owner": "云亭街道城管办", "level": "street", "division": DIVISION, "schedule": "0 4 * * 1",
        "read": {"kind": "files", "path": "../data/facilities.xlsx", "format": "xlsx", "key": ["序号"]},
        "maps": {"thing": {
            "number": "设施编码", "kind": "设施名称", "address": "位置", "longitude": "经度", "latitude": "纬度", "status": "状态", "department": "责任单位",
        }},
    }  # fmt: skip


def _save_lamps(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    rows.to_csv(data / "lamps.csv", index=False, encoding="gb18030")


def _save_covers(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    save_features(rows, data / "covers.geojson")


def _save_facilities(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    write_sheet(data / "facilities.xlsx", rows)


LAMPS_FEED = Feed("lamps", ("资产编号",), lamp_entries, write_lamps, _save_lamps, lamp_spec)
COVERS_FEED = Feed("covers", ("id",), cover_entries, write_covers, _save_covers, cover_spec)
FACILITIES_FEED = Feed("facilities", ("序号",), facility_entries, write_facilities, _save_facilities, facility_spec)
