"""Entities by two clocks, and their timelines, over HTTP: what was, who may see it, and that it is written down."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from district import copy_district, id_number, person, put_resident
from service import Service, served

MOVED_TO = person(30)["address"]


@pytest.fixture(scope="module")
def past(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[tuple[Service, datetime]]:
    """A district of one feed in which person 3 moves and takes another name on 1 March; with the moment between."""
    district = copy_district(make_folder(), prepared_home).only("population")
    district.spec("population", maps__person__updated_at="updated_at")
    with district.database():
        assert district.run().code == 0
        moment = district.query("SELECT now() AS now")["now"].iloc[0].to_pydatetime()
        with sqlite3.connect(district.data("population.sqlite")) as connection:
            put_resident(connection, 3, "2026-03-01 09:00:00", xm="吴改名", dz=MOVED_TO)
        connection.close()
        assert district.run().code == 0
        with served(district) as service:
            yield service, moment


@pytest.fixture(scope="module")
def code(past: tuple[Service, datetime]) -> str:
    return past[0].district.registry().code("population", "r003")


def test_an_entity_is_told_as_it_was_and_as_it_was_known(past: tuple[Service, datetime], code: str) -> None:
    service, moment = past
    seen = {}
    with service.caller() as caller:
        for known in (moment.isoformat(), None):
            for valid in ("2026-02-01", "2026-03-02"):
                asked = {"valid_at": valid, **({"known_at": known} if known else {})}
                body = caller.get(f"/v1/entities/{code}", params=asked).json()
                values = {line["property"]: line for line in body["values"]}
                seen[known is not None, valid] = values["name"]["value"], values["name"]["valid_to"]
        never = caller.get(f"/v1/entities/{code}", params={"known_at": "2020-01-01T00:00:00Z"})
    old = person(3)["name"]
    assert seen == {
        (True, "2026-02-01"): (old, None), (True, "2026-03-02"): (old, None),
        (False, "2026-02-01"): (old, "2026-03-01"), (False, "2026-03-02"): ("吴改名", None),
    }  # fmt: skip
    assert never.status_code == 404


def test_who_lived_here_then(past: tuple[Service, datetime], code: str) -> None:
    service, _ = past
    with service.caller() as caller:
        homes = {}
        for valid in ("2026-02-01", "2026-03-02"):
            asked = {"valid_at": valid, "direction": "out", "relation": "lives_at"}
            (line,) = caller.get(f"/v1/entities/{code}/relations", params=asked).json()["items"]
            homes[valid] = line["code"]
            for other, lived in (("2026-02-01", valid == "2026-02-01"), ("2026-03-02", valid == "2026-03-02")):
                into = {"valid_at": other, "direction": "in", "relation": "lives_at"}
                found = caller.get(f"/v1/entities/{line['code']}/relations", params=into).json()["items"]
                assert (code in [one["code"] for one in found]) == lived
    assert homes["2026-02-01"] != homes["2026-03-02"]


def test_what_a_record_said_then_is_told(past: tuple[Service, datetime], code: str) -> None:
    service, moment = past
    with service.caller() as caller:
        then = caller.get(f"/v1/entities/{code}/members", params={"known_at": moment.isoformat()}).json()["items"]
        now = caller.get(f"/v1/entities/{code}/members").json()["items"]
    assert [line["values"]["name"] for line in then] == [person(3)["name"]]
    assert [line["values"]["name"] for line in now] == ["吴改名"]


def test_a_timeline_tells_what_happened_in_order(past: tuple[Service, datetime], code: str) -> None:
    service, _ = past
    with service.caller() as caller:
        items, cursor = [], None
        while True:
            page = caller.get(
                f"/v1/entities/{code}/timeline", params={"limit": 7, **({"cursor": cursor} if cursor else {})}
            ).json()
            items += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    assert [line["at"] for line in items] == sorted(line["at"] for line in items)
    assert items[0]["what"] == "created"
    names = [line["value"] for line in items if line["what"] == "value" and line["name"] == "name"]
    assert names == [person(3)["name"], "吴改名"]
    assert {line["run"] for line in items} == {1, 2}
    ended = [line for line in items if line["what"] == "relation ended"]
    assert ("lives_at", "2026-03-01") in [(line["name"], line["valid"]) for line in ended]
    assert "updated" in [line["what"] for line in items]


def test_numbers_stay_masked_in_the_past(past: tuple[Service, datetime], code: str) -> None:
    service, moment = past
    number, phone = id_number(3), person(3)["phone"]
    with service.caller() as caller, service.caller(numbers=True) as trusted:
        for tail in ("", "/members", "/timeline"):
            asked = {} if tail == "/timeline" else {"known_at": moment.isoformat()}
            masked = caller.get(f"/v1/entities/{code}{tail}", params=asked).text
            assert number not in masked
            assert phone not in masked
            assert number in trusted.get(f"/v1/entities/{code}{tail}", params=asked).text


@pytest.mark.parametrize("tail", ["", "/members", "/relations", "/timeline"])
def test_the_past_is_for_who_may_see_it_and_is_written_down(
    past: tuple[Service, datetime], code: str, tail: str
) -> None:
    service, _ = past
    act = {"": "as_of", "/members": "members_as_of", "/relations": "relations_as_of", "/timeline": "timeline"}[tail]
    before = len(service.events(act))
    with service.caller("worker") as worker, service.caller("auditor") as auditor:
        assert worker.get(f"/v1/entities/{code}{tail}").status_code == 403
        assert auditor.get(f"/v1/entities/{code}{tail}").status_code == 403
    with service.caller(division="340203") as stranger:
        assert stranger.get(f"/v1/entities/{code}{tail}").status_code == 404
    assert len(service.events(act)) == before
    with service.caller() as caller:
        answer = caller.get(f"/v1/entities/{code}{tail}", headers={"X-Purpose": quote("低保复核")})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    assert service.events(act)[before:][0]["purpose"] == "低保复核"
    assert code in [event["code"] for event in service.events(act)[before:]]


def test_where_it_lay_then_must_have_been_theirs_too(past: tuple[Service, datetime], code: str) -> None:
    service, _ = past
    service.execute("UPDATE change SET division = '340203' WHERE code = :code AND run = 1", code=code)
    try:
        with service.caller() as caller:
            first = caller.get(f"/v1/entities/{code}/timeline").json()["items"]
            now = caller.get(f"/v1/entities/{code}")
            moment = past[1].isoformat()
            then = caller.get(f"/v1/entities/{code}", params={"known_at": moment})
        assert {line["run"] for line in first} == {2}
        assert (now.status_code, then.status_code) == (200, 404)
    finally:
        service.execute("UPDATE change SET division = '340202' WHERE code = :code AND run = 1", code=code)
