"""Search and the question at the door, over HTTP."""

from __future__ import annotations

import pytest
from district import id_number, person
from service import Service


def test_a_person_is_found_by_name_phone_or_address(service: Service) -> None:
    code, said = service.district.registry().code("population", "r007"), person(7)
    with service.caller() as caller:
        for asked in (
            {"name": said["name"], "phone": said["phone"]},
            {"phone": said["phone"]},
            {"name": said["name"], "address": said["address"]},
        ):
            items = caller.post("/v1/search", json={"type": "person", **asked}).json()["items"]
            assert items[0]["code"] == code, asked
            assert items[0]["called"].startswith(said["name"])
            assert said["phone"] not in str(items)
        assert service.events("search")[-1]["role"] == "department"
        assert code in {event["code"] for event in service.events("search")}


def test_hits_come_ranked_and_limited(service: Service) -> None:
    with service.caller() as caller:
        items = caller.post("/v1/search", json={"name": person(0)["name"][1:], "limit": 3}).json()["items"]
    assert 0 < len(items) <= 3
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)


def test_shops_and_places_are_found_too(service: Service) -> None:
    with service.caller() as caller:
        shops = caller.post("/v1/search", json={"type": "organization", "name": "春晖7号便民超市"}).json()["items"]
        homes = caller.post("/v1/search", json={"type": "place", "address": person(7)["address"]}).json()["items"]
    assert shops[0]["called"].startswith("春晖7号便民超市")
    assert homes[0]["kind"] == "dwelling"


def test_nobody_outside_the_area_is_found(service: Service) -> None:
    said = person(7)
    with service.caller(division="340203") as stranger:
        for path, asked in (("search", {"phone": said["phone"]}), ("check", {"id_number": said["id"]})):
            assert stranger.post(f"/v1/{path}", json=asked).json() == {"items": []}


def test_at_the_door_it_says_what_is_known_and_what_is_missing(service: Service) -> None:
    code, said = service.district.registry().code("population", "r007"), person(7)
    with service.caller("worker") as caller:
        (known, *_) = caller.post("/v1/check", json={"name": said["name"], "phone": said["phone"]}).json()["items"]
        other = caller.post("/v1/check", json={"id_number": said["id"], "name": "完全别人"}).json()["items"][0]
        nobody = caller.post("/v1/check", json={"name": "查无此人", "phone": "19900000000"}).json()
    assert known["code"] == other["code"] == code
    assert set(known["agrees"]) == {"name", "phone"}
    assert {"name", "id_number", "phone", "address", "sex"} <= set(known["known"])
    assert {"ethnicity", "employer"} <= set(known["missing"])
    assert not set(known["known"]) & set(known["missing"])
    assert set(known["stale"]) <= set(known["known"])
    assert (other["agrees"], other["differs"]) == (["id_number"], ["name"])
    assert nobody == {"items": []}
    assert service.events("check")[-1]["code"] == code


@pytest.mark.parametrize("path", ["/v1/search", "/v1/check"])
def test_what_is_not_asked_well_is_refused_without_an_echo(service: Service, path: str) -> None:
    with service.caller() as caller:
        assert caller.post(path, json={}).status_code == 422
        assert caller.post(path, json={"name": ""}).status_code == 422
        wrong = caller.post(path, json={"phone": id_number(3) * 20})
        assert wrong.status_code == 422
        assert id_number(3) not in wrong.text
        assert caller.post(path, json={"name": "a\0b"}).status_code == 422


def test_each_role_may_ask_what_its_work_needs(service: Service) -> None:
    for role, status in (("worker", 200), ("officer", 200), ("auditor", 403), ("monitor", 403)):
        with service.caller(role) as caller:
            assert caller.post("/v1/search", json={"name": "张"}).status_code == status
            assert caller.post("/v1/check", json={"name": "张"}).status_code == status
