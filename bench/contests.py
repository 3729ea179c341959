"""What the methods are compared on: each contest one folder with the table as it is, the table cleaned for the peers, and the truth.

    table.parquet   every column as written (OneGrid reads this, with kinds.json)
    clean.parquet   the same rows cleaned, under the column names that practitioners use (the peers read this)
    truth.parquet   `truth` (missing: not judged), and `home`, `birth`, `name`, `number` of each row, for the causes of wrong merges

The peers are not handicapped: their table went through OneGrid's cleaning, and columns that one source leaves empty, which
misled them, are taken out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from bench.baselines import clean as clean_town
from bench.feeds import read_people
from bench.people_sets import PeopleSet
from bench.real import ANSWER, SHOWN, read_sources
from bench.score import KEY
from matching.table_columns import read_columns

USUAL = {
    "given_name": "first_name", "surname": "last_name", "birth": "date_of_birth", "postcode": "zip", "suburb": "city",
    "id_number": "ssn", "house_number": "street_number", "address": "address_2", "birth_date": "date_of_birth",
}  # fmt: skip
FILLED = 0.5  # share of every source's rows that must fill a column for the peers to be given it
TOWN_KINDS = {
    "source": "source", "name": "name", "id_number": "id_number", "sex": "sex", "birth_date": "birth_date",
    "phone": "phone", "address": "address",
}  # fmt: skip
SPOT = 3  # decimals of a degree, a hundred metres: what two estates at one spot share


def write_people(known: PeopleSet, folder: Path) -> None:
    """A public set of people."""
    table = read_columns(known.frame, known.kinds)
    source = table["source"] if "source" in table else pd.Series("one", index=table.index)
    filled = table.drop(columns="source", errors="ignore").notna().groupby(source).mean().min()
    clean = table[filled.index[filled >= FILLED]].rename(columns=USUAL)
    facts = {"truth": known.truth, "name": table["given_name"] + " " + table["surname"], "birth": table["birth"]}
    if known.household is not None:
        facts["home"] = known.household
    _write(folder, known.frame, known.kinds, clean, pd.DataFrame(facts))


def write_town(town: Path, folder: Path) -> None:
    """The people of a made-up town, every feed row that maps one."""
    rows = read_people(town).reset_index(drop=True)
    truth = pd.read_parquet(town / "truth" / "records.parquet")[[*KEY, "person"]]
    people = pd.read_parquet(town / "truth" / "people.parquet").set_index("person")
    person = rows[KEY].merge(truth, on=KEY, how="left")["person"].astype("Int64")
    about = people.reindex(person.to_numpy(dtype="float64", na_value=float("nan"))).reset_index(drop=True)
    clean = clean_town(rows).reset_index(drop=True)
    facts = {"truth": person, "home": about["household"], "birth": about["birth"].astype("str"), "name": about["name"]}
    facts["number"] = clean["id_number"]
    _write(folder, rows, TOWN_KINDS, clean, pd.DataFrame(facts))


def write_estates(sources: Path, folder: Path) -> None:
    """Estates that real sites list; judged are the rows that carry one site's number."""
    rows = read_sources(sources)
    clean = rows[SHOWN].copy()
    for name in ("lon", "lat"):
        clean[name] = pd.to_numeric(clean[name], errors="coerce")
    clean["spot"] = clean["lat"].round(SPOT).astype("str") + " " + clean["lon"].round(SPOT).astype("str")
    clean["spot"] = clean["spot"].where(clean["lat"].notna())
    _write(folder, rows, {}, clean, pd.DataFrame({"truth": rows[ANSWER], "name": rows["name"]}))


def _write(
    folder: Path, table: pd.DataFrame, kinds: Mapping[str, str], clean: pd.DataFrame, truth: pd.DataFrame
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table.reset_index(drop=True).to_parquet(folder / "table.parquet")
    clean.reset_index(drop=True).to_parquet(folder / "clean.parquet", index=False)
    truth.reset_index(drop=True).to_parquet(folder / "truth.parquet")
    (folder / "kinds.json").write_text(json.dumps(dict(kinds)), encoding="utf-8")
