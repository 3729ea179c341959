"""Reasons over HTTP: why two records are one person or two, how an entity came together, what decided a value."""

from __future__ import annotations

import httpx
import pytest
from district import id_number, person
from service import Service

NUMBER, PHONE = id_number(3), person(3)["phone"]


def named(source: str, key: str) -> dict[str, str]:
    return {"source": source, "key": key}


def ask(caller: httpx.Client, one: dict[str, str], two: dict[str, str]) -> httpx.Response:
    return caller.post("/v1/why", json={"one": one, "two": two})


@pytest.fixture(scope="module")
def code(service: Service) -> str:
    return service.district.registry().code("population", "r003")


def test_one_number_makes_two_records_one_person(service: Service) -> None:
    with service.caller() as caller:
        told = ask(caller, named("population", "r003"), named("police", "p003")).json()
    assert told["together"] is True
    assert [line["reason"] for line in told["reasons"]] == ["number"]
    assert told["codes"][0] == told["codes"][1]


def test_two_trusted_numbers_keep_two_records_apart_and_what_was_compared_is_told(service: Service) -> None:
    with service.caller() as caller:
        told = ask(caller, named("population", "r003"), named("population", "r002")).json()
    assert told["together"] is False
    assert "numbers" in [line["reason"] for line in told["reasons"]]
    assert all(line["zh"] and line["en"] for line in told["reasons"])
    pair = told["pair"]
    assert pair["stored"] is False
    assert sum(step["weight"] for step in pair["steps"]) == pytest.approx(pair["weight"])
    assert pair["svg"].startswith("<svg")
    home = next(step for step in pair["steps"] if step["comparison"] == "home")
    assert (home["level"], home["said"]["zh"]) == ("one dwelling", "同一住房")
    assert home["others"] is not None
    text = str(told)
    assert all(secret not in text for secret in (NUMBER, PHONE, person(3)["name"], person(2)["name"]))


def test_how_an_entity_came_together(service: Service, code: str) -> None:
    with service.caller() as caller:
        told = caller.get(f"/v1/entities/{code}/how").json()
    assert {(line["source"], line["key"]) for line in told["members"]} == {("population", "r003"), ("police", "p003")}
    assert {line["because"]["zh"] for line in told["members"]} == {"证件号码确属本人"}
    assert [len(group["records"]) for group in told["groups"]] == [2]
    assert told["joins"] == []


def test_what_decided_a_value_and_what_each_record_says(service: Service, code: str) -> None:
    with service.caller() as caller, service.caller(numbers=True) as trusted:
        masked = caller.get(f"/v1/entities/{code}/values/phone")
        whole = trusted.get(f"/v1/entities/{code}/values/phone").json()
        missing = caller.get(f"/v1/entities/{code}/values/ethnicity")
    assert masked.status_code == 200
    assert PHONE not in masked.text
    assert {line["value"] for line in whole["said"]} == {PHONE}
    assert whole["rule"] == "only"
    assert whole["because"]["en"]
    assert whole["derived"] is False
    assert missing.status_code == 404


@pytest.mark.parametrize("role", ["worker", "auditor", "monitor"])
def test_reasons_are_for_who_may_ask_for_them(service: Service, code: str, role: str) -> None:
    before = len(service.events("why")) + len(service.events("how")) + len(service.events("value"))
    with service.caller(role) as caller:
        assert ask(caller, named("population", "r003"), named("police", "p003")).status_code == 403
        for tail in ("how", "values/name"):
            assert caller.get(f"/v1/entities/{code}/{tail}").status_code == 403
    assert before == len(service.events("why")) + len(service.events("how")) + len(service.events("value"))


def test_outside_the_area_there_are_no_reasons(service: Service, code: str) -> None:
    with service.caller(division="340203") as stranger, service.caller() as caller:
        outside = ask(stranger, named("population", "r003"), named("police", "p003"))
        unknown = ask(caller, named("population", "nobody"), named("police", "p003"))
        assert (outside.status_code, outside.json()["detail"]) == (404, unknown.json()["detail"])
        for tail in ("how", "values/name"):
            assert stranger.get(f"/v1/entities/{code}/{tail}").status_code == 404


def test_every_reason_given_is_written_down(service: Service, code: str) -> None:
    with service.caller() as caller:
        ask(caller, named("population", "r003"), named("population", "r002"))
        caller.get(f"/v1/entities/{code}/how")
        caller.get(f"/v1/entities/{code}/values/name")
    other = service.district.registry().code("population", "r002")
    assert {event["code"] for event in service.events("why")[-2:]} == {code, other}
    assert service.events("how")[-1]["code"] == code
    assert service.events("value")[-1]["properties"] == '["name"]' or service.events("value")[-1]["properties"] == [
        "name"
    ]


def test_reasons_of_an_entity_that_is_no_person(service: Service) -> None:
    entities = service.district.registry().entities
    lamp = entities.loc[entities["type"] == "thing", "code"].iloc[0]
    with service.caller() as caller:
        told = caller.get(f"/v1/entities/{lamp}/how").json()
        value = caller.get(f"/v1/entities/{lamp}/values/number").json()
    assert told["groups"] == []
    assert told["members"][0]["because"]["en"]
    assert value["value"]
