"""市民应用: people who registered themselves, with real names mostly checked, and display names where they were not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from town.clerks import clock, recent, write_homes, write_people, written_home
from town.draw import Rates, Rng, either, strings, texts
from town.feed import Feed, Spec, rates_of
from town.numbers import dates_as
from town.world import World, age


def entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Accounts: the young and middle-aged first, some people with two; those in reserve come after the first day's."""
    wanted = round(rates["users"] * world.scale)
    reserve = int(wanted * rates_of("days")["reserve"])
    living = np.flatnonzero((world.people["status"] == "resident") & (age(world.people) >= 8))
    years = age(world.people)[living]
    weight = np.interp(years, [8, 14, 20, 45, 60, 72, 85, 100], [0.05, 0.35, 1.0, 1.0, 0.75, 0.35, 0.10, 0.01])
    order = living[np.argsort(-np.log(rng.random(len(living))) / weight)]
    again = int((wanted + reserve) * rates["twice"])
    person = order[: wanted + reserve - again]
    person = rng.permutation(np.concatenate([person, rng.choice(person, again, replace=False)]))
    rows = pd.DataFrame({"person": person, "household": world.people["household"].to_numpy()[person]})
    rows["user_id"] = texts([f"U{n}" for n in strings(rng.permutation(len(rows)) + 10_000_000)])
    rows["when"] = recent(rng, len(rows), rates["years"])
    rows["unverified"] = rng.random(len(rows)) < rates["unverified"]
    rows["reserve"] = np.arange(len(rows)) >= wanted
    return rows


def write(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Accounts without identity check have neither number nor birth date."""
    person = rows["person"].to_numpy()
    seen = write_people(world, person, rates, rng)
    home = written_home(world, rows, rates, rng)
    address = write_homes(world, home, rates["address"], rng)
    unverified = rows["unverified"].to_numpy()
    birth = dates_as(rng, seen["birth"].to_numpy(), rates["dates"])
    return pd.DataFrame(
        {
            "user_id": rows["user_id"], "user_name": seen["name"], "id_card": either(unverified, None, seen["id_number"]),
            "birthday": either(unverified, None, birth), "gender": seen["sex"].map({1: "M", 2: "F"}),
            "mobile": seen["phone"], "address": address.text, "registered_at": clock(rows["when"].to_numpy(), rng),
            "_person": person, "_dwelling": np.where(address.readable, home, -1), "_lost": seen["lost"],
        }
    )  # fmt: skip


def save(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """app_users.csv, UTF-8 with a byte order mark."""
    rows.to_csv(data / "app_users.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")


def spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "市民应用注册用户", "owner": "区数据资源管理局", "level": "district", "division": "340202", "schedule": "0 1 * * *",
        "read": {"kind": "files", "path": "../data/app_users.csv", "format": "csv", "encoding": "utf-8-sig", "key": ["user_id"]},
        "maps": {"person": {
            "name": "user_name", "id_number": "id_card", "birth_date": "birthday", "sex": "gender", "phone": "mobile",
            "address": "address", "updated_at": "registered_at",
        }},
        "expect": {"columns": {"mobile": {"not_null": 0.95}}},
    }  # fmt: skip


FEED = Feed("app", ("user_id",), entries, write, save, spec)
