"""`matching.dedupe` on made-up tables: typing errors, families under one roof, sources without duplicates, wrong calls."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from stdnum.iso7064 import mod_11_2

from bench.score import pairwise as agreement
from matching import dedupe
from onegrid.errors import SettingsError

KINDS = {
    "source": "source", "given": "given_name", "family": "surname", "born": "birth_date", "sex": "sex",
    "number": "house_number", "street": "street", "postcode": "postcode", "phone": "phone",
}  # fmt: skip
SYLLABLES = (
    "bar",
    "den",
    "fol",
    "gim",
    "hul",
    "kas",
    "lor",
    "mer",
    "nov",
    "pel",
    "rin",
    "sut",
    "tam",
    "vik",
    "wen",
    "zor",
)
GIVEN = [one + two for one in SYLLABLES for two in ("a", "ia", "on", "ett", "us")]
FAMILY = [one + two + three for one in SYLLABLES for two in SYLLABLES[::2] for three in ("", "son", "ow")]
STREETS = [one + "ing road" for one in SYLLABLES] + [one + "wood lane" for one in SYLLABLES]


class Town:
    """Families of two parents and three children, some of them twins or named as the parent, with what each source writes of them."""

    def __init__(self, homes: int, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.rows: list[dict[str, object]] = []
        self.people = 0
        for _ in range(homes):
            self.family()

    def pick(self, words: list[str]) -> str:
        return str(self.random.choice(words))

    def day(self, year: int) -> str:
        return f"{year}-{self.random.integers(1, 13):02d}-{self.random.integers(1, 29):02d}"

    def family(self) -> None:
        family, parent, year = self.pick(FAMILY), self.pick(GIVEN), int(self.random.integers(1930, 1985))
        home = {
            "family": family, "number": str(self.random.integers(1, 300)), "street": self.pick(STREETS),
            "postcode": str(self.random.integers(1000, 1200)), "phone": f"0{self.random.integers(10**7, 10**8)}",
        }  # fmt: skip
        twins = self.day(year + 27)
        first, second = self.random.choice(GIVEN, 2, replace=False)
        self.person(home, given=parent, born=self.day(year), sex="m")
        self.person(home, given=self.pick(GIVEN), born=self.day(year + 2), sex="f")
        self.person(home, given=str(first), born=twins, sex="f")
        twin = self.random.random() < 0.15
        self.person(home, given=str(second), born=twins if twin else self.day(year + 29), sex="f")
        called = parent if self.random.random() < 0.1 else self.pick(GIVEN)
        self.person(home, given=called, born=self.day(year + 32), sex="m")

    def person(self, home: dict[str, str], **own: str) -> None:
        truth: dict[str, object] = {**home, **own, "person": self.people}
        self.rows.append({"source": "register", **truth})
        if self.random.random() < 0.6:
            self.rows.append({"source": "survey", **self.wrong(truth)})
        self.people += 1

    def wrong(self, row: dict[str, object]) -> dict[str, object]:
        """A copy with one or two typing errors or gaps."""
        copy = dict(row)
        for name in self.random.choice(list(ERRORS), int(self.random.integers(1, 3)), replace=False):
            ERRORS[str(name)](self, copy)
        return copy

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self.rows).sample(frac=1.0, random_state=3)


def typed(town: Town, text: object) -> str:
    """One letter of a word replaced."""
    at = int(town.random.integers(0, len(str(text))))
    return str(text)[:at] + "q" + str(text)[at + 1 :]


ERRORS: dict[str, Callable[[Town, dict[str, object]], object]] = {
    "given": lambda town, row: row.update(given=typed(town, row["given"])),
    "family": lambda town, row: row.update(family=typed(town, row["family"])),
    "born": lambda town, row: row.update(born=row["born"] and str(row["born"])[:-1] + str(town.random.integers(0, 10))),
    "moved": lambda town, row: row.update(street=town.pick(STREETS), number="7", postcode="1300"),
    "no phone": lambda town, row: row.update(phone=None),
    "initial": lambda town, row: row.update(given=str(row["given"])[0]),
    "no date": lambda town, row: row.update(born=None),
}


@pytest.fixture(scope="module")
def town() -> pd.DataFrame:
    return Town(120, 11).frame()


@pytest.fixture(scope="module")
def found(town: pd.DataFrame) -> pd.Series:
    return dedupe(town, KINDS)


def test_people_are_found_through_typing_errors(town: pd.DataFrame, found: pd.Series) -> None:
    scores = agreement(town["person"], found)
    assert scores.precision > 0.95
    assert scores.recall > 0.93
    told = agreement(town["person"], dedupe(town, KINDS, unique=["register", "survey"]))
    assert told.precision > 0.985
    assert told.recall > 0.93


def test_a_household_shares_much_and_stays_apart(town: pd.DataFrame, found: pd.Series) -> None:
    own = town.assign(cluster=found)[town["source"] == "register"]
    homes = own.groupby(["family", "street", "number"]).agg({"person": "nunique", "cluster": "nunique"})
    assert (homes["person"] == 5).sum() > 100
    assert (homes["person"] == homes["cluster"]).mean() > 0.9


def test_labels_are_aligned_and_repeat_in_any_order(town: pd.DataFrame, found: pd.Series) -> None:
    assert found.index.equals(town.index)
    assert found.dtype == "int64"
    turned = dedupe(town[::-1], KINDS).reindex(town.index)
    assert agreement(found, turned).f1 == 1.0
    assert found.drop_duplicates().tolist() == list(range(found.nunique()))


def test_scored_pairs_come_along(town: pd.DataFrame) -> None:
    labels, pairs = dedupe(town, KINDS, pairs=True)
    assert list(pairs.columns) == ["left", "right", "weight"]
    person, sure = town["person"], pairs[pairs["weight"] > 5]
    assert len(sure) > 200
    for told in (person, labels):
        assert (told[sure["left"]].to_numpy() == told[sure["right"]].to_numpy()).mean() > 0.98
    never = pairs[pairs["weight"] < -10]
    assert len(never) > 500
    assert (person[never["left"]].to_numpy() == person[never["right"]].to_numpy()).mean() < 0.01


def test_a_source_without_duplicates_gives_a_person_one_row(town: pd.DataFrame, found: pd.Series) -> None:
    twice = pd.concat([town, town[town["source"] == "register"].head(50).rename(index=lambda at: at + 10_000)])
    assert dedupe(twice, KINDS).nunique() <= len(town)
    labels = dedupe(twice, KINDS, unique=["register"])
    rows = pd.DataFrame({"source": twice["source"], "cluster": labels})
    assert not rows[rows["source"] == "register"].duplicated().any()
    assert rows[rows["source"] == "survey"]["cluster"].isin(rows[rows["source"] == "register"]["cluster"]).mean() > 0.9


def together(rows: list[dict[str, object]], town: pd.DataFrame, kinds: dict[str, str] = KINDS) -> list[int]:
    """The clusters of a few rows among the whole town's."""
    few = pd.DataFrame(rows, index=[f"row {at}" for at in range(len(rows))])
    return dedupe(pd.concat([town, few]), kinds).loc[few.index].tolist()


PERSON = {
    "source": "register", "given": "annelise", "family": "mc'kenzie", "born": "1961-03-28", "sex": "f", "number": "12",
    "street": "long acre", "postcode": "1401", "phone": "07123456",
}  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        {
            "given": "mc'kenzie",
            "family": "annelise",
            "street": "other way",
            "number": "9",
            "postcode": "1402",
            "phone": None,
        },
        {"family": "MC KENZIE", "phone": None},
        {"given": "a", "street": None, "phone": None},
        {"born": "1961-03-82", "phone": None},
        {"born": "1961-28-03", "street": "other way", "number": "9"},
        {"given": "anneliese", "family": "mackenzie", "phone": None},
        {"born": None, "phone": None},
    ],
)
def test_one_person_written_otherwise(changed: dict[str, object], town: pd.DataFrame) -> None:
    one, two = together([PERSON, {**PERSON, "source": "survey", **changed}], town)
    assert one == two


@pytest.mark.parametrize(
    "changed",
    [
        {"given": "barbara"},
        {"given": "barbara", "born": "1988-07-02"},
        {"born": "1988-07-02"},
        {"given": "robert", "sex": "m", "born": "1959-11-15"},
    ],
)
def test_another_of_the_same_household(changed: dict[str, object], town: pd.DataFrame) -> None:
    one, two = together([PERSON, {**PERSON, **changed}], town)
    assert one != two


def test_dates_of_two_habits_and_in_three_columns_meet(town: pd.DataFrame, found: pd.Series) -> None:
    parts = town["born"].str.split("-", expand=True)
    american = town.assign(born=parts[1] + "/" + parts[2] + "/" + parts[0])
    assert agreement(found, dedupe(american, KINDS)).f1 == 1.0
    european = town.assign(born=parts[2] + "." + parts[1] + "." + parts[0])
    assert agreement(found, dedupe(european, KINDS)).f1 == 1.0
    apart = town.assign(y=parts[0].astype("float"), m=parts[1].astype("float"), d=parts[2].astype("float"))
    kinds = {**KINDS, "y": "birth_year", "m": "birth_month", "d": "birth_day"}
    del kinds["born"]
    assert agreement(found, dedupe(apart, kinds)).f1 == 1.0


def test_whole_names_are_taken_apart(town: pd.DataFrame, found: pd.Series) -> None:
    kinds = {name: kind for name, kind in KINDS.items() if name not in ("given", "family")} | {"called": "full_name"}
    for called in (town["given"] + " " + town["family"], town["family"].str.upper() + ", " + town["given"]):
        assert agreement(found, dedupe(town.assign(called=called), kinds)).f1 == 1.0


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_tables_too_small_to_learn_from(rows: int, town: pd.DataFrame) -> None:
    few = town.drop_duplicates("person").head(rows)
    labels, pairs = dedupe(few, KINDS, pairs=True)
    assert labels.tolist() == list(range(rows))
    assert len(pairs) <= rows


def test_a_column_that_says_nothing_does_no_harm(town: pd.DataFrame, found: pd.Series) -> None:
    empty = town.assign(nothing=pd.NA)
    assert agreement(found, dedupe(empty, {**KINDS, "nothing": "id_number"})).f1 == 1.0


@pytest.mark.parametrize(
    ("kinds", "unique", "said"),
    [
        ({"givn": "given_name"}, (), r"no column 'givn': name only"),
        ({"given": "forename"}, (), r"'forename' of column 'given'. Give one of .*given_name"),
        ({"source": "source"}, (), "at least one column"),
        ({"given": "given_name"}, ["register"], "the kind 'source'"),
        ({"given": "given_name", "source": "source"}, ["nowhere"], "of source 'nowhere'"),
    ],
)
def test_a_wrong_call_is_told_with_its_remedy(
    kinds: dict[str, str], unique: list[str], said: str, town: pd.DataFrame
) -> None:
    with pytest.raises(SettingsError, match=said):
        dedupe(town, kinds, unique=unique)


def test_importing_matching_loads_nothing() -> None:
    told = "import sys, matching; print('pandas' in sys.modules, callable(matching.dedupe), 'pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True", "True"]


# ---------------------------------------------------------------- under Chinese names


def chinese(people: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        name = random.choice(list("王李张刘陈杨黄赵吴周")) + "".join(
            random.choice(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛"), 2)
        )
        birth = f"{random.integers(1940, 2005)}{random.integers(1, 13):02d}{random.integers(1, 29):02d}"
        body = f"340202{birth}{random.integers(1, 999):03d}"
        number = body + str(mod_11_2.calc_check_digit(body))
        home = f"幸福小区{random.integers(1, 9)}栋{random.integers(1, 4)}单元{random.integers(1, 7)}0{random.integers(1, 5)}室"
        told = {"person": person, "name": name, "phone": f"139{random.integers(10**7, 10**8)}", "address": home}
        sex = "男" if int(body[-1]) % 2 else "女"
        rows.append(
            {
                **told,
                "source": "户籍",
                "id_number": number,
                "birth": f"{birth[:4]}年{birth[4:6]}月{birth[6:]}日",
                "sex": sex,
            }
        )
        rows.append(
            {**told, "source": "网格", "id_number": number if person % 2 else number[:6] + "********" + number[14:]}
        )
        rows.append({**told, "source": "应用", "name": name[0] + "*" + name[2], "id_number": None})
    return pd.DataFrame(rows)


CHINESE = {
    "source": "source",
    "name": "name",
    "id_number": "id_number",
    "birth": "birth_date",
    "sex": "sex",
    "phone": "phone",
    "address": "address",
}


def test_a_chinese_table_goes_by_its_own_numbers() -> None:
    table = chinese(120, 4)
    scores = agreement(table["person"], dedupe(table, CHINESE))
    assert scores.precision > 0.99
    assert scores.recall > 0.97
    turned = dedupe(table[::-1], CHINESE).sort_index()
    assert agreement(dedupe(table, CHINESE), turned).f1 == 1.0


def test_a_chinese_source_without_duplicates_gives_a_person_one_row() -> None:
    table = chinese(100, 5)
    twice = pd.concat([table, table[table["source"] == "户籍"].head(40)], ignore_index=True)
    assert dedupe(twice, CHINESE).nunique() < 115
    labels = dedupe(twice, CHINESE, unique=["户籍"])
    own = labels[twice["source"] == "户籍"]
    assert not own.duplicated().any()


def test_pairs_of_a_chinese_table_carry_the_names_of_its_rows() -> None:
    table = chinese(100, 6).rename(index=lambda at: f"r{at}")
    _, pairs = dedupe(table, CHINESE, pairs=True)
    person = table["person"]
    sure = pairs[pairs["weight"] > 8]
    assert len(sure) >= 50
    assert (person[sure["left"]].to_numpy() == person[sure["right"]].to_numpy()).mean() > 0.98


def test_soundex_is_that_of_the_archives() -> None:
    from matching.sounds import soundex

    said = {
        "Robert": "r163",
        "Rupert": "r163",
        "Ashcraft": "a261",
        "Tymczak": "t522",
        "Pfister": "p236",
        "Honeyman": "h555",
        "12": None,
    }
    assert {name: soundex(name) for name in said} == said
