"""Subscriptions over HTTP: by who answers for the data of an area, and within it alone."""

from __future__ import annotations

from typing import Any

import pytest
from service import Service

HOOK: dict[str, Any] = {"url": "https://system.example/hook", "name": "civil affairs"}


def test_a_subscription_is_made_listed_replayed_and_ended(service: Service) -> None:
    with service.caller("officer") as caller, service.caller("officer", "340203") as stranger:
        made = caller.post("/v1/webhooks", json={**HOOK, "types": ["person"], "division": "340202001"})
        assert made.status_code == 201
        assert made.json()["secret"].startswith("whsec_")
        number = made.json()["id"]
        (line,) = caller.get("/v1/webhooks").json()["items"]
        assert (line["id"], line["url"], line["behind"], line["dead"]) == (number, HOOK["url"], 0, 0)
        assert line["filters"]["types"] == ["person"]
        assert made.json()["secret"] not in caller.get("/v1/webhooks").text
        assert stranger.get("/v1/webhooks").json()["items"] == []
        for status, who in ((404, stranger), (200, caller)):
            assert who.post(f"/v1/webhooks/{number}/replay", json={}).status_code == status
        behind = caller.post(f"/v1/webhooks/{number}/replay", json={"since": 0}).json()["replayed"]
        assert behind == service.district.query("SELECT count(*) AS n FROM change")["n"].iloc[0]
        for status, who in ((404, stranger), (204, caller), (404, caller)):
            assert who.delete(f"/v1/webhooks/{number}").status_code == status
    acts = [*service.events("webhook added"), *service.events("webhook replayed"), *service.events("webhook ended")]
    assert [event["properties"] for event in acts] == [f'["webhook {number}"]'] * len(acts)
    assert [event["act"] for event in acts] == ["webhook added", *["webhook replayed"] * 2, "webhook ended"]
    assert {event["role"] for event in acts} == {"officer"}


@pytest.mark.parametrize(
    "more",
    [
        {"url": "http://10.0.0.7/hook"},
        {"url": "ftp://system.example/"},
        {"division": "340203"},
        {"types": ["colour"]},
        {"types": []},
        {"colour": "red"},
    ],
)
def test_what_may_not_be_is_refused(service: Service, more: dict[str, Any]) -> None:
    with service.caller("officer") as caller:
        refused = caller.post("/v1/webhooks", json={**HOOK, **more})
    assert refused.status_code == 422
    assert "10.0.0.7" not in refused.text


@pytest.mark.parametrize("role", ["worker", "department", "auditor", "monitor"])
def test_no_other_role_may(service: Service, role: str) -> None:
    with service.caller(role) as caller:
        assert caller.get("/v1/webhooks").status_code == 403
        assert caller.post("/v1/webhooks", json=HOOK).status_code == 403
        assert caller.delete("/v1/webhooks/1").status_code == 403
        assert caller.post("/v1/webhooks/1/replay", json={}).status_code == 403


def test_a_path_tells_all_its_methods(service: Service) -> None:
    with service.caller("officer") as caller:
        for path, allowed in (
            ("/v1/webhooks", "GET, POST"),
            ("/v1/webhooks/1", "DELETE"),
            ("/v1/codes/resolve", "POST"),
        ):
            refused = caller.request("OPTIONS", path)
            assert (refused.status_code, refused.headers["allow"]) == (405, allowed)
        assert caller.post("/v1/webhooks/1/replay", json={"since": False}).status_code == 422
