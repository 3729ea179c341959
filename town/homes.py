"""Where each household lives, lived before and is registered; who owns what is let; the books (户) and their heads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from town.draw import Ints, Mask, Rng, among, choose, either, stream, strings, words
from town.families import AS_OF, DEAD, Families
from town.places import Places

RENTING = {"worker": 0.60, "single": 0.18, "elder": 0.04, "couple": 0.35, "family": 0.13, "sharers": 0.95}
LOCAL = {"rent": 0.15, "own": 0.90}  # households registered in the street, by tenure
SHARED_HOMES = 0.025  # households that live in a home together with another household
MOVED = 0.11  # households that moved within the street in the last four years
ELSEWHERE = 0.12  # books registered at another home of the street than the one lived in (人户分离)
OWN_BOOK = {"F": 0.5, "M": 0.5, "C": 0.15, "S": 0.12}  # members not in the household's book, adult children only
GRANDPARENTS_BOOK = 0.04  # children registered with an old couple elsewhere
OWNER_HERE = 0.55  # let homes whose landlord lives in the street
MOVING = 0.001  # households that move on each of the coming days
FORESEEN = 30  # days for which moves are foreseen
FAR = np.datetime64("2999-01-01")
NEVER = np.datetime64("1990-01-01")


@dataclass(frozen=True)
class Homes:
    """households: + dwelling, before (-1: none), moved_at, later (-1: stays), later_at, rents, local. people: + status, local, book (-1: none), head (row), relation.

    books: dwelling (registered at), number (户号). owners: landlord of each let dwelling, as rows of people.
    """

    households: pd.DataFrame
    people: pd.DataFrame
    books: pd.DataFrame
    owners: pd.Series


def settle(families: Families, places: Places, seed: int) -> Homes:
    """Give every household a home and every registered person a book."""
    rng = stream(seed, "homes")
    households = _tenure(rng, families.households)
    households["dwelling"] = _dwellings(rng, households, places)
    households = _moves(rng, households, len(places.dwellings))
    people = _with_dead(rng, families.people, households)
    people, books = _books(rng, people, households, len(places.dwellings))
    people, owners = _owners(rng, people, households, places)
    people["people_group"] = _groups(rng, people, households)
    return Homes(households, people, books, owners)


def _tenure(rng: Rng, households: pd.DataFrame) -> pd.DataFrame:
    share = households["kind"].map(RENTING).to_numpy(dtype=float)
    rents = (rng.random(len(households)) < share) & households["resident"].to_numpy()
    local = rng.random(len(households)) < np.where(rents, LOCAL["rent"], LOCAL["own"])
    return households.assign(rents=rents, local=local | ~households["resident"])


def _dwellings(rng: Rng, households: pd.DataFrame, places: Places) -> Ints:
    """Tenants are likelier in the let rooms of village houses; a few households share a home. -1 for those who live elsewhere."""
    resident = np.flatnonzero(households["resident"])
    building = places.dwellings["building"].to_numpy()
    let_house = ((places.buildings["units"] == 0) & (places.buildings["rooms"] > 1)).to_numpy()[building]
    taken = np.argsort(rng.random(len(building)) * 1.4 - 0.15 * let_house)[: len(resident)]
    homes = taken[np.argsort(-(let_house[taken] + 1.2 * rng.random(len(taken))), kind="stable")]
    order = resident[
        np.argsort(-(households["rents"].to_numpy()[resident] + 1.2 * rng.random(len(resident))), kind="stable")
    ]
    dwelling = np.full(len(households), -1)
    dwelling[order] = homes
    guests = resident[rng.random(len(resident)) < SHARED_HOMES]
    dwelling[guests] = dwelling[rng.choice(resident, len(guests))]
    return dwelling


def _moves(rng: Rng, households: pd.DataFrame, dwellings: int) -> pd.DataFrame:
    size = len(households)
    moved = (rng.random(size) < MOVED) & households["resident"].to_numpy()
    days = rng.integers(20, 1460, size).astype("timedelta64[D]")
    before = np.where(moved, rng.integers(0, dwellings, size), -1)
    moves = (rng.random(size) < MOVING * FORESEEN) & households["resident"].to_numpy()
    later_at = AS_OF + rng.integers(1, FORESEEN + 1, size).astype("timedelta64[D]")
    return households.assign(
        before=before, moved_at=np.where(moved, AS_OF - days, NEVER),
        later=np.where(moves, rng.integers(0, dwellings, size), -1), later_at=np.where(moves, later_at, FAR),
    )  # fmt: skip


def _with_dead(rng: Rng, people: pd.DataFrame, households: pd.DataFrame) -> pd.DataFrame:
    """Dead wives and husbands of the old who live alone, still in the books."""
    people = people.assign(status=np.where(households["resident"].to_numpy()[people["household"]], "resident", "away"))
    alone = people[
        (households["kind"].eq("elder") & households["size"].eq(1) & households["local"]).to_numpy()[
            people["household"]
        ]
    ]
    dead = alone.sample(frac=min(1.0, DEAD * len(people) / max(len(alone), 1)), random_state=rng)
    shift = rng.integers(-1500, 2500, len(dead)).astype("timedelta64[D]")
    dead = dead.assign(role="S", sex=3 - dead["sex"], birth=dead["birth"] - shift, status="dead")
    return pd.concat([people, dead], ignore_index=True)


def _books(
    rng: Rng, people: pd.DataFrame, households: pd.DataFrame, dwellings: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A household's local members share its book, but for parents, wives and grown children with one of their own."""
    total, at = len(households), people["household"].to_numpy()
    role, apart = people["role"].to_numpy(), rng.random(len(people))
    rate = pd.Series(role).map(OWN_BOOK).fillna(0).to_numpy()
    adult = ((AS_OF - people["birth"].to_numpy()).astype("timedelta64[D]").astype(int) > 24 * 365) | (role != "C")
    separate = (apart < rate) & adult & (people["status"].to_numpy() == "resident")
    local = households["local"].to_numpy()[at] & ~(separate & (role == "S"))
    book = np.where(separate, at + total * np.where(role == "C", 2, 1), at)
    elders = np.flatnonzero(
        (households["kind"].eq("elder") & households["local"] & households["size"].eq(2)).to_numpy()
    )
    with_elders = np.isin(role, ["C", "K"]) & ~separate & (rng.random(len(people)) < GRANDPARENTS_BOOK)
    book = np.where(with_elders, rng.choice(elders, len(people)), book)
    people = people.assign(local=local, book=np.where(local, book, -1), grandchild=with_elders & local)
    registered = np.where(households["dwelling"] >= 0, households["dwelling"], rng.integers(0, dwellings, total))
    registered = np.tile(registered, 3)
    other = (rng.random(len(registered)) < ELSEWHERE) | (np.arange(len(registered)) >= total) & (
        rng.random(len(registered)) < 0.6
    )
    other |= np.tile(households["rents"].to_numpy(), 3)
    numbers = strings(rng.choice(900_000_000, len(registered), replace=False) + 100_000_000)
    books = pd.DataFrame(
        {"dwelling": np.where(other, rng.integers(0, dwellings, len(registered)), registered), "number": numbers}
    )
    return _relations(people), books


RANKS = {"H": 0, "F": 1, "S": 2, "M": 3, "C": 4, "L": 5, "K": 6, "T": 7}
RELATIONS = {  # GB/T 4761 to the head of the book, by the head's role, own role and sex
    ("H", "S", 1): "11", ("H", "S", 2): "12", ("H", "C", 1): "20", ("H", "C", 2): "30", ("H", "L", 2): "38",
    ("H", "K", 1): "41", ("H", "K", 2): "42", ("H", "F", 1): "51", ("H", "M", 2): "52", ("F", "M", 2): "12",
}  # fmt: skip


def _relations(people: pd.DataFrame) -> pd.DataFrame:
    """The head of each book and each member's relation to the head."""
    alive = people["status"].ne("dead")
    rank = people["role"].map(RANKS) + 10 * people["grandchild"] + 20 * ~alive
    heads = (
        people.assign(rank=rank)[people["book"] >= 0]
        .sort_values(["rank", "order"], kind="stable")
        .drop_duplicates("book")
    )
    head = people["book"].map(pd.Series(heads.index, index=heads["book"])).fillna(-1).astype(int).to_numpy()
    head_role = people["role"].to_numpy()[head]
    keys = zip(head_role.tolist(), people["role"].tolist(), people["sex"].tolist(), strict=True)
    relation = np.array([RELATIONS.get(key, "97") for key in keys], dtype=object)
    grand = people["grandchild"].to_numpy()
    relation = np.where(grand, np.where(people["sex"] == 1, "41", "42"), relation)
    relation = either(head == people.index, "02", either(head < 0, None, relation))
    return people.assign(head=head, relation=relation)


def _owners(rng: Rng, people: pd.DataFrame, households: pd.DataFrame, places: Places) -> tuple[pd.DataFrame, pd.Series]:
    """The landlords of let homes: one for all rooms of a village house; some live in the street, the others are added to the people."""
    let = np.unique(households.loc[households["rents"], "dwelling"])
    building = places.dwellings["building"].to_numpy()[let]
    house = (places.buildings["units"].to_numpy()[building] == 0) & (places.buildings["rooms"].to_numpy()[building] > 1)
    property_ = np.where(house, -1 - building, let)
    names, group = np.unique(property_, return_inverse=True)
    settled = np.flatnonzero(
        (
            people["role"].eq("H")
            & people["status"].eq("resident")
            & ~households["rents"].to_numpy()[people["household"]]
        ).to_numpy()
    )
    here = rng.random(len(names)) < OWNER_HERE
    outside = np.cumsum(~here) - 1
    owner = np.where(here, rng.choice(settled, len(names)), len(people) + outside // 2)
    added = people.loc[rng.choice(settled, int(outside.max()) // 2 + 1)].assign(
        household=-1,
        status="outside",
        local=False,
        book=-1,
        head=-1,
        relation=None,
        role="T",
        order=0,
        twin=False,
        grandchild=False,
    )
    shift = rng.integers(-4000, 4000, len(added)).astype("timedelta64[D]")
    added["birth"] = added["birth"] + shift
    return pd.concat([people, added], ignore_index=True), pd.Series(owner[group], index=let)


def _groups(rng: Rng, people: pd.DataFrame, households: pd.DataFrame) -> npt.NDArray[np.object_]:
    """han, hui, other (Han-like names), uyghur, tibetan (dotted or their own names), hmt (Hong Kong, Macau, Taiwan), foreign; by household."""
    shares = {
        False: {
            "han": 0.968,
            "hui": 0.012,
            "other": 0.006,
            "uyghur": 0.007,
            "tibetan": 0.002,
            "hmt": 0.003,
            "foreign": 0.002,
        },
        True: {"han": 0.982, "hui": 0.012, "other": 0.006},
    }
    families = len(households)
    drawn = np.where(households["local"], among(rng, shares[True], families), among(rng, shares[False], families))
    outside = among(rng, shares[True], len(people))
    at = people["household"].to_numpy()
    return np.where(at >= 0, drawn[np.maximum(at, 0)], outside)


def away_addresses(rng: Rng, size: int) -> npt.NDArray[np.object_]:
    """Addresses in other places."""
    return choose(rng, words("places.yml")["away"], size)


def resident(people: pd.DataFrame) -> Mask:
    """Who lives in the street."""
    living: Mask = people["status"].eq("resident").to_numpy()
    return living
