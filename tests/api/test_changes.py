"""The change feed over HTTP: in order, filtered, as a list and as CloudEvents."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import httpx
import pytest
from service import Service

from schemas.codes import parse

BATCH = "application/cloudevents-batch+json"


def walk(caller: httpx.Client, **asked: Any) -> list[dict[str, Any]]:
    """All items, page by page, until nothing is left to look through."""
    seen: list[dict[str, Any]] = []
    since, more = 0, True
    while more:
        page = caller.get("/v1/changes", params={"since": since, **asked}).json()
        assert page["next"] >= since
        seen += page["items"]
        since, more = page["next"], page["more"]
    return seen


def test_changes_come_in_order_without_gaps_or_doubles(service: Service) -> None:
    with service.caller() as caller:
        seen = [line["sequence"] for line in walk(caller, limit=50)]
        assert all(line["change"] == "created" for line in walk(caller, limit=1000))
        top = seen[-1]
        after = caller.get("/v1/changes", params={"since": top}).json()
        assert caller.get("/v1/changes", params={"limit": 1001}).status_code == 422
    assert seen == service.district.query("SELECT sequence FROM change ORDER BY 1")["sequence"].tolist()
    assert after == {"items": [], "next": top, "more": False}


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"type": "person"}, "type = 'person'"),
        ({"type": ["person", "place"], "change": "created"}, "type IN ('person', 'place')"),
        ({"change": ["merged", "retired"]}, "false"),
        ({"division": "340202001"}, "starts_with(division, '340202001')"),
        ({"division": "340202000000"}, "starts_with(division, '340202')"),
        ({"grid": "340202001001"}, "grid = '340202001001'"),
    ],
)
def test_filters_let_through_what_they_name_and_no_other(service: Service, asked: dict[str, Any], where: str) -> None:
    wanted = service.district.query(f"SELECT sequence FROM change WHERE {where} ORDER BY 1")["sequence"].tolist()
    with service.caller() as caller:
        assert [line["sequence"] for line in walk(caller, limit=7, **asked)] == wanted


def test_a_filter_that_lets_nothing_pass_leads_to_the_end(service: Service) -> None:
    with service.caller() as caller:
        page = caller.get("/v1/changes", params={"grid": "nowhere"}).json()
    top = int(service.district.query("SELECT max(sequence) AS n FROM change")["n"].iloc[0])
    assert page == {"items": [], "next": top, "more": False}


def test_an_area_is_told_of_its_own_changes_alone(service: Service) -> None:
    with service.caller(division="340203") as stranger, service.caller(division="340202001") as street:
        assert walk(stranger) == []
        assert {line["division"][:9] for line in walk(street, limit=1000)} <= {"340202001"}
        assert walk(street, division="340203") == []


def test_cloud_events_are_the_same_changes(service: Service) -> None:
    with service.caller() as caller:
        listed = walk(caller, type="person")
        answer = caller.get("/v1/changes", params={"type": "person", "limit": 15}, headers={"Accept": BATCH})
        assert answer.headers["content-type"] == BATCH
        assert answer.headers["onegrid-more"] == "true"
        link = re.fullmatch(r'<(/v1/changes\?.*)>; rel="next"', answer.headers["link"])
        assert link
        rest = caller.get(link[1], headers={"Accept": BATCH})
    events = answer.json()
    assert [int(event["id"]) for event in (*events, *rest.json())] == [line["sequence"] for line in listed[:30]]
    hub = service.district.query("SELECT id FROM hub")["id"].iloc[0]
    for event, line in zip(events, listed, strict=False):
        assert event["specversion"] == "1.0"
        assert event["source"] == f"urn:uuid:{hub}"
        assert event["type"] == f"onegrid.person.{line['change']}"
        assert event["subject"] == line["code"]
        assert parse(event["subject"]).type == "person"
        assert datetime.fromisoformat(event["time"]).tzinfo is not None
        assert event["data"] == {name: line[name] for name in ("run", "diff", "division", "grid")}
    texts = [event["sequence"] for event in events]
    assert texts == sorted(texts)


def test_nothing_new_is_said_in_304(service: Service) -> None:
    with service.caller() as caller:
        first = caller.get("/v1/changes")
        again = caller.get("/v1/changes", headers={"If-None-Match": first.headers["etag"]})
        other = caller.get("/v1/changes", headers={"If-None-Match": first.headers["etag"], "Accept": BATCH})
    assert (again.status_code, other.status_code) == (304, 200)
