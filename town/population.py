"""户籍人口库: the police district's hukou books, a table of a SQLite database. Everyone registered here, whether living here or not."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd

from town.clerks import clock, recent, write_homes, write_people, written_home
from town.draw import Ints, Rates, Rng, Texts, either, strings, texts
from town.feed import Feed, Spec
from town.homes import away_addresses
from town.numbers import dates_as
from town.world import World


def entries(world: World, rates: Rates, rng: Rng) -> pd.DataFrame:
    """A row for each registered person, in the order of the books; some entered twice."""
    registered = np.flatnonzero(world.people["book"] >= 0)
    again = registered[rng.random(len(registered)) < rates["twice"]]
    person = rng.permutation(np.concatenate([registered, again]))
    rows = pd.DataFrame({"person": person, "household": world.people["household"].to_numpy()[person]})
    rows["rid"] = texts(["R" + n for n in strings(np.arange(1, len(rows) + 1) * 7 + 1_000_000)])
    rows["when"] = recent(rng, len(rows), rates["years"])
    status = world.people["status"].to_numpy()[person]
    marked = np.where(status == "dead", rates["dead_marked"], rates["marked"])
    rows["marked"] = rng.random(len(rows)) < marked
    return rows


def write(world: World, rows: pd.DataFrame, rates: Rates, rng: Rng) -> pd.DataFrame:
    """The columns of table `resident`: pinyin initials of 姓名, 曾用名, 身份证号 and so on."""
    person = rows["person"].to_numpy()
    people = world.people.iloc[person]
    seen = write_people(world, person, rates, rng)
    book = people["book"].to_numpy()
    registered = write_homes(world, world.books["dwelling"].to_numpy()[book], rates["address"], rng)
    residence, dwelling = _residences(world, rows, registered.text, registered.readable, rates, rng)
    number, relation, head = _book_columns(world, people, rates, rng)
    marked = rows["marked"].to_numpy()
    return pd.DataFrame(
        {
            "rid": rows["rid"], "xm": seen["name"], "cym": seen["former_name"], "sfzh": seen["id_number"],
            "xb": texts([None if pd.isna(s) else str(int(s)) for s in seen["sex"]]), "csrq": dates_as(rng, seen["birth"].to_numpy(), rates["dates"]),
            "mz": seen["ethnicity"], "hh": number, "yhzgx": relation, "hzsfzh": head, "hjdz": registered.text, "jzdz": residence,
            "lxdh": seen["phone"], "zt": np.where(marked, "9", "1"), "updated_at": clock(rows["when"].to_numpy(), rng),
            "_person": person, "_dwelling": dwelling, "_lost": seen["lost"] | marked,
        }
    )  # fmt: skip


def _residences(
    world: World, rows: pd.DataFrame, registered: Texts, readable: np.ndarray, rates: Rates, rng: Rng
) -> tuple[Texts, Ints]:
    """Where the books say each person lives, and the dwelling that it means (-1: none or not readable)."""
    person = rows["person"].to_numpy()
    people, size = world.people.iloc[person], len(rows)
    book_home = world.books["dwelling"].to_numpy()[people["book"].to_numpy()]
    home = written_home(world, rows, rates, rng)
    own = write_homes(world, home, rates["address"], rng)
    same = home == book_home
    blank = same & (rng.random(size) < rates["same_home_blank"])
    text = either(blank, None, either(same, registered, own.text))
    dwelling = np.where(np.where(same, readable & ~blank, own.readable), home, -1)
    elsewhere = (home < 0) & (people["status"] != "dead").to_numpy()
    known = rng.random(size)
    text = np.where(
        home >= 0,
        text,
        np.where(
            elsewhere & (known < rates["away_known"]),
            away_addresses(rng, size),
            either(known < 0.85, registered, None),
        ),
    )
    at_book = (home < 0) & ~(elsewhere & (known < rates["away_known"])) & (known < 0.85) & readable
    return text, np.where(at_book, book_home, dwelling)


def _book_columns(world: World, people: pd.DataFrame, rates: Rates, rng: Rng) -> tuple[Texts, Texts, Texts]:
    """Household number, relation to the head, the head's id."""
    size = len(people)
    number = world.books["number"].to_numpy(dtype=object)[people["book"].to_numpy()].copy()
    wrong = np.flatnonzero(rng.random(size) < rates["household_number_wrong"])
    number[wrong] = texts([n[:4] + str(int(rng.integers(0, 10))) + n[5:] for n in number[wrong]])
    number = either(rng.random(size) < rates["household_number_missing"], None, number)
    relation = people["relation"].to_numpy(dtype=object)
    relation = np.where(
        rng.random(size) < rates["relation_wrong"], rng.choice(["20", "30", "97", "02"], size), relation
    )
    relation = either(rng.random(size) < rates["relation_missing"], None, relation)
    head = world.people["id_number"].to_numpy(dtype=object)[people["head"].to_numpy()]
    return number, relation, either(rng.random(size) < rates["head_id_missing"], None, head)


def save(rows: pd.DataFrame, data: Path, rng: Rng) -> None:
    """population.sqlite with table resident, rewritten whole."""
    path = data / "population.sqlite"
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    connection = sqlite3.connect(fresh)
    with connection:
        columns = ", ".join(f"{name} TEXT" for name in rows.columns)
        connection.execute(f"CREATE TABLE resident ({columns})")
        marks = ", ".join("?" * len(rows.columns))
        values = rows.astype(object).where(rows.notna(), None)
        connection.executemany(f"INSERT INTO resident VALUES ({marks})", values.itertuples(index=False, name=None))
        connection.execute("CREATE INDEX resident_updated_at ON resident (updated_at)")
    connection.close()
    fresh.replace(path)


def spec(world: World, data: Path) -> Spec:
    """The source file."""
    least = int(0.5 * (world.people["book"] >= 0).sum())
    return {
        "title": "户籍人口库", "owner": "区公安分局", "level": "district", "division": "340202004", "schedule": "0 2 * * *",
        "read": {
            "kind": "sql", "connection": f"sqlite:///{(data / 'population.sqlite').resolve()}", "table": "resident", "key": ["rid"],
            "cursor": "updated_at", "deleted": {"column": "zt", "value": "9"}, "reconcile": "0 3 * * 0",
        },
        "maps": {"person": {
            "name": "xm", "former_name": "cym", "id_number": "sfzh", "id_type": {"value": "resident_id"},
            "sex": {"column": "xb", "values": {"1": "male", "2": "female"}}, "birth_date": "csrq", "ethnicity": "mz",
            "household_number": "hh", "relation_to_head": "yhzgx", "head_id_number": "hzsfzh", "registered_address": "hjdz",
            "address": "jzdz", "phone": "lxdh", "updated_at": "updated_at",
        }},
        "expect": {"rows": {"min": least}, "columns": {"xm": {"not_null": 0.99}, "hh": {"not_null": 0.98}}},
    }  # fmt: skip


FEED = Feed("population", ("rid",), entries, write, save, spec, keyed_blanks=True)
