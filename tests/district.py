"""A small district for tests that run the whole program: six invented feeds, a home, and a look at the registry.

Of its 40 persons the population (sqlite) holds all, the police (csv) the first 30, the grid workers (xlsx) the last
20; ten addresses (csv), twenty shops (jsonl) and twenty lamps (geojson) lie among them.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from onegrid import cli
from onegrid.database import Actor, Database, open_database, read_frame
from onegrid.settings import Settings

ROOT = Path(__file__).parents[1]
ACTOR = Actor("test")
PERSONS = 40
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
SURNAMES, GIVEN = "赵钱孙李周吴郑王冯陈", ("建国", "淑芬", "志强", "秀英", "浩然", "雨桐", "思远", "佳怡")
SOURCES = ("addresses", "grid_workers", "lamps", "police", "population", "shops")
ENVIRONMENT = (
    "ONEGRID_DATABASE_URL", "ONEGRID_LANDING", "ONEGRID_KEY_FILE", "ONEGRID_HOME", "ONEGRID_ENGINE", "ONEGRID_SPARK_MASTER",
)  # fmt: skip
MEMBERS = """
    SELECT r.source, r.key, r.role, m.type, m.kind, m.code FROM membership m JOIN record r ON r.id = m.record
    WHERE m.known_to IS NULL"""
VALUES = """
    SELECT v.code, v.property, coalesce(v.value, 'sealed') AS value, r.source, r.key, r.role
    FROM entity_value v JOIN entity e ON e.code = v.code LEFT JOIN record r ON r.id = v.record
    WHERE v.known_to IS NULL AND e.status = 'active'"""


def id_number(place: int) -> str:
    """The invented id number of the person `place`, with its check digit."""
    body = f"340202{1950 + place}{1 + place % 12:02}{1 + place % 28:02}{100 + place * 7 % 900}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def person(place: int) -> dict[str, str]:
    """What every feed knows of the person `place`: two live in each dwelling."""
    home = place // 2
    return {
        "name": SURNAMES[place % 10] + GIVEN[place % 8],
        "id": id_number(place),
        "sex": "男" if int(id_number(place)[16]) % 2 else "女",
        "phone": f"138{55010000 + place * 37:08}",
        "address": f"幸福社区春晖苑{1 + home // 10}号楼{1 + home // 5 % 2}单元{1 + home % 5}0{1 + home % 2}室",
        "book": f"{340202001000 + home}",
    }


@dataclass(frozen=True)
class Outcome:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        """The summary of `--json`."""
        found: dict[str, Any] = json.loads(self.out.rstrip("\n").rsplit("\n", 1)[-1])
        return found

    @property
    def states(self) -> dict[str, str]:
        """The state of each source."""
        return {name: found["state"] for name, found in self.summary["sources"].items()}

    @property
    def sentences(self) -> list[str]:
        """What was said of failures."""
        return [line for line in self.err.splitlines() if line.startswith("onegrid:")]


@dataclass(frozen=True)
class Registry:
    """The published registry: `members` as exported, `values` golden ones, `loads`, `entities`."""

    members: pd.DataFrame
    values: pd.DataFrame
    loads: pd.DataFrame
    entities: pd.DataFrame
    records: pd.DataFrame

    @property
    def partition(self) -> set[frozenset[tuple[str, ...]]]:
        """Which records belong together, whatever the codes are."""
        lines = self.members.fillna("")
        groups = lines.groupby(["type", "kind", "code"])[["source", "key", "role", "type", "kind"]]
        return {frozenset(found.itertuples(index=False, name=None)) for _, found in groups}

    @property
    def golden(self) -> set[tuple[Any, ...]]:
        """The golden values, each named by the records of its entity instead of a code."""
        lines = self.members.fillna("").groupby("code")[["source", "key", "role"]]
        named = {code: frozenset(found.itertuples(index=False, name=None)) for code, found in lines}
        columns = self.values[["property", "value", "source", "key"]].fillna("")
        lines_of = zip(self.values["code"], columns.itertuples(index=False, name=None), strict=True)
        return {(named.get(code), *said) for code, said in lines_of}

    def keys(self, source: str) -> set[str]:
        """The rows of a source that have a code."""
        return set(self.members.loc[self.members["source"] == source, "key"])

    def code(self, source: str, key: str, kind: str = "person") -> str:
        """The code of what a row says of one type."""
        at = (self.members["source"] == source) & (self.members["key"] == key) & (self.members["type"] == kind)
        (code,) = self.members.loc[at, "code"]
        return str(code)


@dataclass
class District:
    """Feeds and source files below `folder`, a home beside them."""

    folder: Path
    home: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def sources(self) -> Path:
        return self.folder / "sources"

    def data(self, name: str) -> Path:
        """A feed's file."""
        return self.folder / "data" / name

    def spec(self, feed: str, **changes: Any) -> None:
        """Changes parts of a source file; dotted names reach below (`read.path`), None takes a part away."""
        path = self.sources / f"{feed}.yml"
        spec = yaml.safe_load(path.read_text("utf-8"))
        for dotted, value in changes.items():
            *above, last = dotted.split("__")
            part = spec
            for step in above:
                part = part[step]
            if value is None:
                part.pop(last, None)
            else:
                part[last] = value
        path.write_text(yaml.safe_dump(spec, allow_unicode=True, sort_keys=False), "utf-8")

    def only(self, *names: str) -> District:
        """Keeps the source files of these feeds."""
        for path in self.sources.iterdir():
            if path.stem not in names:
                path.unlink()
        return self

    def command(self, *arguments: str, stdin: str = "") -> Outcome:
        """A command of the program in this process, with this home."""
        out, err, before = io.StringIO(), io.StringIO(), sys.stdin
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for name in ENVIRONMENT:
                patch.delenv(name, raising=False)
            for name, value in self.environ.items():
                patch.setenv(name, value)
            sys.stdin = io.StringIO(stdin)
            try:
                code = cli.main([*arguments, "--home", str(self.home)])
            finally:
                sys.stdin = before
        return Outcome(code, out.getvalue(), err.getvalue())

    def run(self, *more: str) -> Outcome:
        """`onegrid run --json` over all sources."""
        return self.command("run", "--json", "--sources", str(self.sources), *more)

    def spawn(self, *more: str) -> subprocess.Popen[str]:
        """The same as a process of its own."""
        words = [sys.executable, "-m", "onegrid.cli", "run", "--json", "--sources", str(self.sources), *more]
        kept = {name: value for name, value in os.environ.items() if name not in ENVIRONMENT}
        environ = {**kept, **self.environ, "PYTHONPATH": str(ROOT)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([*words, "--home", str(self.home)], text=True, env=environ, cwd=self.folder, **pipes)

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The home's database."""
        with open_database(Settings(self.home)) as database:
            yield database

    def query(self, statement: str, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """The rows of a query."""
        with self.database() as database, database.session(ACTOR) as connection:
            return read_frame(connection, statement, params)

    def registry(self) -> Registry:
        """What is published now."""
        with self.database() as database, database.session(ACTOR) as connection:
            return Registry(
                read_frame(connection, MEMBERS),
                read_frame(connection, VALUES),
                read_frame(connection, "SELECT * FROM load ORDER BY id"),
                read_frame(connection, "SELECT code, type, kind, status FROM entity"),
                read_frame(connection, "SELECT source, key, type, role, deleted FROM record"),
            )


def whole(registry: Registry) -> None:
    """Nothing lost and nothing doubled: every standing record has one code of its type, and the counts add up."""
    members, loads = registry.members.fillna(""), registry.loads
    assert not members.duplicated(["source", "key", "role", "type", "kind"]).any()
    standing = registry.records[~registry.records["deleted"]].fillna("")
    assert not standing.duplicated(["source", "key", "type", "role"]).any()
    lines = ["source", "key", "role", "type"]
    lost = standing.merge(members.drop_duplicates(lines), on=lines, how="left")
    assert lost["code"].notna().all()
    active = registry.entities.loc[registry.entities["status"] == "active", "code"]
    assert set(members["code"]) == set(active)
    staged = loads[loads["state"] == "staged"]
    assert (staged["read"] == staged["clean"] + staged["quarantined"] + staged["repeated"]).all()


# ---------------------------------------------------------------- the feeds


def write_population(path: Path, places: Sequence[int] = range(PERSONS)) -> None:
    """A table with a cursor (updated_at) and a mark of what is gone (zt 9)."""
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE resident (rid, xm, sfzh, xb, lxdh, dz, hh, gx, zt TEXT DEFAULT '1', updated_at)"
        )
        for place in places:
            put_resident(connection, place)
    connection.close()


def put_resident(connection: sqlite3.Connection, place: int, at: str = "2026-01-05 08:00:00", **other: str) -> None:
    """A row of the population, new or in place of its last state."""
    said, head = person(place), "01" if place % 2 == 0 else "10"
    values = {"xm": said["name"], "sfzh": said["id"], "xb": said["sex"], "lxdh": said["phone"], "dz": said["address"]}
    row = {"rid": f"r{place:03}", **values, "hh": said["book"], "gx": head, "zt": "1", "updated_at": at, **other}
    connection.execute("DELETE FROM resident WHERE rid = ?", [row["rid"]])
    connection.execute(f"INSERT INTO resident ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])


def write_police(path: Path, places: Sequence[int] = range(30), encoding: str = "utf-8") -> None:
    lines = ["编号,姓名,身份证号,电话,住址"]
    for place in places:
        said = person(place)
        lines.append(",".join([f"p{place:03}", said["name"], said["id"], said["phone"], said["address"]]))
    path.write_text("\n".join(lines) + "\n", encoding)


def write_grid_workers(path: Path, places: Sequence[int] = range(20, PERSONS)) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("台账")
        sheet.write_row(0, 0, ["序号", "姓名", "证件号码", "联系电话", "现住址"])
        for line, place in enumerate(places, start=1):
            said = person(place)
            sheet.write_row(line, 0, [f"g{place:03}", said["name"], said["id"], said["phone"], said["address"]])


def write_addresses(path: Path) -> None:
    lines = ["address,grid"]
    lines += [f"{person(place)['address']},340202001{1 + place // 20:03}" for place in range(0, PERSONS, 2)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def write_shops(path: Path, count: int = 20) -> None:
    rows = [
        {"id": n, "shop": {"name": f"春晖{n}号便民超市"}, "addr": f"幸福社区长江路{100 + n}号"} for n in range(count)
    ]
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def write_lamps(path: Path, count: int = 20) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"code": f"340202001020100{n:03}", "name": "路灯", "state": "正常"},
            "geometry": {"type": "Point", "coordinates": [118.37 + n / 1000, 31.33]},
        }
        for n in range(count)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False), "utf-8")


WRITERS: dict[str, Callable[[Path], None]] = {
    "population.sqlite": write_population,
    "police.csv": write_police,
    "grid_workers.xlsx": write_grid_workers,
    "addresses.csv": write_addresses,
    "shops.jsonl": write_shops,
    "lamps.geojson": write_lamps,
}
FILES: dict[str, dict[str, Any]] = {
    "population": {
        "level": "district",
        "read": {
            "kind": "sql", "connection": "sqlite:///../data/population.sqlite", "table": "resident", "key": ["rid"],
            "cursor": "updated_at", "deleted": {"column": "zt", "value": "9"},
        },
        "maps": {"person": {
            "name": "xm", "id_number": "sfzh", "sex": "xb", "phone": "lxdh", "address": "dz",
            "household_number": "hh", "relation_to_head": "gx",
        }},
    },
    "police": {
        "level": "community",
        "read": {"kind": "files", "path": "../data/police.csv", "format": "csv", "key": ["编号"]},
        "maps": {"person": {"name": "姓名", "id_number": "身份证号", "phone": "电话", "address": "住址"}},
    },
    "grid_workers": {
        "level": "grid",
        "read": {"kind": "files", "path": "../data/grid_workers.xlsx", "format": "xlsx", "key": ["序号"]},
        "maps": {"person": {"name": "姓名", "id_number": "证件号码", "phone": "联系电话", "address": "现住址"}},
    },
    "addresses": {
        "level": "street",
        "read": {"kind": "files", "path": "../data/addresses.csv", "format": "csv"},
        "maps": {"place": {"address": "address", "grid_code": "grid"}},
    },
    "shops": {
        "level": "district",
        "read": {"kind": "files", "path": "../data/shops.jsonl", "format": "jsonl", "key": ["id"]},
        "maps": {"organization": {"name": "shop.name", "address": "addr"}},
    },
    "lamps": {
        "level": "street",
        "read": {"kind": "files", "path": "../data/lamps.geojson", "format": "geojson", "key": ["properties.code"]},
        "maps": {"thing": {
            "number": "properties.code", "name": "properties.name", "status": "properties.state",
            "kind": {"value": "路灯"},
        }},
    },
}  # fmt: skip


def write_district(folder: Path) -> None:
    """All feeds and their source files."""
    (folder / "data").mkdir()
    (folder / "sources").mkdir()
    for name, write in WRITERS.items():
        write(folder / "data" / name)
    for name, parts in FILES.items():
        spec = {"name": name, "title": name, "owner": "区数据局", "division": "340202", **parts}
        (folder / "sources" / f"{name}.yml").write_text(
            yaml.safe_dump(spec, allow_unicode=True, sort_keys=False), "utf-8"
        )


# ---------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def prepared_home(make_folder: Callable[[], Path]) -> Path:
    """A home after its first start, stopped, whose server need not survive a power cut; copied by `make_district`."""
    folder = make_folder()
    (folder / "home" / "database").mkdir(mode=0o711, parents=True)
    (folder / "home").chmod(0o711)
    (folder / "home" / "database" / "local.conf").write_text("fsync = off\nfull_page_writes = off\n")
    empty = District(folder, folder / "home")
    assert empty.command("sources").code == 0
    return folder / "home"


@pytest.fixture
def make_district(make_folder: Callable[[], Path], prepared_home: Path) -> Callable[[], District]:
    """Makes districts, each with its own feeds and an empty registry."""

    return lambda: copy_district(make_folder(), prepared_home)


def copy_district(folder: Path, prepared_home: Path) -> District:
    """A district below an empty folder, its home copied from one that was started before."""
    write_district(folder)
    subprocess.run(["cp", "-a", str(prepared_home), str(folder / "home")], check=True)
    return District(folder, folder / "home")


@pytest.fixture
def district(make_district: Callable[[], District]) -> Iterator[District]:
    """A district whose feeds are in order; its server runs throughout, so that commands need not start it."""
    made = make_district()
    with made.database():
        yield made
