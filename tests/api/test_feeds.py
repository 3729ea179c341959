"""How the data is, over HTTP: sources, loads, what was held back, quality; each to whom it concerns."""

from __future__ import annotations

import pytest
from district import SOURCES
from service import Service


def test_officers_see_sources_loads_and_what_was_held_back(service: Service) -> None:
    with service.caller("officer") as caller:
        assert [line["name"] for line in caller.get("/v1/sources").json()["items"]] == list(SOURCES)
        loads = caller.get("/v1/loads", params={"limit": 4}).json()
        rest = caller.get("/v1/loads", params={"limit": 4, "cursor": loads["next"]}).json()
        numbers = [line["id"] for line in (*loads["items"], *rest["items"])]
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == 6
        assert rest["next"] is None
        one = caller.get("/v1/loads", params={"source": "police"}).json()["items"]
        assert {line["source"] for line in one} == {"police"}
        assert isinstance(caller.get("/v1/quarantine/counts").json()["items"], list)


def test_a_street_sees_its_own_sources_and_those_that_cover_it(service: Service) -> None:
    with service.caller("officer", "340202001") as street, service.caller("officer", "340203") as stranger:
        assert len(street.get("/v1/sources").json()["items"]) == len(SOURCES)
        for path in ("/v1/sources", "/v1/loads", "/v1/quarantine/counts", "/v1/quality"):
            assert stranger.get(path).json()["items"] == []


def test_quality_is_grouped_as_asked(service: Service) -> None:
    with service.caller("auditor") as caller:
        lines = caller.get("/v1/quality", params={"by": "source,property"}).json()["items"]
        assert {line["source"] for line in lines} == set(SOURCES)
        assert all(0 <= line["score"] <= 1 for line in lines)
        wrong = caller.get("/v1/quality", params={"by": "colour"})
    assert wrong.status_code == 422
    assert "owner" in wrong.json()["detail"]


@pytest.mark.parametrize(
    ("role", "path", "status"),
    [
        ("worker", "/v1/changes", 403),
        ("worker", "/v1/quality", 403),
        ("worker", "/v1/sources", 403),
        ("department", "/v1/loads", 403),
        ("department", "/v1/quality", 200),
        ("auditor", "/v1/loads", 200),
        ("auditor", "/v1/changes", 403),
        ("monitor", "/v1/quality", 403),
        ("monitor", "/metrics", 200),
        ("department", "/metrics", 403),
    ],
)
def test_each_role_has_its_rights_and_no_other(service: Service, role: str, path: str, status: int) -> None:
    with service.caller(role) as caller:
        assert caller.get(path).status_code == status


def test_what_may_be_mapped_is_no_secret(service: Service) -> None:
    with service.caller() as caller:
        caller.headers.pop("Authorization")
        lines = caller.get("/v1/properties").json()["items"]
    assert {"person", "place"} <= {line["type"] for line in lines}
