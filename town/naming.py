"""What people are called: surnames by their shares, given names of their generation, siblings alike, minorities, foreigners."""

from __future__ import annotations

import numpy as np
import pandas as pd

from town.draw import Ints, Mask, Rng, Texts, choose, either, pick, stream, table, texts, words

ERAS = ("old", "mid", "new", "kid")
ERA_BEGINS = (1955, 1980, 2006)  # birth years from which the next generation's names are given
WHOLE = 0.28  # given names that are one of their generation's most frequent ones
SINGLE = {"old": 0.06, "mid": 0.30, "new": 0.38, "kid": 0.08}  # given names of one character
MOTHERS = 0.06  # children who bear their mother's surname
ALIKE = 0.45  # later siblings who share a character of the first one's given name
TWINS_ALIKE = 0.75
RARE = 0.006  # names with a character that old systems cannot write
FORMER = 0.025  # people who once had another given name


def name_people(people: pd.DataFrame, seed: int) -> pd.DataFrame:
    """`people` (household, role, order, sex, birth, twin, people_group) with surname, given, name and former_name."""
    rng = stream(seed, "names")
    surname = _surnames(rng, people)
    given = _alike(rng, people, _given(rng, people))
    rare = rng.random(len(people)) < RARE
    given = np.where(
        rare,
        np.where(rng.random(len(people)) < 0.5, "", texts([g[:1] for g in given]))
        + choose(rng, words("names_more.yml")["rare"].split(), len(people)),
        given,
    )
    former = either(rng.random(len(people)) < FORMER, surname + _given(rng, people), None)
    named = people.assign(surname=surname, given=given, name=surname + given, former_name=former, rare=rare)
    return _others(rng, named)


def _surnames(rng: Rng, people: pd.DataFrame) -> Texts:
    """The father's line for children, grandchildren and the head's father; their own for wives, mothers and co-tenants."""
    families = int(people["household"].max()) + 1
    line, wives, own = (draw_surnames(rng, size) for size in (families, families, len(people)))
    at, male = people["household"].to_numpy(), people["sex"].to_numpy() == 1
    role = people["role"].to_numpy()
    couple = np.isin(role, ["H", "S"])
    of_mother = np.isin(role, ["C", "K"]) & (rng.random(families) < MOTHERS)[at]
    return np.select(
        [couple & ~male, couple, of_mother, np.isin(role, ["C", "K", "F"])],
        [wives[at], line[at], wives[at], line[at]],
        own,
    )


def draw_surnames(rng: Rng, size: int) -> Texts:
    """Surnames by their shares in the country."""
    shares = table("surnames.tsv")
    return shares["surname"].to_numpy(dtype=object)[pick(rng, shares["share"].astype(float).to_numpy(), size)]


def _given(rng: Rng, people: pd.DataFrame) -> Texts:
    year = people["birth"].to_numpy().astype("datetime64[Y]").astype(int) + 1970
    era = np.searchsorted(ERA_BEGINS, year, side="right")
    given = np.full(len(people), "", dtype=object)
    for row in table("given_names.tsv").itertuples(index=False):
        here: Mask = (era == ERAS.index(row.era)) & (people["sex"].to_numpy() == (1 if row.sex == "m" else 2))
        given[here] = _draw_given(rng, row, int(here.sum()))
    return given


def _draw_given(rng: Rng, row, size: int) -> Texts:  # type: ignore[no-untyped-def]
    whole, letters = row.whole.split(), row.characters.split()
    first, second = (texts(letters)[_falling(rng, len(letters), size)] for _ in range(2))
    second = np.where(rng.random(size) < SINGLE[row.era], "", second)
    return np.where(rng.random(size) < WHOLE, texts(whole)[_falling(rng, len(whole), size)], first + second)


def _falling(rng: Rng, count: int, size: int) -> Ints:
    """Positions drawn with shares that fall with the rank, as name frequencies do."""
    return pick(rng, 1 / (np.arange(count) + 4.0), size)


def _alike(rng: Rng, people: pd.DataFrame, given: Texts) -> Texts:
    """Later children share the first character of the child before them, twins more often."""
    sibling = (people["role"].isin(["C", "K"]) & (people["order"] > 0)).to_numpy()
    share = np.where(people["twin"], TWINS_ALIKE, ALIKE)
    chosen = np.flatnonzero(sibling & (rng.random(len(people)) < share))
    alike = given.copy()
    for place in chosen.tolist():
        before, own = alike[place - 1], alike[place]
        alike[place] = before[0] + own[-1]
    for place in np.flatnonzero(
        sibling & (alike == np.roll(alike, 1))
    ).tolist():  # no two of a family are named the same
        spare = "家" if alike[place].endswith("小") else "小"
        alike[place] = alike[place][:1] + spare
    return alike


def _others(rng: Rng, people: pd.DataFrame) -> pd.DataFrame:
    """Names of minorities with dots, of Tibetans, and of foreigners in Latin letters."""
    parts, size = words("names_more.yml"), len(people)
    dotted = choose(rng, parts["dotted_first"].split(), size) + "·" + choose(rng, parts["dotted_last"].split(), size)
    tibetan = choose(rng, parts["tibetan"].split(), size) + choose(rng, parts["tibetan"].split(), size)
    foreign = choose(rng, parts["foreign"].strip().split("\n"), size)
    group = people["people_group"].to_numpy()
    special = np.isin(group, ["uyghur", "tibetan", "foreign"])
    name = np.select(
        [group == "uyghur", group == "tibetan", group == "foreign"], [dotted, tibetan, foreign], people["name"]
    )
    return people.assign(
        name=name,
        surname=np.where(special, "", people["surname"]),
        given=np.where(special, name, people["given"]),
        former_name=either(special, None, people["former_name"]),
    )
