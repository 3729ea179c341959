"""事: matters found by grid workers and told over the hotline, some of them over both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from town.areas import DIVISION, METRE
from town.draw import Ints, Rates, Rng, Texts, choose, either, pick, stream, strings, texts, words
from town.families import AS_OF
from town.feed import Feed, Spec, rates_of
from town.sheets import write_sheet
from town.world import World, mobiles

MATTERS = 24000  # matters of the last two years at scale 1
STEPS = ("occurred", "reported", "filed", "assigned", "answered", "closed")
MEAN_HOURS = (2.0, 1.5, 3.0, 60.0, 20.0)  # from each of the six steps to the next
DUE_DAYS = 7


def stock(world: World) -> pd.DataFrame:
    """Every matter: sort, building, lon, lat, the six step times, and whether each channel holds it. The row number is the id."""
    rng = stream(world.seed, "matters")
    size = round(MATTERS * world.scale)
    building = rng.integers(0, len(world.places.buildings), size)
    site = world.places.buildings.iloc[building]
    frame = pd.DataFrame({"sort": pick(rng, [s["share"] for s in _sorts()], size), "building": building})
    frame["lon"] = site["lon"].to_numpy() + rng.normal(0, 40, size) * METRE
    frame["lat"] = site["lat"].to_numpy() + rng.normal(0, 40, size) * METRE
    at = (
        AS_OF.astype("datetime64[s]") - rng.integers(3600 * 24, 730 * 24 * 3600, size).astype("timedelta64[s]")
    ).astype("datetime64[s]")
    frame["occurred"] = at
    for step, hours in zip(STEPS[1:], MEAN_HOURS, strict=True):
        at = at + (rng.exponential(hours, size) * 3600).astype("timedelta64[s]")
        frame[step] = at
    channel, rates = rng.random(size), rates_of("matters")
    both, hotline = rates["both"], rates["hotline"]
    return frame.assign(street=channel > hotline, call=(channel <= hotline + both), key=rng.permutation(size))


def _sorts() -> list[dict[str, Any]]:
    sorts: list[dict[str, Any]] = words("events.yml")["sorts"]
    return sorts


def street_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Matters that grid workers reported."""
    return pd.DataFrame({"event": rng.permutation(np.flatnonzero(stock(world)["street"]))})


def call_entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Matters that citizens called about, some twice."""
    called = np.flatnonzero(stock(world)["call"])
    again = called[rng.random(len(called)) < rates["again"]]
    event = np.concatenate([called, again])
    rows = pd.DataFrame({"event": event, "again": np.arange(len(event)) >= len(called)})
    return rows.iloc[rng.permutation(len(rows))]


def write_street(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The street's own system: all six steps, those not yet reached left blank."""
    matter = stock(world).iloc[rows["event"]].reset_index(drop=True)
    sort = pd.DataFrame(_sorts()).iloc[matter["sort"]].reset_index(drop=True)
    place = _places(world, matter["building"].to_numpy(), rng, short=False)
    reached = np.where(rng.random(len(rows)) < rates["open"], rng.integers(2, 6, len(rows)), 6)
    steps = {f"{step}_at": blank_after(matter[step], reached > number) for number, step in enumerate(STEPS)}
    due = (matter["filed"] + pd.Timedelta(days=DUE_DAYS)).dt.strftime("%Y-%m-%d %H:%M:%S")
    return pd.DataFrame(
        {
            "case_no": texts([f"YT{n}" for n in strings(matter["key"].to_numpy() + 100_000)]), "kind": sort["kind"],
            "title": texts([str(t).format(place=p) for t, p in zip(sort["title"], place, strict=True)]), "place": place,
            "lng": matter["lon"].map("{:.6f}".format), "lat": matter["lat"].map("{:.6f}".format), **steps, "due_at": due,
            "status": np.where(reached == 6, "已结案", "处置中"), "dept": sort["department"], "_event": rows["event"].to_numpy(), "_lost": False,
        }
    )  # fmt: skip


def blank_after(times: pd.Series, reached: np.ndarray) -> pd.Series:
    """Times as texts, missing where the step is not reached."""
    written: pd.Series = times.dt.strftime("%Y-%m-%d %H:%M:%S").where(reached)
    return written


def write_calls(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The hotline's work orders: the caller's words, hours to days after the matter was found."""
    matter = stock(world).iloc[rows["event"]].reset_index(drop=True)
    sorts = pd.DataFrame(_sorts()).iloc[matter["sort"]].reset_index(drop=True)
    place = _places(world, matter["building"].to_numpy(), rng, short=True)
    said = [
        calls[int(n) % len(calls)].format(place=p)
        for calls, n, p in zip(sorts["calls"], rng.integers(0, 60, len(rows)), place, strict=True)
    ]
    late = np.where(rows["again"], rng.exponential(30, len(rows)), rng.exponential(4, len(rows)))
    reported = matter["occurred"] + pd.to_timedelta((late * 3600).astype(int), unit="s")
    filed = reported + pd.to_timedelta(rng.integers(300, 7200, len(rows)), unit="s")
    serial = matter["key"].to_numpy() * 2 + rows["again"].to_numpy()
    return pd.DataFrame(
        {
            "工单编号": texts([f"12345-{n}" for n in strings(serial + 4_000_000)]), "诉求类别": sorts["kind"], "诉求内容": texts(said), "诉求地点": place,
            "来电时间": reported.dt.strftime("%Y/%m/%d %H:%M:%S"), "受理时间": filed.dt.strftime("%Y/%m/%d %H:%M:%S"), "承办单位": sorts["department"],
            "来电号码": either(rng.random(len(rows)) < 0.12, None, mobiles(rng, len(rows))), "办理状态": choose(rng, ["已办结", "已办结", "已办结", "办理中"], len(rows)),
            "_event": rows["event"].to_numpy(), "_lost": False,
        }
    )  # fmt: skip


def _places(world: World, building: Ints, rng: Rng, short: bool) -> Texts:
    """Where a matter is: the estate and building, the estate alone, or the road and number."""
    site = world.places.buildings.iloc[building]
    estate = world.places.estates.iloc[site["estate"]]
    plate = texts([f"{r}{n}号" for r, n in zip(estate["road"], estate["number"], strict=True)])
    name = np.where(estate["name"] == "", plate, estate["name"])
    alias = np.where(estate["alias"].isna() | ~(short & (rng.random(len(building)) < 0.2)), name, estate["alias"])
    number = texts([f"{n}栋" for n in site["number"]])
    kind = pick(rng, (0.2, 0.45, 0.2, 0.15) if short else (0.6, 0.2, 0.2, 0.0), len(building))
    return np.select([kind == 0, kind == 1, kind == 2], [alias + number, alias, plate], alias + "门口")


def street_spec(world: World, data: Path) -> Spec:
    """The source file."""
    steps = {f"{step}_at": f"{step}_at" for step in STEPS}
    return {
        "title": "网格事件", "owner": "云亭街道综治中心", "level": "street", "division": DIVISION, "schedule": "*/30 * * * *",
        "read": {"kind": "files", "path": "../data/events.csv", "format": "csv", "key": ["case_no"]},
        "maps": {"event": {
            "kind": "kind", "title": "title", "address": "place", "longitude": "lng", "latitude": "lat", **steps, "due_at": "due_at", "status": "status",
            "department": "dept",
        }},
    }  # fmt: skip


def call_spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "12345热线工单", "owner": "区数据资源管理局", "level": "district", "division": DIVISION, "schedule": "0 * * * *",
        "read": {"kind": "files", "path": "../data/hotline.xlsx", "format": "xlsx", "key": ["工单编号"]},
        "maps": {"event": {
            "kind": "诉求类别", "text": "诉求内容", "address": "诉求地点", "reported_at": "来电时间", "filed_at": "受理时间", "department": "承办单位",
            "reporter_phone": "来电号码", "status": "办理状态",
        }},
    }  # fmt: skip


def _save_street(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    rows.to_csv(data / "events.csv", index=False, encoding="utf-8")


def _save_calls(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    write_sheet(data / "hotline.xlsx", rows)


EVENTS = Feed("events", ("case_no",), street_entries, write_street, _save_street, street_spec)
HOTLINE = Feed("hotline", ("工单编号",), call_entries, write_calls, _save_calls, call_spec)
