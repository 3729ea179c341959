"""Public sets of people whose truth is known, read from a folder: FEBRL 1 to 3, RLdata10000, a simulated census with its social-security list.

The folder holds the sets as their makers publish them; none of their rows is part of the project. Every method is given the same
columns, and OneGrid the kind of each, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

FEBRL = {
    "given_name": "given_name", "surname": "surname", "street_number": "house_number", "address_1": "street",
    "address_2": "address", "suburb": "suburb", "postcode": "postcode", "state": "state",
    "date_of_birth": "birth_date", "soc_sec_id": "id_number",
}  # fmt: skip
RLDATA = {
    "fname_c1": "given_name", "fname_c2": "middle_name", "lname_c1": "surname", "lname_c2": "surname",
    "by": "birth_year", "bm": "birth_month", "bd": "birth_day",
}  # fmt: skip
CENSUS = {
    "source": "source", "first_name": "given_name", "middle_name": "middle_name", "last_name": "surname", "age": "age",
    "date_of_birth": "birth_date", "street_number": "house_number", "street_name": "street", "unit_number": "unit",
    "city": "suburb", "state": "state", "zipcode": "postcode", "relationship_to_reference_person": "relation", "sex": "sex",
    "race_ethnicity": "race", "ssn": "id_number",
}  # fmt: skip


@dataclass(frozen=True)
class PeopleSet:
    """frame: the columns a method may see, texts. kinds: column -> kind of value. truth: the person of each row.

    household: whom a row lives with, where the set knows it: for telling the causes of wrong merges, never shown to a method.
    """

    name: str
    frame: pd.DataFrame
    kinds: Mapping[str, str]
    truth: pd.Series
    household: pd.Series | None = None


def read_set(folder: Path, name: str) -> PeopleSet:
    """One of SETS."""
    return SETS[name](folder)


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype="str", skipinitialspace=True)


def _febrl(number: int) -> Callable[[Path], PeopleSet]:
    def read(folder: Path) -> PeopleSet:
        rows = _read(folder / f"febrl_dataset{number}.csv")
        person = rows["rec_id"].str.extract(r"^rec-(\d+)-")[0]
        return PeopleSet(f"febrl{number}", rows[list(FEBRL)], FEBRL, person)

    return read


def _rldata(folder: Path) -> PeopleSet:
    rows = _read(folder / "RLdata10000.csv")
    return PeopleSet("rldata10000", rows[list(RLDATA)], RLDATA, rows["ent_id"])


def _census(folder: Path) -> PeopleSet:
    """Households of the census (group quarters left out) and the whole social-security list, one table."""
    census = _read(folder / "census_2020.csv").rename(columns={"middle_initial": "middle_name"})
    census = census[census["housing_type"] == "Household"].assign(source="census")
    listed = _read(folder / "ssa_2020.csv").assign(source="ssa")
    rows = pd.concat([census, listed], ignore_index=True)
    home = rows.groupby("simulant_id")["household_id"].transform(
        "first"
    )  # of listed people too, where the census has them
    return PeopleSet("census with ssa", rows[list(CENSUS)], CENSUS, rows["simulant_id"], home)


SETS: Mapping[str, Callable[[Path], PeopleSet]] = {
    "febrl1": _febrl(1), "febrl2": _febrl(2), "febrl3": _febrl(3), "rldata10000": _rldata, "census": _census,
}  # fmt: skip
