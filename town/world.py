"""The town as it is: everyone and everything that the feeds write about, before anyone writes it down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from town.documents import draw_counties, draw_documents, draw_ids
from town.draw import Ints, Rng, Texts, choose, joined, stream, strings
from town.families import AS_OF, build_families
from town.homes import settle
from town.naming import name_people
from town.places import Places, build_places

PREFIXES = ["130", "131", "132", "133", "134", "135", "136", "137", "138", "139", "150", "151", "152", "153", "155", "156", "157", "158", "159", "170", "176", "177", "178", "180", "181", "182", "183", "185", "186", "187", "188", "189", "191", "199"]  # fmt: skip
GROUP_NATION = {"han": "01", "hui": "03", "uyghur": "05", "tibetan": "04"}


@dataclass(frozen=True)
class World:
    """places: the ground. households: row number is the id; dwelling, before, moved_at, rents. books: registered households.

    people: row number is the id; name, former_name, sex, birth, id_type, id_number, ethnicity, phone, old_phone, landline,
    household (-1: does not live here), book (-1: not registered here), head and parent (rows or -1), relation, status.
    owners: landlord of each let dwelling.
    """

    scale: float
    seed: int
    places: Places
    households: pd.DataFrame
    people: pd.DataFrame
    books: pd.DataFrame
    owners: pd.Series


def build_world(scale: float, seed: int) -> World:
    """The whole town for (scale, seed)."""
    places = build_places(scale, seed)
    homes = settle(build_families(scale, seed), places, seed)
    people = name_people(homes.people, seed)
    rng = stream(seed, "documents")
    group = people["people_group"].to_numpy()
    people["county"] = draw_counties(rng, people["local"].to_numpy() | people["status"].eq("outside").to_numpy(), group)
    people["rid"] = draw_ids(rng, people)
    people = people.join(draw_documents(rng, people, people["rid"].to_numpy()))
    people["ethnicity"] = np.where(
        group == "other",
        choose(rng, ["06", "08", "11", "15"], len(people)),
        people["people_group"].map(GROUP_NATION).fillna("97"),
    )
    people["parent"] = _parents(people)
    people = people.join(_phones(stream(seed, "phones"), people))
    return World(scale, seed, places, homes.households, people, homes.books, homes.owners)


def age(people: pd.DataFrame) -> Ints:
    """Full years on the town's first day."""
    days: Ints = (AS_OF - people["birth"].to_numpy()).astype("timedelta64[D]").astype(np.int64)
    return days * 100 // 36525


def _parents(people: pd.DataFrame) -> Ints:
    """The row of the head (for children) or of the first child (for grandchildren) of the same household; -1 for others."""
    living = people[people["status"].isin(["resident", "away"])]
    first = living[living["order"] == 0].reset_index().set_index(["household", "role"])["index"]
    of = people["role"].map({"C": "H", "K": "C"})
    keys = pd.MultiIndex.from_arrays([people["household"], of.fillna("?")])
    found = first.reindex(keys).fillna(-1)
    return np.asarray(found, dtype=np.int64)


def mobiles(rng: Rng, size: int) -> Texts:
    """Mobile numbers that a phone book would accept."""
    return joined(choose(rng, PREFIXES, size), strings(rng.integers(0, 100_000_000, size), 8))


def _phones(rng: Rng, people: pd.DataFrame) -> pd.DataFrame:
    """phone: own, or a parent's for the young, the head's for half of the very old; old_phone: given up; landline: some homes have one."""
    years, size = age(people), len(people)
    own, old = mobiles(rng, size), mobiles(rng, size)
    parent, head = people["parent"].to_numpy(), people["head"].to_numpy()
    phone = np.where((years < 14) & (parent >= 0), own[parent], own)
    family = (years > 74) & (head >= 0) & (rng.random(size) < 0.5)
    phone = np.where(family, own[head], phone)
    landline = np.where(rng.random(size) < 0.15, "0553-" + strings(rng.integers(2_000_000, 8_999_999, size)), None)
    return pd.DataFrame({"phone": phone, "old_phone": old, "landline": landline}, index=people.index)
