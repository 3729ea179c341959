"""社区警务: residents and tenants as the community police met them, one JSON object a line, landlords inside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from town.clerks import clock, recent, write_homes, write_people, written_home
from town.draw import Rates, Rng, either, strings, texts
from town.feed import Feed, Spec
from town.numbers import dates_as
from town.world import World

TYPE_WORDS = {
    "resident_id": "居民身份证", "hk_macau_travel_permit": "港澳居民来往内地通行证", "taiwan_travel_permit": "台湾居民来往大陆通行证",
    "hmt_residence_permit": "港澳台居民居住证", "foreign_permanent_resident_card": "外国人永久居留身份证", "foreign_passport": "外国护照",
}  # fmt: skip


def entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """A row for each listed resident, household by household; the first of a tenant household names the landlord."""
    people = world.people
    living = np.flatnonzero(people["status"] == "resident")
    rents = world.households["rents"].to_numpy()[people["household"].to_numpy()[living]]
    share = np.where(rents, rates["covers"]["rents"], rates["covers"]["owns"])
    visited = (rng.random(len(world.households)) < 0.97)[people["household"].to_numpy()[living]]
    listed = living[visited & (rng.random(len(living)) < share / 0.97)]
    person = np.concatenate([listed, listed[rng.random(len(listed)) < rates["twice"]]])
    person = person[rng.permutation(len(person))]
    rows = pd.DataFrame({"person": person, "household": people["household"].to_numpy()[person]})
    rows["rents"] = world.households["rents"].to_numpy()[rows["household"]]
    rows["first"] = ~rows.duplicated("household")
    rows["id"] = texts([f"JW{n}" for n in strings(np.arange(1, len(rows) + 1) * 3 + 200_000)])
    rows["when"] = recent(rng, len(rows), rates["years"])
    return rows


def write(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Dotted columns are nested keys of the JSON object."""
    person = rows["person"].to_numpy()
    seen = write_people(world, person, rates, rng)
    home = written_home(world, rows, rates, rng)
    address = write_homes(world, home, rates["address"], rng)
    community = world.places.estates["community"].to_numpy()[
        world.places.buildings["estate"].to_numpy()[world.places.dwellings["building"].to_numpy()[home]]
    ]
    columns = {
        "id": rows["id"], "community": world.places.communities["name"].to_numpy()[community],
        "person.name": seen["name"], "person.formerName": seen["former_name"], "person.idType": seen["id_type"].map(TYPE_WORDS),
        "person.idNo": seen["id_number"], "person.gender": seen["sex"].map({1: "男", 2: "女"}), "person.birth": dates_as(rng, seen["birth"].to_numpy(), rates["dates"]),
        "person.nation": seen["ethnicity"], "person.phone": seen["phone"], "residence.address": address.text,
        "residence.kind": np.where(rows["rents"], "租住", "自住"), "updated": clock(rows["when"].to_numpy(), rng),
    }  # fmt: skip
    truth = {"_person": person, "_dwelling": np.where(address.readable, home, -1), "_lost": seen["lost"]}
    return pd.DataFrame({**columns, **_landlords(world, rows, rates, rng), **truth})


def _landlords(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> dict[str, object]:
    """Name, phone and mostly the number of the landlord; `_person_landlord` is the owner's row, -1 where none is named."""
    household = rows["household"].to_numpy()
    owner = (
        pd.Series(world.households["dwelling"].to_numpy()[household])
        .map(world.owners)
        .fillna(-1)
        .astype(int)
        .to_numpy()
    )
    named = (
        (rows["rents"] & rows["first"]).to_numpy()
        & (owner >= 0)
        & (rng.random(len(rows)) >= rates["landlord"]["missing"])
    )
    seen = write_people(world, np.maximum(owner, 0), rates, rng)
    named &= seen["name"].notna().to_numpy() | seen["id_number"].notna().to_numpy()
    number = either(rng.random(len(rows)) < rates["landlord"]["id"], seen["id_number"], None)
    named &= pd.notna(seen["name"].to_numpy()) | pd.notna(number)
    return {
        "landlord.name": either(named, seen["name"], None), "landlord.idNo": either(named, number, None),
        "landlord.phone": either(named, seen["phone"], None), "_person_landlord": either(named, owner, -1),
    }  # fmt: skip


def save(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """policing.jsonl; keys without a value are left out."""
    paths = [name.split(".") for name in rows.columns]
    lines = [json.dumps(_nest(paths, values), ensure_ascii=False) for values in rows.itertuples(index=False, name=None)]
    (data / "policing.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _nest(paths: list[list[str]], values: tuple[object, ...]) -> dict[str, object]:
    line: dict[str, object] = {}
    for path, value in zip(paths, values, strict=True):
        if pd.isna(value):  # type: ignore[call-overload]
            continue
        at = line
        for key in path[:-1]:
            at = at.setdefault(key, {})  # type: ignore[assignment]
        at[path[-1]] = value
    return line


def spec(world: World, data: Path) -> Spec:
    """The source file."""
    return {
        "title": "社区警务实有人口", "owner": "云亭派出所", "level": "community", "division": "340202004", "schedule": "30 2 * * *",
        "read": {"kind": "files", "path": "../data/policing.jsonl", "format": "jsonl", "key": ["id"]},
        "maps": {
            "person": {
                "name": "person.name", "former_name": "person.formerName", "id_type": "person.idType", "id_number": "person.idNo",
                "sex": "person.gender", "birth_date": "person.birth", "ethnicity": "person.nation", "phone": "person.phone",
                "address": "residence.address", "updated_at": "updated",
            },
            "person.landlord": {"name": "landlord.name", "id_number": "landlord.idNo", "phone": "landlord.phone"},
        },
        "expect": {"columns": {"person.name": {"not_null": 0.98}}},
    }  # fmt: skip


FEED = Feed("policing", ("id",), entries, write, save, spec, roles=("", "landlord"))
