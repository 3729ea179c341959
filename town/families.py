"""Who lives with whom: households, their members' roles, ages, sexes and kin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from town.draw import Ints, Mask, Rng, bounded, pick, stream

AS_OF = np.datetime64("2025-10-31")
"""The town's first day; day N lies N days later."""
HOUSEHOLDS, PEOPLE = 65357, 132856  # X Street's own figures, of those who live there
AWAY = 0.035  # registered households whose people live elsewhere, beside the resident ones (人户分离, 空挂户)
DEAD = 0.010  # dead persons still in the books, beside the residents
SIZES = (0.420, 0.300, 0.160, 0.076, 0.029, 0.011, 0.004)  # households of 1 to 7 members; mean near 2.03
TWINS = 0.035  # second children born on the same day as the first

# Roles: H head, S spouse, C child, F and M the head's father and mother, T co-tenant, L child's wife, K grandchild.
# size, share within the size, roles, mean and deviation of the head's age, kind
KINDS = [
    (1, 0.40, "H", 27, 5, "worker"), (1, 0.25, "H", 45, 9, "single"), (1, 0.35, "H", 73, 8, "elder"),
    (2, 0.25, "HS", 31, 5, "couple"), (2, 0.45, "HS", 65, 9, "elder"), (2, 0.12, "HC", 41, 7, "family"),
    (2, 0.08, "TT", 26, 4, "sharers"), (2, 0.10, "HM", 47, 8, "family"),
    (3, 0.62, "HSC", 38, 9, "family"), (3, 0.13, "HSM", 48, 7, "family"), (3, 0.10, "TTT", 26, 4, "sharers"),
    (3, 0.15, "HSC", 60, 6, "family"),
    (4, 0.50, "HSCC", 37, 6, "family"), (4, 0.20, "HSCM", 40, 6, "family"), (4, 0.10, "TTTT", 25, 3, "sharers"),
    (4, 0.20, "HSCL", 62, 5, "family"),
    (5, 0.50, "HSCFM", 36, 5, "family"), (5, 0.30, "HSCLK", 60, 4, "family"), (5, 0.20, "HSCCM", 38, 5, "family"),
    (6, 0.60, "HSCCFM", 37, 5, "family"), (6, 0.40, "HSCLKK", 62, 4, "family"),
    (7, 0.50, "HSCCCFM", 38, 5, "family"), (7, 0.50, "HSCLKKM", 60, 4, "family"),
]  # fmt: skip


@dataclass(frozen=True)
class Families:
    """households: kind, size, resident, age (the head's). people: household, role, order (among C or K), sex (1, 2), birth, twin."""

    households: pd.DataFrame
    people: pd.DataFrame


def build_families(scale: float, seed: int) -> Families:
    """Resident households first, then those registered here that live elsewhere; people in the order of their households."""
    rng = stream(seed, "families")
    sizes = _sizes(rng, round(HOUSEHOLDS * scale), round(PEOPLE * scale))
    extra = pick(rng, SIZES, round(len(sizes) * AWAY)) + 1
    households = _kinds(rng, np.concatenate([sizes, extra]))
    households["resident"] = np.arange(len(households)) < len(sizes)
    return Families(households, _members(rng, households))


def _sizes(rng: Rng, households: int, people: int) -> Ints:
    """Sizes that add up to the street's people exactly."""
    sizes = pick(rng, SIZES, households) + 1
    missing = people - int(sizes.sum())
    open_to = np.flatnonzero(sizes < 4 if missing > 0 else sizes > 1)
    changed = rng.permutation(open_to)[: abs(missing)]
    sizes[changed] += int(np.sign(missing))
    return sizes


def _kinds(rng: Rng, sizes: Ints) -> pd.DataFrame:
    kind = np.zeros(len(sizes), dtype=np.int64)
    for size in range(1, 8):
        options = np.array([i for i, row in enumerate(KINDS) if row[0] == size])
        here = sizes == size
        kind[here] = options[pick(rng, [KINDS[i][1] for i in options], int(here.sum()))]
    mean, spread = (np.array([row[column] for row in KINDS], dtype=float)[kind] for column in (3, 4))
    age = bounded(rng.normal(mean, spread), 20, 96)
    names = np.array([row[5] for row in KINDS], dtype=object)[kind]
    return pd.DataFrame({"shape": kind, "kind": names, "size": sizes, "age": age})


def _members(rng: Rng, households: pd.DataFrame) -> pd.DataFrame:
    seats = np.array([list(row[2].ljust(7)) for row in KINDS])[households["shape"]]
    household, seat = np.nonzero(seats != " ")
    people = pd.DataFrame({"household": household, "role": seats[household, seat].astype(object)})
    people["order"] = people.groupby(["household", "role"]).cumcount()
    people["sex"] = _sexes(rng, people, households)
    people["twin"] = _twins(rng, people)
    people["birth"] = _births(rng, people, households)
    return people


def _sexes(rng: Rng, people: pd.DataFrame, households: pd.DataFrame) -> Ints:
    """1 male, 2 female. Couples are of two sexes; a child with a wife in the home is a son; the old who live alone are mostly women."""
    heads = np.where(rng.random(len(households)) < 0.68, 1, 2)
    alone = (households["kind"] == "elder") & (households["size"] == 1)
    heads = np.where(alone & (rng.random(len(households)) < 0.45), 2, heads)[people["household"]]
    role = people["role"]
    married = role.eq("L").groupby(people["household"]).transform("any") & role.eq("C")
    conditions = [role == "H", role == "S", role == "F", role.isin(["M", "L"]), married]
    return np.select(conditions, [heads, 3 - heads, 1, 2, 1], rng.integers(1, 3, len(people))).astype(np.int64)


def _twins(rng: Rng, people: pd.DataFrame) -> Mask:
    twin: Mask = (
        people["role"].isin(["C", "K"]) & (people["order"] == 1) & (rng.random(len(people)) < TWINS)
    ).to_numpy()
    return twin


def _births(rng: Rng, people: pd.DataFrame, households: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    head = households["age"].to_numpy().astype(float)
    child = head - rng.normal(26.5, 3, len(head))
    grandchild = child - rng.normal(26, 2, len(head))
    at, size = people["household"].to_numpy(), len(people)
    own = np.array([row[3] for row in KINDS], dtype=float)[households["shape"]][at]
    role, later = people["role"], np.where(people["twin"], 0, people["order"]) * 3.0
    step = (
        people["order"].where(role.isin(["C", "K"]), 0).groupby(people["household"]).transform("max").to_numpy() * 3.0
    )
    rules = {
        "H": head[at], "S": head[at] + rng.normal(-1.5, 3, size), "C": np.maximum(child[at], step) - later,
        "K": np.maximum(grandchild[at], step) - later,
        "F": head[at] + rng.normal(27, 3, size), "M": head[at] + rng.normal(25, 3, size),
        "L": child[at] + rng.normal(-1, 2, size), "T": own + rng.normal(0, 4, size),
    }  # fmt: skip
    adult = role.isin(list("HSFMLT")).to_numpy()
    years = np.select([role == key for key in rules], list(rules.values()))
    years = np.clip(years, np.where(adult, 18, 0), 101)
    days = np.rint(years * 365.25).astype(int) + rng.integers(1, 365, size)
    birth = AS_OF - days.astype("timedelta64[D]")
    return _same_day(people, birth)


def _same_day(people: pd.DataFrame, birth: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """Twins take the birth date of the sibling before them."""
    twins = np.flatnonzero(people["twin"])
    birth = birth.copy()
    birth[twins] = birth[twins - 1]
    return birth
