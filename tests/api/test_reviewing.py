"""Review over HTTP: who sees which task, what it shows, and what an answer does."""

from __future__ import annotations

import json

import pytest
from service import Service

PUT = """
    INSERT INTO review_task (type, kind, code, parts, weight, reason, division, owner, eyes, run)
    VALUES ('person', 'uncertain', :code, CAST(:parts AS jsonb), :weight, 'contradicted', :division, '公安', :eyes, 1)"""


def put(service: Service, code: str, *, division: str = "340202001001", eyes: int = 1, weight: float = -0.5) -> int:
    """A task about two persons of the small district."""
    parts = service.district.query(
        "SELECT id FROM record WHERE type = 'person' AND source = 'population' ORDER BY key LIMIT 3"
    )["id"].tolist()
    said = {"code": code, "parts": json.dumps([[parts[0]], [parts[1], parts[2]]]), "division": division}
    service.execute(PUT, **said, eyes=eyes, weight=weight)
    return int(service.district.query("SELECT max(id) AS id FROM review_task")["id"].iloc[0])


def test_a_task_is_answered_by_an_officer_of_its_area(service: Service) -> None:
    number = put(service, "P340202-000000001-0")
    with service.caller("officer") as officer, service.caller("officer", "340203") as stranger:
        assert stranger.get(f"/v1/review/{number}").status_code == 404
        assert stranger.post(f"/v1/review/{number}/claim").status_code == 404
        listed = officer.get("/v1/review").json()["items"]
        assert number in [line["id"] for line in listed]
        assert "records" not in listed[0]
        shown = officer.get(f"/v1/review/{number}").json()
        assert [line["part"] for line in shown["records"]] == [0, 1, 1]
        assert all("*" in line["values"]["id_number"] for line in shown["records"])
        assert service.events("review")[-1]["code"] == "P340202-000000001-0"
        assert officer.post(f"/v1/review/{number}/claim").json()["state"] == "claimed"
        body = {"verdicts": ["different"], "reason": "出生日期不同"}
        with service.caller("officer") as other:
            refused = other.post(f"/v1/review/{number}/answer", json=body)
        assert refused.status_code == 409
        assert "somebody else" in refused.json()["detail"]
        done = officer.post(f"/v1/review/{number}/answer", json=body)
        assert done.json() == {"task": number, "state": "settled"}
        pairs = service.district.query(
            "SELECT verdict FROM judgement WHERE task = %(t)s AND undone_at IS NULL", {"t": number}
        )
        assert pairs["verdict"].tolist() == ["different", "different"]
        assert officer.post(f"/v1/review/{number}/undo").json()["state"] == "open"
        left = service.district.query(
            "SELECT id FROM judgement WHERE task = %(t)s AND undone_at IS NULL", {"t": number}
        )
        assert left.empty


@pytest.mark.parametrize("role", ["worker", "department", "auditor", "monitor"])
def test_others_have_no_part_in_it(service: Service, role: str) -> None:
    number = put(service, f"P340202-000000{ord(role[0])}-1")
    with service.caller(role) as caller:
        assert caller.get("/v1/review").status_code == 403
        assert caller.get(f"/v1/review/{number}").status_code == 403
        assert caller.post(f"/v1/review/{number}/claim").status_code == 403


def test_pages_go_from_the_likeliest_on(service: Service) -> None:
    for place in range(5):
        put(service, f"P340202-00000010{place}-0", weight=[1.25, -0.001, 0.5, 0.5, -2.0][place])
    with service.caller("officer") as officer:
        seen, cursor = [], None
        while True:
            page = officer.get("/v1/review", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
            seen += [(line["weight"], line["id"]) for line in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
    assert seen == sorted(seen, key=lambda line: (-line[0], line[1]))
    assert len(seen) == len(set(seen)) == len(service.district.query("SELECT id FROM review_task WHERE state = 'open'"))
