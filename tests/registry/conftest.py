"""Small registries: records, clusters and checked loads made by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace

import pandas as pd
import pytest
from district import district, make_district, prepared_home
from sqlalchemy import Connection, text

from onegrid.database import Actor, Database
from schemas.records import Checked, Counts, Feed, Matched, Records

__all__ = ["district", "make_district", "prepared_home"]
ACTOR = Actor("test")
FEEDS = {
    "police": Feed("police", "district", "340202", "公安", 0, "2026-01-01T00:00:00+00:00"),
    "grid": Feed("grid", "grid", "340202004017", "街道", 1, "2026-01-02T00:00:00+00:00"),
    "app": Feed("app", "district", "340202004", "数据局", 2, "2026-01-03T00:00:00+00:00"),
}


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """What makes records, clusters and checked loads."""
    return SimpleNamespace(
        records=records, clusters=clusters, members=members, checked=checked, lines=lines_of, results=results_of,
        declare=declare, frame=frame, feeds=FEEDS, actor=ACTOR,
    )  # fmt: skip


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    """One transaction in an empty registry that knows the sources; never committed."""
    with database.session(ACTOR) as connection:
        declare(connection)
        yield connection
        connection.rollback()


def declare(connection: Connection) -> None:
    """The sources, and ten landed loads of the first."""
    for feed in FEEDS.values():
        values = {"name": feed.name, "owner": feed.owner, "level": feed.level, "division": feed.division}
        connection.execute(
            text(
                "INSERT INTO source (name, title, owner, level, division, spec) "
                "VALUES (:name, :name, :owner, :level, :division, '{}')"
            ),
            values,
        )
    for _ in range(10):
        connection.execute(
            text("INSERT INTO load (source, mode, state, spec_hash) VALUES ('police', 'snapshot', 'landed', '')")
        )


@pytest.fixture
def undone(connection: Connection) -> Callable[[], AbstractContextManager[Connection]]:
    """A block whose changes are taken back at its end, so that many examples can share one database."""

    @contextmanager
    def block() -> Iterator[Connection]:
        with connection.begin_nested() as inner:
            yield connection
            inner.rollback()

    return block


def frame(rows: list[dict[str, object]], columns: tuple[str, ...]) -> pd.DataFrame:
    """A frame of text columns, missing where a row says nothing."""
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype="str") for name in columns})


def people(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Person records: `rid`, `source` and any property; key and role follow."""
    names = sorted({name for row in rows for name in row} - {"rid", "source"})
    made = frame(rows, ("source", *names))
    made.insert(0, "rid", pd.Series([row["rid"] for row in rows], dtype="int64"))
    return made.assign(key=made["rid"].astype("str"), role=pd.Series("", index=made.index, dtype="str"))


def records(rows: list[dict[str, object]]) -> Records:
    """Records of persons alone."""
    return Records({"person": people(rows)} if rows else {}, FEEDS)


def members(lines: dict[int, int], type_: str = "person", kind: str = "") -> pd.DataFrame:
    """Member lines {rid: cluster}."""
    made = pd.DataFrame({"rid": list(lines), "cluster": list(lines.values())}, dtype="int64")
    return made.assign(type=type_, kind=kind, how="model", weight=1.5)


def clusters(*parts: set[int]) -> Matched:
    """Persons by their records."""
    lines = {rid: min(part) for part in parts for rid in part}
    return Matched(members=members(lines)) if lines else Matched()


def checked(load: int, rows: dict[str, dict[str, object]], **more: object) -> Checked:
    """A checked load of persons of `police`: {key: properties}."""
    listed = [{"key": key, "role": "", **values} for key, values in rows.items()]
    names = tuple(dict.fromkeys(["key", "role", *(name for row in listed for name in row)]))
    given = {
        "mode": "snapshot",
        "deleted": pd.Series(dtype="str"),
        "seen": pd.Series(list(rows), dtype="str"),
        "quarantine": lines_of([]),
        "results": results_of([]),
        "counts": Counts(read=len(rows), clean=len(rows)),
        **more,
    }
    return Checked(load=load, source="police", records={"person": frame(listed, names)}, **given)  # type: ignore[arg-type]


def lines_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Quarantine lines."""
    names = ("key", "scope", "type", "role", "property", "reasons", "raw")
    made = frame([{"reasons": "[]", "raw": "{}", **row} for row in rows], names)
    return made.assign(row=pd.Series([row.get("row", 1) for row in rows], dtype="int64"))


def results_of(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Quality results."""
    made = frame(rows, ("division", "grid", "type", "role", "property", "rule", "dimension", "outcome"))
    return made.assign(
        **{n: pd.Series([row.get(n, 0) for row in rows], dtype="int64") for n in ("evaluated", "failed")}
    )
