"""A clerk writes people down: what every list of persons has in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from town.draw import Ints, Mask, Rates, Rng, Texts, either, stream
from town.families import AS_OF
from town.misnaming import spoil_names
from town.numbers import flip, spoil_births, spoil_ids, spoil_phones
from town.world import World, age, mobiles
from town.writing import Written, write_addresses

Days = npt.NDArray[np.datetime64]


def write_people(world: World, person: Ints, rates: Rates, rng: Rng) -> pd.DataFrame:
    """People (rows of world.people) as a clerk writes them down, a row each, None where left blank.

    Columns name, former_name, id_number, id_type, sex (1, 2), birth (ISO), ethnicity, phone, and `lost`: the row holds
    neither name nor number and says nothing of anyone.
    """
    people = world.people.iloc[person].reset_index(drop=True)
    context = _context(world, person, people, rng)
    seen = people.assign(years=age(people), parent_name=context["parent_name"])
    out = pd.DataFrame(
        {
            "name": spoil_names(rng, seen, rates["name"]),
            "former_name": either(rng.random(len(people)) < rates["former_name_given"], people["former_name"], None),
            "id_number": spoil_ids(rng, people, context, rates["id"]),
            "id_type": people["id_type"],
            "sex": flip(rng, people["sex"].to_numpy(), rates["sex_wrong"]),
            "birth": spoil_births(rng, people, rates["birth"]),
            "ethnicity": people["ethnicity"],
            "phone": spoil_phones(rng, people, context, rates["phone"]),
        }
    )
    out.loc[rng.random(len(out)) < rates["sex_missing"], "sex"] = None
    return _row_mishaps(out, context, seen, rates, rng)


def _row_mishaps(out: pd.DataFrame, context: pd.DataFrame, seen: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """Infants without a number or with a parent's, rows with name and number in each other's column, rows that hold neither."""
    infant = (seen["years"] < 2).to_numpy() & (rng.random(len(out)) < rates["infant_without_id"])
    parents = pd.notna(context["parent_id"].to_numpy()) & (rng.random(len(out)) < 0.4)
    out["id_number"] = either(infant, either(parents, context["parent_id"], None), out["id_number"])
    swapped = (rng.random(len(out)) < rates["swapped"]) & out["id_number"].notna().to_numpy()
    out["name"], out["id_number"] = (
        np.where(swapped, out["id_number"], out["name"]),
        np.where(swapped, out["name"], out["id_number"]),
    )
    lost = rng.random(len(out)) < rates["nameless"]
    out.loc[lost, ["name", "former_name", "id_number"]] = None
    return out.assign(lost=lost)


def _context(world: World, person: Ints, people: pd.DataFrame, rng: Rng) -> pd.DataFrame:
    """Whose number or phone may slip into the row: a parent's, another member's or a neighbour's, the grid worker's, the landlord's."""
    everyone = world.people
    parent, years = people["parent"].to_numpy(), age(people)
    young = (parent >= 0) & (years < 18)
    neighbour = np.clip(
        person + rng.integers(1, 3, len(person)) * rng.choice([-1, 1], len(person)), 0, len(everyone) - 1
    )
    ids, phones = everyone["id_number"].to_numpy(dtype=object), everyone["phone"].to_numpy(dtype=object)
    household = people["household"].to_numpy()
    dwelling = world.households["dwelling"].to_numpy()[np.maximum(household, 0)]
    grid = grid_of(world, np.maximum(dwelling, 0))
    owner = pd.Series(dwelling).map(world.owners).to_numpy(dtype=float)
    rents = (household >= 0) & world.households["rents"].to_numpy()[np.maximum(household, 0)] & ~np.isnan(owner)
    head = people["head"].to_numpy()
    return pd.DataFrame(
        {
            "parent_id": np.where(young, ids[parent], None),
            "parent_name": np.where(parent >= 0, everyone["name"].to_numpy(dtype=object)[parent], None),
            "other_id": np.where(neighbour != person, ids[neighbour], None),
            "worker": worker_phones(world)[grid],
            "head": np.where(head >= 0, phones[head], None),
            "landlord": np.where(rents, phones[np.nan_to_num(owner).astype(int)], None),
        }
    )


def worker_phones(world: World) -> Texts:
    """The phone of each grid's worker."""
    return mobiles(stream(world.seed, "grid workers"), len(world.places.grids))


def grid_of(world: World, dwellings: Ints) -> Ints:
    """The grid (row of places.grids) of each dwelling."""
    places = world.places
    grids: Ints = places.buildings["grid"].to_numpy()[places.dwellings["building"].to_numpy()[dwellings]]
    return grids


def lived_at(world: World, household: Ints, when: Days) -> Ints:
    """The dwelling of each household on a day; -1 for those who live elsewhere."""
    row = world.households.iloc[np.maximum(household, 0)]
    home = np.where((row["before"] >= 0) & (when < row["moved_at"].to_numpy()), row["before"], row["dwelling"])
    home = np.where(when >= row["later_at"].to_numpy(), row["later"], home)
    return np.where(household >= 0, home, -1).astype(np.int64)


def written_home(world: World, entries: pd.DataFrame, rates: Rates, rng: Rng) -> Ints:
    """The dwelling each entry tells of: where the person lived on the day of the entry, or, copied from an old list, before."""
    household = entries["household"].to_numpy()
    home = lived_at(world, household, entries["when"].to_numpy())
    old = lived_at(world, household, np.full(len(entries), np.datetime64("1995-01-01")))
    return np.where((rng.random(len(entries)) < rates["stale"]) & (home >= 0), old, home)


def write_homes(world: World, dwellings: Ints, rates: Rates, rng: Rng) -> Written:
    """Addresses in the feed's style; None (and not readable) for -1 and for those left out."""
    here = np.flatnonzero(dwellings >= 0)
    text, readable = np.full(len(dwellings), None, dtype=object), np.zeros(len(dwellings), dtype=bool)
    written = write_addresses(world.places, dwellings[here], rates, rng)
    text[here], readable[here] = written.text, written.readable
    missing: Mask = rng.random(len(dwellings)) < rates["missing"]
    return Written(either(missing, None, text), readable & ~missing)


def recent(rng: Rng, size: int, years: float) -> Days:
    """Days up to so many years back, the later the likelier."""
    return AS_OF - np.floor(rng.beta(1, 1.6, size) * years * 365).astype("timedelta64[D]")


def clock(days: Days, rng: Rng) -> Texts:
    """Days as texts with an hour of the working day: 2025-03-01 10:22:31."""
    moments = days.astype("datetime64[s]") + rng.integers(8 * 3600, 18 * 3600, len(days)).astype("timedelta64[s]")
    return np.char.replace(np.datetime_as_string(moments, unit="s"), "T", " ").astype(object)
