"""Training without labels: what the mixture learns of errors made on purpose, and of pairs known to be two people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from matching.blocking import candidates
from matching.mixture import Explained, explain
from matching.table_columns import read_columns
from matching.table_keys import KEYS, with_keys
from matching.table_levels import LADDERS, TableComparer

KINDS = {"source": "source", "given": "given_name", "family": "surname", "born": "birth_date", "street": "street"}
SIZE, WRONG = 600, 90  # people, and rows of the second source whose day of birth is off by one digit


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Homes of three, everyone in two sources: one day of birth in seven wrong."""
    random = np.random.default_rng(5)
    letters = list("abdefgiklmnoprstuv")
    words = ["".join(random.choice(letters, 6)) for _ in range(400)]
    people = pd.DataFrame(
        {"given": random.choice(words[:150], SIZE), "family": np.repeat(random.choice(words[150:], SIZE // 3), 3)}
    )
    people["street"] = np.repeat([f"{word} road" for word in random.choice(words, SIZE // 3)], 3)
    day = pd.Timestamp("1930-01-01") + pd.to_timedelta(random.integers(0, 30_000, SIZE), unit="D")
    people["born"] = day.strftime("%Y-%m-%d")
    other = people.copy()
    other.loc[: WRONG - 1, "born"] = other["born"].str[:-1] + ((other["born"].str[-1].astype("int64") + 1) % 10).astype(
        "str"
    )
    return pd.concat([people.assign(source="one"), other.assign(source="two")], ignore_index=True)


def fitted(table: pd.DataFrame, *, told: bool) -> Explained:
    keyed = with_keys(read_columns(table, KINDS))
    comparer = TableComparer(keyed)
    found = candidates(keyed, np.ones(len(keyed), dtype=bool), rules=KEYS)
    source = keyed["source"].to_numpy(dtype=object)
    never = (source[found.a] == source[found.b]) & told
    return explain(comparer.levels(found.a, found.b), comparer, never)


def share(found: Explained, kind: str, label: str) -> float:
    return next(level.m for level in found.strangers.comparisons[kind] if level.name == label)


def test_the_rate_of_errors_is_learned(table: pd.DataFrame) -> None:
    found = fitted(table, told=False)
    assert share(found, "birth", "one digit off") == pytest.approx(WRONG / SIZE, abs=0.03)
    assert share(found, "birth", "same") == pytest.approx(1 - WRONG / SIZE, abs=0.03)


def test_what_a_household_shares_weighs_nothing_inside_it(table: pd.DataFrame) -> None:
    found = fitted(table, told=False)
    assert found.household is not None
    inside, outside = (
        {level.name: level.weight for level in side.comparisons["surname"]}
        for side in (found.household, found.strangers)
    )
    assert abs(inside["same, uncommon"]) < 1
    assert outside["same, uncommon"] > 4
    given = {level.name: level.weight for level in found.household.comparisons["given_name"]}
    assert given["same, uncommon"] > 3
    assert given["different"] < -3


def test_pairs_known_to_be_two_people_are_learned_from(table: pd.DataFrame) -> None:
    assert share(fitted(table, told=True), "source", "one source") < 0.035
    free = share(fitted(table, told=False), "source", "one source")
    assert share(fitted(table, told=True), "source", "one source") < free


def test_without_homes_there_are_no_households(table: pd.DataFrame) -> None:
    assert fitted(table.drop(columns="street").assign(street=pd.NA), told=False).household is None


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("1961-03-28", "1961-28-03", "day and month swapped"),
        ("1961-03-28", "1961-03-23", "one digit off"),
        ("1961-03-28", "1961-03-82", "one digit off"),
        ("1961-03-28", "1691-03-28", "one digit off"),
        ("1961-03-28", "1961-03-07", "year and a part"),
        ("1961-03-28", "1975-03-28", "month and day"),
        ("1961-03-28", "1961-11-07", "same year"),
        ("1961-03-28", "1975-11-07", "different"),
        ("1961-03-28", "1961", "fits as far as known"),
        ("1961-03", "1961-04", "different"),
        ("1961-03-28", "1961-03-28", "same"),
    ],
)
def test_levels_of_birth_dates(one: str, two: str, level: str) -> None:
    comparer = TableComparer(pd.DataFrame({"birth": [one, two]}))
    found = comparer.levels(np.array([0, 1]), np.array([1, 0]))["birth"]
    assert [LADDERS["birth"][at] for at in found] == [level, level]


@pytest.mark.parametrize(
    ("one", "two", "level"),
    [
        ("catherine", "catherin", "one edit"),
        ("catherine", "cahterine", "one edit"),
        ("catherine", "c", "part of the other"),
        ("severino martinez", "martinez", "part of the other"),
        ("catherine", "katheryn", "different"),
        ("meyer", "maier", "same sound"),
        ("christina", "christian", "one edit"),
        ("katharina", "katharola", "alike"),
        ("anna", "robert", "different"),
    ],
)
def test_levels_of_names(one: str, two: str, level: str) -> None:
    comparer = TableComparer(pd.DataFrame({"surname": [one, two]}))
    assert LADDERS["surname"][comparer.levels(np.array([0]), np.array([1]))["surname"][0]] == level
