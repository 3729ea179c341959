"""The street's own figures, and that its people are possible."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from town.documents import draw_usccs
from town.draw import stream, table
from town.families import AS_OF, build_families
from town.feed import rates_of
from town.places import build_places
from town.world import World, age


def test_full_scale_has_the_streets_figures() -> None:
    families, places = build_families(1, 7), build_places(1, 7)
    resident = families.households["resident"]
    assert resident.sum() == 65_357
    assert families.people["household"].map(resident).sum() == 132_856
    assert families.households["size"].min() == 1
    assert families.households["size"].max() == 7
    assert (len(places.communities), len(places.grids)) == (12, 181)
    assert places.communities["code"].str.fullmatch(r"340202004[02]\d\d").all()
    assert len(places.dwellings) > 65_357 * 1.05
    assert rates_of("app")["users"] == 83_021


def test_ids_are_valid_fit_birth_and_sex_and_are_nobody_elses(world: World) -> None:
    citizens = world.people[world.people["id_type"] == "resident_id"]
    number = citizens["id_number"]
    assert number.map(mod_11_2.is_valid).all()
    assert number.is_unique
    assert (number.str[6:14] == citizens["birth"].dt.strftime("%Y%m%d")).all()
    assert (number.str[16].astype(int) % 2 == citizens["sex"] % 2).all()
    assert set(number.str[:6]) <= set(table("counties.tsv")["code"])


def test_social_credit_codes_hold_both_check_digits() -> None:
    codes = draw_usccs(stream(7, "codes"), np.array([True, False] * 50))
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == 100


def test_families_are_possible(world: World) -> None:
    people = world.people
    assert (people["birth"] < AS_OF).all()
    children = people[people["parent"] >= 0]
    gap = age(people)[children["parent"]] - age(people)[children.index]
    assert (gap >= 14).mean() > 0.97
    spouses = people[people["role"].isin(["H", "S"]) & people["status"].eq("resident")].groupby("household")["sex"]
    assert (spouses.nunique() == spouses.size()).all()
    siblings = people[people["role"].isin(["C", "K"]) & people["status"].eq("resident")]
    assert not siblings.duplicated(["household", "name"]).any()


def test_every_book_has_one_head_and_everyone_in_it_a_relation(world: World) -> None:
    listed = world.people[world.people["book"] >= 0]
    heads = listed["relation"].eq("02").groupby(listed["book"]).sum()
    assert (heads == 1).all()
    assert listed["relation"].notna().all()
    assert (world.people.loc[world.people["book"] < 0, "relation"].isna()).all()


def test_people_are_of_the_kinds_that_make_matching_hard(world: World) -> None:
    people, households = world.people, world.households
    resident = people["status"].eq("resident")
    assert {"resident", "away", "dead", "outside"} == set(people["status"])
    apart = people[resident & (people["book"] >= 0)]
    elsewhere = (
        world.books["dwelling"].to_numpy()[apart["book"]] != households["dwelling"].to_numpy()[apart["household"]]
    )
    assert elsewhere.mean() > 0.05, "registered at one home, living in another"
    assert (people["book"] < 0)[resident].mean() > 0.15, "tenants are registered elsewhere"
    assert people.loc[resident, "name"].duplicated().any()
    assert people["twin"].any()
    assert households.loc[households["resident"], "dwelling"].duplicated().any(), "two households share a home"


def test_no_two_dwellings_are_one(world: World) -> None:
    assert not world.places.dwellings.duplicated(["building", "unit", "floor", "room"]).any()
    assert not world.places.buildings.duplicated(["estate", "group", "number"]).any()
    assert not world.places.estates.duplicated(["road", "number"]).any()


def test_buildings_lie_in_their_grid(world: World) -> None:
    grids, buildings = world.places.grids, world.places.buildings
    boxes = shapely.box(*(grids[edge].to_numpy() for edge in ("west", "south", "east", "north")))
    points = shapely.points(buildings["lon"], buildings["lat"])
    assert shapely.within(points, boxes[buildings["grid"].to_numpy()]).all()


@pytest.mark.parametrize("scale", [0.01, 0.05, 0.3])
def test_any_scale_has_room_for_its_people(scale: float) -> None:
    places = build_places(scale, 3)
    assert len(places.dwellings) >= 65_357 * scale * 1.03
    assert pd.Series(places.grids["code"]).is_unique
