"""The reconciliation service, as OpenRefine asks it; what its answers must have is the specification's (0.2)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from district import id_number, person
from service import Service


@pytest.fixture(scope="module")
def base(service: Service) -> str:
    """The service's address, as a data officer hands it over."""
    return f"/v1/reconcile/{service.token('reconciler')}"


@pytest.fixture
def client(service: Service) -> httpx.Client:
    """A client that sends no headers of its own."""
    return httpx.Client(base_url=service.url, timeout=30)


def asked(client: httpx.Client, base: str, queries: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(base, data={"queries": json.dumps(queries)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_manifest_has_what_the_specification_demands(client: httpx.Client, base: str) -> None:
    answer = client.get(base)
    manifest = answer.json()
    assert "0.2" in manifest["versions"]
    assert all(isinstance(manifest[name], str) for name in ("name", "identifierSpace", "schemaSpace"))
    assert all(set(found) >= {"id", "name"} for found in manifest["defaultTypes"])
    assert set(manifest["suggest"]) == {"entity", "property", "type"}
    for part in manifest["suggest"].values():
        assert client.get(part["service_url"] + part["service_path"], params={"prefix": "p"}).status_code == 200
    assert "{{id}}" in manifest["preview"]["url"]
    assert isinstance(manifest["preview"]["width"], int)
    assert isinstance(manifest["preview"]["height"], int)
    proposed = manifest["extend"]["propose_properties"]
    told = client.get(proposed["service_url"] + proposed["service_path"], params={"type": "person"}).json()
    assert {"id": "phone", "name": "联系方式 phone"} in told["properties"]
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_batch_of_queries_is_answered_as_the_specification_says(
    service: Service, client: httpx.Client, base: str
) -> None:
    said, registry = person(3), service.district.registry()
    found = asked(client, base, {
        "q0": {"query": said["name"], "type": "person", "properties": [{"pid": "phone", "v": said["phone"]}]},
        "q1": {"query": person(5)["name"], "limit": 2, "properties": [{"pid": "id_number", "v": {"id": "x", "name": id_number(5)}}]},
        "q2": {"query": "司马相如"},
        "q3": {"properties": [{"pid": "phone", "v": [int(person(7)["phone"])]}]},
        "q4": {"query": said["name"], "type": ["organization"]},
    })  # fmt: skip
    assert list(found) == ["q0", "q1", "q2", "q3", "q4"]
    for answer in found.values():
        for candidate in answer["result"]:
            assert {type(candidate["id"]), type(candidate["name"])} == {str}
            assert 0 <= candidate["score"] <= 100
            assert isinstance(candidate["match"], bool)
            assert candidate["type"] == [{"id": "person", "name": "人 person"}]
            assert all(isinstance(feature["value"], bool) for feature in candidate["features"])
    for name, place in (("q0", 3), ("q1", 5), ("q3", 7)):
        first = found[name]["result"][0]
        assert (first["id"], first["name"]) == (registry.code("population", f"r{place:03}"), person(place)["name"])
    assert found["q0"]["result"][0]["match"] is True
    assert found["q2"] == found["q4"] == {"result": []}
    told = {line["code"] for line in service.events("reconcile")}
    assert {candidate["id"] for answer in found.values() for candidate in answer["result"]} <= told


def test_extend_gives_values_with_numbers_masked(service: Service, client: httpx.Client, base: str) -> None:
    code = service.district.registry().code("population", "r003")
    extension = {
        "ids": [code],
        "properties": [{"id": "name"}, {"id": "id_number"}, {"id": "former_name"}, {"id": "salary"}],
    }
    answer = client.post(base, data={"extend": json.dumps(extension)})
    found = answer.json()
    assert [line["id"] for line in found["meta"]] == ["name", "id_number", "former_name"]
    masked = id_number(3)[:4] + "*" * 10 + id_number(3)[-4:]
    assert found["rows"] == {
        code: {"name": [{"str": person(3)["name"]}], "id_number": [{"str": masked}], "former_name": []}
    }
    page = client.get(f"{base}/preview", params={"id": code})
    assert page.headers["Content-Type"].startswith("text/html")
    assert person(3)["name"] in page.text
    assert person(3)["phone"] not in page.text
    assert client.get(f"{base}/suggest/entity", params={"prefix": code}).json()["result"][0]["id"] == code


def test_nothing_personal_is_taken_from_an_address(client: httpx.Client, base: str) -> None:
    refused = client.get(base, params={"queries": json.dumps({"q0": {"query": person(3)["name"]}})})
    assert refused.status_code == 422
    assert person(3)["name"] not in refused.text
    assert client.get(f"{base}/suggest/entity", params={"prefix": person(3)["name"]}).json() == {"result": []}


def test_the_token_in_the_address_may_do_no_more_and_no_other_may_stand_there(
    service: Service, client: httpx.Client, base: str
) -> None:
    secret = base.rsplit("/", 1)[1]
    bearer = {"Authorization": f"Bearer {secret}"}
    assert client.post("/v1/check", json={"name": person(3)["name"]}, headers=bearer).status_code == 403
    assert (
        client.get(f"/v1/persons/{service.district.registry().code('population', 'r003')}", headers=bearer).status_code
        == 403
    )
    for role in ("officer", "department", "worker"):
        assert client.get(f"/v1/reconcile/{service.token(role)}").status_code == 403
    assert client.get("/v1/reconcile/og_nothing").status_code == 401
    elsewhere = f"/v1/reconcile/{service.token('reconciler', '340203')}"
    assert asked(client, elsewhere, {"q": {"query": person(3)["name"]}}) == {"q": {"result": []}}


@pytest.mark.parametrize("form", [{}, {"queries": "x"}, {"queries": "[]"}, {"queries": '{"q": 1}'}, {"queries": '{"q": {}}'},
    {"queries": '{"q": {"properties": [{"pid": "phone"}]}}'}, {"extend": "{}"}, {"extend": '{"ids": [1], "properties": []}'}, {str(n): "x" for n in range(9)}])  # fmt: skip
def test_what_the_specification_does_not_know_is_refused(client: httpx.Client, base: str, form: dict[str, str]) -> None:
    assert client.post(base, data=form).status_code == 422
