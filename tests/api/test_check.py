"""The question at the door, over HTTP: known, possible or unknown, the household behind the door, and what is to be asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from district import id_number, person
from service import Service

from registry.models import SEALED_FOR, keep_model
from schemas.properties import entity_types


@pytest.fixture(scope="module")
def code(service: Service) -> str:
    """A person that population and police know."""
    return service.district.registry().code("population", "r003")


def asked(service: Service, body: dict[str, str], role: str = "worker", division: str = "340202") -> dict[str, object]:
    with service.caller(role, division) as caller:
        answer = caller.post("/v1/check", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


@pytest.mark.parametrize(
    "given",
    [("id_number",), ("name", "phone"), ("name", "address"), ("name", "tail"), ("phone", "address"), ("name", "phone", "address")],
)  # fmt: skip
def test_everybody_is_known_by_what_they_say(service: Service, given: tuple[str, ...]) -> None:
    registry = service.district.registry()
    for place in (0, 7, 22, 39):
        said = {**person(place), "id_number": id_number(place), "tail": id_number(place)[-6:]}
        body = {("id_number" if name == "tail" else name): said[name] for name in given}
        found = asked(service, body)
        first = found["items"][0]  # type: ignore[index]
        assert first["code"] == registry.code("population", f"r{place:03}")
        assert set(first["agrees"]) == set(body)
        assert found["verdict"] == first["verdict"] == "known"


def test_the_door_is_told_what_is_known_and_no_value(service: Service, code: str) -> None:
    said = person(3)
    body = {"name": said["name"], "id_number": id_number(3), "phone": "13900000000", "address": said["address"]}
    with service.caller("worker") as caller:
        answer = caller.post("/v1/check", json=body)
    known = answer.json()["items"][0]
    assert known["code"] == code
    assert set(known["agrees"]) == {"name", "id_number", "address"}
    assert known["differs"] == ["phone"]
    assert {"name", "id_number", "phone"} <= set(known["known"])
    assert not set(known["known"]) & set(known["missing"])
    for value in (said["name"], said["phone"], id_number(3), said["address"]):
        assert value not in answer.text
    event = service.events("check")[-1]
    told = [line["code"] for line in service.events("check") if line["code"] == code]
    assert told
    assert json.loads(str(event["properties"])) == ["address", "id_number", "name", "phone"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_each_property_tells_its_state_who_collected_it_and_when(service: Service, code: str) -> None:
    facts = {line["property"]: line for line in asked(service, {"id_number": id_number(3)})["items"][0]["properties"]}  # type: ignore[index]
    assert list(facts) == list(entity_types()["person"].properties)
    assert facts["former_name"] == {
        "property": "former_name",
        "state": "missing",
        "said": None,
        "source": None,
        "owner": None,
    }
    assert facts["phone"]["source"] in ("population", "police")
    assert facts["phone"]["owner"]
    old = (datetime.now(UTC) - timedelta(days=366)).date().isoformat()
    change = "UPDATE entity_value SET valid_from = :day WHERE code = :code AND property = :name AND known_to IS NULL"
    before = {name: facts[name]["said"] for name in ("phone", "name")}
    try:
        for name in before:
            service.execute(change, day=old, code=code, name=name)
        first = asked(service, {"id_number": id_number(3)})["items"][0]  # type: ignore[index]
    finally:
        for name, day in before.items():
            service.execute(change, day=day, code=code, name=name)
    states = {line["property"]: line["state"] for line in first["properties"]}
    assert (states["phone"], states["name"]) == ("stale", "fresh"), "a phone is kept fresh for a year, a name for ten"
    assert {"phone"} <= set(first["ask"])
    assert first["stale"] == [name for name, state in states.items() if state == "stale"]
    assert "former_name" not in first["ask"], "nobody is asked for what need not be kept fresh"


def test_the_household_behind_the_door_is_named_whoever_stands_there(service: Service) -> None:
    members = service.district.registry().members
    home = members.query("source == 'population' and key == 'r003' and kind == 'residential'")["code"].iloc[0]
    stranger = asked(service, {"name": "司马相如", "address": person(3)["address"]})
    assert (stranger["verdict"], stranger["households"]) == ("unknown", [home])
    assert home in [line["code"] for line in service.events("check")]
    short = person(3)["address"].replace("1单元", "").replace("幸福社区", "")
    assert home in asked(service, {"address": short})["households"]  # type: ignore[operator]


def test_who_lives_elsewhere_is_not_found_and_some_may_not_ask(service: Service) -> None:
    body = {"name": person(3)["name"], "phone": person(3)["phone"], "id_number": id_number(3)}
    nothing = {"verdict": "unknown", "households": [], "items": []}
    assert asked(service, body, division="340203") == nothing
    with service.caller("auditor") as auditor:
        assert auditor.post("/v1/check", json=body).status_code == 403
        assert auditor.post("/v1/check", json=body, headers={"Authorization": "Bearer og_x"}).status_code == 401


def test_nobody_is_nobody(service: Service) -> None:
    found = asked(service, {"name": "司马相如", "phone": "13911111111", "id_number": "340202199001011236"})
    assert found == {"verdict": "unknown", "households": [], "items": []}


def test_an_outgrown_model_is_said_and_a_new_one_is_taken_up(service: Service) -> None:
    body = {"name": person(3)["name"], "phone": person(3)["phone"]}
    keyring = service.keyring()
    whole = keyring.unseal_many(
        service.district.query("SELECT body FROM model WHERE current")["body"], SEALED_FOR
    ).iloc[0]
    other = json.loads(whole)
    version = service.district.query("SELECT version FROM model WHERE current")["version"].iloc[0]
    del other["comparisons"]["sex"]
    try:
        with service.session() as connection:
            keep_model(connection, keyring, "outgrown", json.dumps(other))
        with service.caller("worker") as caller:
            answer = caller.post("/v1/check", json=body)
        assert (answer.status_code, answer.json()["title"]) == (503, "Service unavailable")
    finally:
        with service.session() as connection:
            keep_model(connection, keyring, version, whole)
    assert asked(service, body)["verdict"] == "known"
