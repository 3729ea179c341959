"""Search and the question at the door, over HTTP."""

from __future__ import annotations

import pytest
from district import id_number, person
from service import Service


@pytest.fixture(scope="module")
def code(service: Service) -> str:
    """A person that population and police know."""
    return service.district.registry().code("population", "r003")


def test_a_person_is_found_by_name_phone_and_address(service: Service, code: str) -> None:
    said = person(3)
    with service.caller("worker") as caller:
        for body in (
            {"name": said["name"], "phone": said["phone"]},
            {"phone": said["phone"]},
            {"type": "person", "name": said["name"], "address": said["address"]},
        ):
            first = caller.post("/v1/search", json=body).json()["items"][0]
            assert (first["code"], first["type"], first["score"]) == (code, "person", 1.0)
            assert first["called"].startswith(said["name"])
            assert first["agrees"]
        few = caller.post("/v1/search", json={"address": said["address"], "limit": 1})
    assert len(few.json()["items"]) == 1
    assert "no-store" in few.headers["Cache-Control"]


def test_every_hit_is_written_down(service: Service, code: str) -> None:
    before = len(service.events("search"))
    with service.caller() as caller:
        hits = caller.post("/v1/search", json={"name": person(3)["name"]}).json()["items"]
    told = [line["code"] for line in service.events("search")[before:]]
    assert sorted(hit["code"] for hit in hits) == told
    assert code in told


def test_who_lives_elsewhere_is_not_found_and_some_may_not_ask(service: Service) -> None:
    with service.caller("worker", "340203") as stranger, service.caller("auditor") as auditor:
        body = {"name": person(3)["name"], "phone": person(3)["phone"]}
        assert stranger.post("/v1/search", json=body).json() == {"items": []}
        assert auditor.post("/v1/search", json=body).status_code == 403


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a\0b"}, {"phone": "1" * 65}, {"type": "dog"}, {"limit": 0}, {"name": ["x"]},
        {id_number(3): "x"}, {"names": id_number(3)},
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_without_repeating_it(service: Service, body: dict[str, object]) -> None:
    with service.caller() as caller:
        answer = caller.post("/v1/search", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert id_number(3) not in answer.text


def test_numbers_in_titles_are_masked(service: Service) -> None:
    registry = service.district.registry()
    shop = registry.entities.query("type == 'organization'")["code"].iloc[0]
    (name,) = registry.values.query("code == @shop and property == 'name'")["value"]
    change = "UPDATE entity_value SET value = :value WHERE code = :code AND property = 'name' AND known_to IS NULL"
    service.execute(change, value=f"{name} {person(3)['phone']} {id_number(3)}", code=shop)
    try:
        with service.caller() as caller, service.caller(numbers=True) as trusted:
            asked = {"type": "organization", "name": name}
            masked, whole = (c.post("/v1/search", json=asked).text for c in (caller, trusted))
    finally:
        service.execute(change, value=name, code=shop)
    assert shop in masked
    for number in (id_number(3), person(3)["phone"]):
        assert number in whole
        assert number not in masked


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
    assert nobody == {"verdict": "unknown", "households": [], "items": []}
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
