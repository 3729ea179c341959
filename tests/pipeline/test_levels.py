"""Two hubs, one above the other, each with a home of its own: codes go down, corrections come back up."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest
import yaml
from district import ACTOR, District, id_number, person, put_resident
from sqlalchemy import text

from connectors.feed import head
from onegrid.packaging import WRITERS
from registry.packages import META
from schemas.codes import parse
from schemas.properties import entity_types
from schemas.sources import read_sources

AREA = "340202"
NEW_PHONE = "13900001234"


@pytest.fixture
def hubs(make_district: Callable[[], District]) -> Iterator[tuple[District, District]]:
    """The district's hub over all feeds, and a street's hub without any feed yet."""
    with ExitStack() as held:
        upper, lower = make_district(), make_district()
        for made in (upper, lower):
            held.enter_context(made.database())
        for path in lower.sources.iterdir():
            path.unlink()
        yield upper, lower


def packed(hub: District, receiver: str, out: Path, *more: str, division: str = AREA) -> dict[str, object]:
    """A package; its manifest."""
    words = ["package", "--division", division, "--receiver", receiver, "--out", str(out), *more]
    done = hub.command(*words)
    assert done.code == 0, done.err
    return dict(json.loads(max(out.glob("manifest-*.json")).read_text("utf-8")))


def declare(hub: District, package: Path) -> None:
    """A package's source files among the sources of a hub, its data where they lie."""
    for path in package.glob("*.yml"):
        spec = yaml.safe_load(path.read_text("utf-8"))
        spec["read"]["path"] = str(package / spec["read"]["path"])
        (hub.sources / path.name).write_text(yaml.safe_dump(spec, allow_unicode=True), "utf-8")


def values(hub: District, code: str) -> dict[str, str]:
    shown = hub.query(
        "SELECT property, value FROM entity_value WHERE code = %(code)s AND known_to IS NULL", {"code": code}
    )
    return dict(zip(shown["property"], shown["value"], strict=True))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_property_is_called_as_a_packages_own_columns() -> None:
    assert {name for kind in entity_types().values() for name in kind.properties} & set(META) == set()


def test_a_csv_of_a_package_runs_nothing(tmp_path: Path) -> None:
    cells = ["=1+1", "@x", "+86", "-x", "-118.3", "张三", None, "a=b"]
    WRITERS["csv"](pd.DataFrame({"name": pd.Series(cells, dtype="str")}), tmp_path / "a.csv")
    found = [row["name"] for row in rows(tmp_path / "a.csv")]
    assert found == ["'=1+1", "'@x", "'+86", "'-x", "-118.3", "张三", "", "a=b"]


def active(hub: District, kind: str, area: str = AREA) -> set[str]:
    found = hub.query(
        "SELECT code FROM entity WHERE status = 'active' AND type = %(kind)s AND starts_with(division, %(area)s)",
        {"kind": kind, "area": area},
    )
    return set(found["code"])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_codes_go_down_and_corrections_come_back(hubs: tuple[District, District], tmp_path: Path) -> None:
    upper, lower = hubs
    down, up = tmp_path / "down", tmp_path / "up"
    assert upper.run().code == 0
    upper_codes = {kind: active(upper, kind) for kind in ("person", "place", "thing", "organization")}
    assert len(upper_codes["person"]) == 40

    # Down: the lower hub, numbered, gives what it reads the codes of the upper one.
    manifest = packed(upper, "街道", down, "--numbers")
    assert manifest["counts"]["person"] == {"active": 40}  # type: ignore[index]
    for name, digest in manifest["sha256"].items():  # type: ignore[attr-defined]
        assert sha256((down / name).read_bytes()).hexdigest() == digest
    assert lower.command("hub", "--number", "7").code == 0
    declare(lower, down)
    assert lower.run().code == 0
    for kind, codes in upper_codes.items():
        assert active(lower, kind) == codes, kind
    assert lower.command("hub", "--number", "8").code == 2  # it has issued codes
    said = {kind: lower.registry().members.query("type == @kind") for kind in ("person",)}
    assert (said["person"]["key"] == said["person"]["code"]).all()

    # The lower hub's own feed corrects a phone, and knows somebody the upper one does not.
    target = upper.registry().code("population", "r004")
    data = lower.folder / "data" / "visits.csv"
    known, new = person(4), {**person(5), "id": id_number(400), "name": "欧阳静怡"}
    lines = ["编号,姓名,身份证号,电话,住址,时间"]
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"  # after the upper hub read its feeds, before this one reads the package again
    lines += [f"v1,{known['name']},{known['id']},{NEW_PHONE},{known['address']},{now}"]
    lines += [f"v2,{new['name']},{new['id']},13911112222,{known['address']},{now}"]
    data.write_text("\n".join(lines) + "\n", "utf-8")
    spec = {
        "name": "visits", "title": "走访", "owner": "街道", "level": "street", "division": AREA,
        "read": {"kind": "files", "path": "../data/visits.csv", "format": "csv", "key": ["编号"]},
        "maps": {"person": {"name": "姓名", "id_number": "身份证号", "phone": "电话", "address": "住址", "updated_at": "时间"}},
    }  # fmt: skip
    (lower.sources / "visits.yml").write_text(yaml.safe_dump(spec, allow_unicode=True), "utf-8")
    assert lower.run().code == 0
    fresh = lower.registry().code("visits", "v2")
    assert lower.registry().code("visits", "v1") == target
    assert parse(fresh).serial >= 500_000_000  # of its own block

    # Up: what the upper hub did not say itself; it joins its own person by the code and takes the other's code over.
    theirs = [path.stem for path in down.glob("*.yml")]
    packed(lower, "区", up, *[word for name in theirs for word in ("--without", name)])
    lines = {row["code"]: row for row in rows(next(up.glob("person-*.csv")))}  # type: ignore[assignment]
    assert set(lines) == {target, fresh}
    assert lines[target]["phone"] == "139****1234"  # type: ignore[call-overload, index]
    up_numbers = tmp_path / "up_numbers"
    packed(lower, "区数据局", up_numbers, "--numbers", *[word for name in theirs for word in ("--without", name)])
    declare(upper, up_numbers)
    done = upper.run()
    assert done.code == 0, done.err
    came = next(up_numbers.glob("onegrid_*_person.yml")).stem
    assert upper.registry().code(came, target) == target
    assert upper.registry().code(came, fresh) == fresh
    assert active(upper, "person") == upper_codes["person"] | {fresh}
    phones = upper.command("show", target).out
    assert "139****1234" in phones

    # Down again: only what changed; the lower hub then knows it as its own.
    again = packed(upper, "街道", down, "--numbers")
    assert again["from"] == manifest["to"]
    changed = {row["code"]: row for row in rows(max(down.glob("person-*.csv")))}
    assert {target, fresh} <= set(changed)
    assert len(changed) < 10
    assert lower.run().code == 0
    assert lower.registry().code("visits", "v2") == fresh
    assert active(lower, "person") == upper_codes["person"] | {fresh}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_package_holds_what_changed_and_says_what_left(hubs: tuple[District, District], tmp_path: Path) -> None:
    upper, _ = hubs
    upper.only("population", "addresses")
    out = tmp_path / "out"
    assert upper.run().code == 0
    first = packed(upper, "街道", out)
    events = upper.query("SELECT act, department, code, properties FROM access_event")
    assert set(events["act"]) == {"package"}
    lines = pd.concat([pd.read_csv(path, dtype=str) for path in out.glob("*.csv")])
    assert sorted(events["code"]) == sorted(lines["code"])
    people = {row["code"]: row for row in rows(next(out.glob("person-*.csv")))}
    assert {row["id_number"][4:14] for row in people.values()} == {"*" * 10}
    (shown,) = events.loc[events["code"] == min(people), "properties"]
    assert {"name", "address"} <= set(json.loads(shown))
    assert not {"id_number", "phone"} & set(json.loads(shown))  # those are masked

    gone, moved = upper.registry().code("population", "r001"), upper.registry().code("population", "r002")
    with sqlite3.connect(upper.data("population.sqlite")) as connection:
        put_resident(connection, 1, "2026-03-01 08:00:00", zt="9")
        put_resident(connection, 6, "2026-03-01 08:00:00", lxdh=NEW_PHONE)
    connection.close()
    assert upper.run().code == 0
    with upper.database() as database, database.session(ACTOR) as connection:
        connection.execute(text("UPDATE entity SET division = '340203009' WHERE code = :code"), {"code": moved})
        connection.execute(
            text(
                "INSERT INTO change (run, code, type, change, diff, division) "
                "VALUES (1, :code, 'person', 'updated', '{\"location\": [\"division\"]}', '340203009')"
            ),
            {"code": moved},
        )
    before = len(upper.query("SELECT 1 AS n FROM access_event"))
    second = packed(upper, "街道", out, "--format", "json")
    assert second["from"] == first["to"]
    told = [json.loads(line) for line in max(out.glob("person-*.jsonl")).read_text("utf-8").splitlines()]
    found = {line["code"]: line for line in told}
    assert found[gone]["entity_status"] == "retired"
    assert found[moved]["entity_status"] == "left"
    for code in (gone, moved):
        assert found[code]["gone"] == "yes"
        assert found[code]["name"] is None
        assert found[code]["division"] is None or code == gone
    corrected = upper.registry().code("population", "r006")
    assert found[corrected]["phone"] == "139****1234"
    assert "updated" in found[corrected]["changes"]
    assert len(upper.query("SELECT 1 AS n FROM access_event")) == before + sum(
        counts.get("active", 0)
        for counts in second["counts"].values()  # type: ignore[attr-defined]
    )
    nothing = packed(upper, "街道", out)
    assert (nothing["from"], nothing["to"], nothing["counts"]) == (second["to"], second["to"], {})
    whole = packed(upper, "街道", out, "--full")
    assert whole["from"] == 0
    assert whole["counts"]["person"] == {"active": len(people) - 2}  # type: ignore[index]
    other = packed(upper, "社区", tmp_path / "other", "--format", "xlsx")  # another receiver has not had it
    assert other["from"] == 0
    for folder in (out, tmp_path / "other"):  # the last format is the one the source file says
        sources, errors = read_sources(folder)
        assert errors == []
        for source in sources:
            assert set(source.needed_columns) <= set(head(source).columns)
    assert {path.stat().st_mode & 0o077 for path in out.iterdir()} == {0}
    assert (
        upper.command("package", "--division", AREA, "--receiver", "x", "--role", "auditor", "--out", str(out)).code
        == 2
    )
