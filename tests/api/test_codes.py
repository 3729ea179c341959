"""Official numbers lead to codes, from bodies alone."""

from __future__ import annotations

import pytest
from district import id_number, person
from service import Service


@pytest.mark.parametrize("wider", [False, True])
def test_a_document_number_leads_to_its_person(service: Service, wider: bool) -> None:
    code = service.district.registry().code("population", "r005")
    number = id_number(5)
    if wider:
        number = "".join(chr(ord(c) + 0xFEE0) for c in number)  # full width, as input methods write it
    with service.caller() as caller:
        (hit,) = caller.post("/v1/lookup", json={"number": number}).json()["items"]
    assert hit["code"] == code
    assert hit["called"].startswith(person(5)["name"])
    assert service.events("lookup")[-1]["code"] == code


def test_component_and_grid_numbers_and_codes_lead_on_too(service: Service) -> None:
    registry = service.district.registry()
    lamp = registry.members.query("source == 'lamps'")["code"].iloc[0]
    number = registry.values.query("code == @lamp and property == 'number'")["value"].iloc[0]
    with service.caller() as caller:
        assert [hit["code"] for hit in caller.post("/v1/lookup", json={"number": number}).json()["items"]] == [lamp]
        assert [hit["code"] for hit in caller.post("/v1/lookup", json={"number": lamp}).json()["items"]] == [lamp]


def test_an_unknown_number_leads_nowhere_and_tells_nobody(service: Service) -> None:
    before = len(service.events("lookup"))
    with service.caller() as caller:
        assert caller.post("/v1/lookup", json={"number": "340202199001011239"}).json() == {"items": []}
    assert len(service.events("lookup")) == before


def test_what_is_wrong_with_a_body_is_said_without_repeating_it(service: Service) -> None:
    with service.caller() as caller:
        for body in ('{"number": ' + id_number(5), '{"number": ["' + id_number(5) + '"]}', '{"nummer": "1"}', ""):
            answer = caller.post("/v1/lookup", content=body, headers={"content-type": "application/json"})
            assert answer.status_code == 422
            assert id_number(5) not in answer.text
            assert answer.json()["errors"]
        assert caller.get("/v1/lookup", params={"number": id_number(5)}).status_code == 405


def test_many_codes_are_resolved_at_once_in_their_order(service: Service) -> None:
    registry = service.district.registry()
    old, new, gone, one = (registry.code("population", f"r{place:03}") for place in (33, 34, 35, 36))
    service.execute("UPDATE entity SET status = 'merged', merged_into = :new WHERE code = :old", old=old, new=new)
    service.execute("UPDATE entity SET status = 'retired' WHERE code = :gone", gone=gone)
    asked = [one.lower().replace("-", ""), old, gone, "P340202-999999999-1", "?", one]
    try:
        with service.caller() as caller, service.caller(division="340203") as stranger:
            lines = caller.post("/v1/codes/resolve", json={"codes": asked}).json()["items"]
            outside = stranger.post("/v1/codes/resolve", json={"codes": asked}).json()["items"]
            many = caller.post("/v1/codes/resolve", json={"codes": [one] * 10_000})
            more = caller.post("/v1/codes/resolve", json={"codes": [one] * 10_001})
    finally:
        service.execute("UPDATE entity SET status = 'active', merged_into = NULL WHERE code = ANY(:c)", c=[old, gone])
    assert [line["asked"] for line in lines] == asked
    assert [line["code"] for line in lines] == [one, old, gone, None, None, one]
    assert [line["status"] for line in lines] == ["active", "merged", "retired", None, None, "active"]
    assert [line["successor"] for line in lines][1] == new
    assert all(line["code"] is None for line in outside)
    assert len(many.json()["items"]) == 10_000
    assert more.status_code == 422
