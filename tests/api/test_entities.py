"""Entities over HTTP: what a caller gets, what is masked, what is refused, and that every disclosure is written down."""

from __future__ import annotations

import json
from urllib.parse import quote

import httpx
import pytest
from district import id_number, person
from service import Service

NUMBER, PHONE = id_number(3), person(3)["phone"]
PLURALS = {
    "person": "persons",
    "household": "households",
    "place": "places",
    "thing": "things",
    "organization": "organizations",
}


@pytest.fixture(scope="module")
def code(service: Service) -> str:
    """A person that population and police know."""
    return service.district.registry().code("population", "r003")


def values(answer: httpx.Response) -> dict[str, dict[str, object]]:
    assert answer.status_code == 200, answer.text
    return {line["property"]: line for line in answer.json()["values"]}


def test_a_person_comes_with_values_and_where_they_come_from(service: Service, code: str) -> None:
    with service.caller() as caller:
        answer = caller.get(f"/v1/persons/{code}")
    found = values(answer)
    assert answer.json()["code"] == code
    assert found["name"]["value"] == person(3)["name"]
    assert found["name"]["owner"] == "区数据局"
    assert found["name"]["source"] in ("population", "police")
    assert found["name"]["loaded"]
    assert found["id_number"]["agree"] == 2


def test_numbers_are_masked_unless_the_token_may_see_them(service: Service, code: str) -> None:
    with service.caller() as caller, service.caller(numbers=True) as trusted:
        for path in (f"/v1/persons/{code}", f"/v1/persons/{code}/members"):
            masked, whole = caller.get(path).text, trusted.get(path).text
            assert NUMBER not in masked
            assert PHONE not in masked
            assert NUMBER[:4] + "*" * 10 + NUMBER[-4:] in masked
            assert NUMBER in whole
            assert PHONE in whole
        assert values(caller.get(f"/v1/persons/{code}"))["phone"]["masked"] is True
        assert values(trusted.get(f"/v1/persons/{code}"))["phone"]["masked"] is False


@pytest.mark.parametrize("kind", PLURALS)
def test_every_type_is_read_by_its_own_path(service: Service, kind: str) -> None:
    entities = service.district.registry().entities
    chosen = entities.loc[(entities["type"] == kind) & (entities["status"] == "active"), "code"].iloc[0]
    with service.caller() as caller:
        assert caller.get(f"/v1/{PLURALS[kind]}/{chosen}").json()["type"] == kind
        other = "things" if kind != "thing" else "persons"
        assert caller.get(f"/v1/{other}/{chosen}").status_code == 404


def test_a_code_is_understood_however_it_is_written_and_a_mistyped_one_is_said(service: Service, code: str) -> None:
    with service.caller() as caller:
        assert caller.get(f"/v1/persons/{code.lower().replace('-', '')}").json()["code"] == code
        wrong = code[:-1] + ("A" if code[-1] != "A" else "B")
        answer = caller.get(f"/v1/persons/{wrong}")
    assert answer.status_code == 404
    assert "mistyped" in answer.json()["detail"]


def test_without_a_valid_token_nothing_is_told(service: Service, code: str) -> None:
    expired, revoked = service.token("department"), service.token("department")
    service.execute("UPDATE api_token SET expires_at = now() WHERE id = (SELECT max(id) - 1 FROM api_token)")
    with httpx.Client(base_url=service.url) as caller:
        before = caller.get(f"/v1/persons/{code}", headers={"Authorization": f"Bearer {revoked}"})
        service.execute("UPDATE api_token SET revoked_at = now() WHERE id = (SELECT max(id) FROM api_token)")
        assert before.status_code == 200
        for header in ({}, *({"Authorization": f"Bearer {secret}"} for secret in ("og_no", expired, revoked, "ö"))):
            answer = caller.get(f"/v1/persons/{code}", headers={k: v.encode() for k, v in header.items()})
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("role", ["auditor", "monitor"])
def test_a_role_without_the_right_is_refused_and_nothing_is_disclosed(service: Service, code: str, role: str) -> None:
    before = len(service.events("read"))
    with service.caller(role) as caller:
        for path in (f"/v1/persons/{code}", f"/v1/persons/{code}/members", f"/v1/codes/{code}"):
            assert caller.get(path).status_code == 403
        assert caller.post("/v1/lookup", json={"number": NUMBER}).status_code == 403
    assert len(service.events("read")) == before


def test_what_lies_outside_the_area_does_not_exist(service: Service, code: str) -> None:
    never = "P340202-999999999-1"
    before = len(service.events("read"))
    with service.caller(division="340203") as stranger, service.caller(division="340000") as province:
        for tail in ("", "/members", "/relations"):
            outside = stranger.get(f"/v1/persons/{code}{tail}")
            unknown = stranger.get(f"/v1/persons/{never}{tail}")
            assert outside.status_code == 404
            assert (outside.status_code, outside.json()) == (
                unknown.status_code,
                unknown.json() | {"detail": outside.json()["detail"]},
            )
        assert stranger.post("/v1/lookup", json={"number": NUMBER}).json() == {"items": []}
        assert stranger.get("/v1/changes").json()["items"] == []
        assert province.get(f"/v1/persons/{code}").status_code == 404  # a code of a district, not of a province
    assert len(service.events("read")) == before


def test_every_disclosure_is_written_down(service: Service, code: str) -> None:
    with service.caller() as caller, service.caller(numbers=True) as trusted:
        caller.get(f"/v1/persons/{code}", headers={"X-Purpose": quote("低保复核")})
        trusted.get(f"/v1/persons/{code}")
    masked, whole = service.events("read")[-2:]
    assert (masked["code"], masked["purpose"], masked["department"]) == (code, "低保复核", "区民政局")
    assert (masked["role"], masked["origin"]) == ("department", "127.0.0.1")
    assert "name" in masked["properties"]
    assert "id_number" not in masked["properties"]
    assert "id_number" in whole["properties"]


def test_what_cannot_be_written_down_is_not_disclosed(service: Service, code: str) -> None:
    with service.caller() as caller, service.district.database() as database:
        with database.owner_session() as connection:
            connection.exec_driver_sql("REVOKE INSERT ON access_event FROM onegrid_app")
        try:
            for path in ("", "/members", "/relations"):
                answer = caller.get(f"/v1/persons/{code}{path}")
                assert answer.status_code == 500
                assert person(3)["name"] not in answer.text
        finally:
            with database.owner_session() as connection:
                connection.exec_driver_sql("GRANT INSERT ON access_event TO onegrid_app")


def test_members_say_what_each_record_says_page_by_page(service: Service) -> None:
    registry = service.district.registry()
    home = registry.members.query("type == 'household' and kind == 'residential'")["code"].value_counts().index[0]
    whole = {(m.source, m.key) for m in registry.members.itertuples() if m.code == home}
    seen: list[tuple[str, str]] = []
    with service.caller() as caller:
        cursor = None
        while True:
            page = caller.get(
                f"/v1/households/{home}/members", params={"limit": 2, **({"cursor": cursor} if cursor else {})}
            )
            body = page.json()
            seen += [(line["source"], line["key"]) for line in body["items"]]
            assert all(line["values"]["name"] for line in body["items"])
            cursor = body["next"]
            if cursor is None:
                break
    assert len(whole) > 2
    assert len(seen) == len(set(seen))
    assert set(seen) == whole


def test_relations_say_who_lives_where(service: Service, code: str) -> None:
    with service.caller() as caller:
        out = caller.get(f"/v1/persons/{code}/relations", params={"direction": "out"}).json()["items"]
        (home,) = [line["code"] for line in out if line["relation"] == "member_of" and line["code"].startswith("H")][:1]
        into = caller.get(
            f"/v1/households/{home}/relations", params={"direction": "in", "relation": "member_of"}
        ).json()
        both = [caller.get(f"/v1/households/{home}/relations", params={"limit": 1}).json()]
        while both[-1]["next"]:
            more = {"limit": 1, "cursor": both[-1]["next"]}
            both.append(caller.get(f"/v1/households/{home}/relations", params=more).json())
    assert code in [line["code"] for line in into["items"]]
    assert all(line["direction"] == "in" and line["relation"] == "member_of" for line in into["items"])
    assert person(3)["name"] in json.dumps(into, ensure_ascii=False)
    paged = [line["code"] + line["relation"] for page in both for line in page["items"]]
    assert len(paged) == len(set(paged)) >= len(into["items"])
    assert {line["code"] for line in service.events("relations")} >= {code, home}


def test_a_cursor_no_answer_gave_is_refused(service: Service, code: str) -> None:
    with service.caller() as caller:
        for cursor in ("x", "WyJhIl0", "W10", "Wy0xXQ"):
            answer = caller.get(f"/v1/persons/{code}/members", params={"cursor": cursor})
            assert answer.status_code == 422
            assert "cursor" in answer.json()["detail"]


def test_an_entity_known_already_costs_no_line_but_is_still_written_down(service: Service) -> None:
    entities = service.district.registry().entities
    lamp = entities.loc[entities["type"] == "thing", "code"].iloc[0]
    with service.caller() as caller:
        first = caller.get(f"/v1/things/{lamp}")
        before = len(service.events("read"))
        again = caller.get(f"/v1/things/{lamp}", headers={"If-None-Match": first.headers["ETag"]})
        other = caller.get(f"/v1/things/{lamp}", headers={"If-None-Match": 'W/"other"'})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert len(service.events("read")) == before + 2


def test_what_is_of_persons_may_be_kept_by_nobody(service: Service, code: str) -> None:
    with service.caller() as caller:
        for path in ("", "/members", "/relations"):
            assert "no-store" in caller.get(f"/v1/persons/{code}{path}").headers["Cache-Control"]
        assert "no-store" in caller.post("/v1/lookup", json={"number": NUMBER}).headers["Cache-Control"]


def test_a_merged_code_leads_to_its_successor_and_a_retired_one_says_so(service: Service) -> None:
    registry = service.district.registry()
    old, new, gone = (registry.code("population", f"r{place:03}") for place in (30, 31, 32))
    service.execute("UPDATE entity SET status = 'merged', merged_into = :new WHERE code = :old", old=old, new=new)
    service.execute("UPDATE entity SET status = 'retired' WHERE code = :gone", gone=gone)
    try:
        with service.caller() as caller:
            for tail in ("", "/members", "/relations"):
                moved = caller.get(f"/v1/persons/{old}{tail}")
                assert (moved.status_code, moved.headers["Location"]) == (308, f"/v1/persons/{new}{tail}")
                retired = caller.get(f"/v1/persons/{gone}{tail}")
                assert retired.status_code == 410
                assert gone in retired.json()["detail"]
            assert caller.get(f"/v1/persons/{old}", follow_redirects=True).json()["code"] == new
            told = caller.get(f"/v1/codes/{old}").json()
            assert (told["status"], told["successor"]) == ("merged", new)
            assert caller.get(f"/v1/codes/{gone}").json()["status"] == "retired"
    finally:
        service.execute("UPDATE entity SET status = 'active', merged_into = NULL WHERE code = ANY(:c)", c=[old, gone])
