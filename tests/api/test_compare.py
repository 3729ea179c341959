"""Lists compared over HTTP: in the background, for the token that gave them, sealed, and gone after a day."""

from __future__ import annotations

import time
from base64 import b64encode
from typing import Any

import httpx
import pytest
from district import id_number, person
from service import Service


def listed(many: int = 3) -> dict[str, Any]:
    lines = [
        "姓名,身份证号,手机号",
        *(f"{person(n)['name']},{id_number(n)}," for n in range(many)),
        "司马相如,,13911111111",
    ]
    return {"name": "list.csv", "content": b64encode("\n".join(lines).encode()).decode(), "show": ["phone"]}


def finished(caller: httpx.Client, path: str) -> dict[str, Any]:
    for _ in range(1200):
        job: dict[str, Any] = caller.get(path).json()
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.1)
    raise AssertionError(job)


def test_a_list_is_compared_and_its_result_is_its_owners_alone(service: Service) -> None:
    with (
        service.caller("department") as caller,
        service.caller("department") as other,
        service.caller("worker") as worker,
    ):
        given = caller.post("/v1/compare", json=listed())
        assert given.status_code == 202, given.text
        path = given.headers["Location"]
        assert given.json()["map"] == {"name": ["姓名"], "id_number": ["身份证号"], "phone": ["手机号"]}
        assert given.json()["guessed"] is True
        assert other.get(path).status_code == 404
        job = finished(caller, path)
        assert (job["state"], job["rows"], job["done"], job["counts"]) == ("done", 4, 4, {"same": 3, "unknown": 1}), job
        answer = caller.get(f"{path}/result")
        items = answer.json()["items"]
        assert other.get(f"{path}/result").status_code == 404
        assert worker.post("/v1/compare", json=listed()).status_code == 403
        assert worker.get(path).status_code == 403
        assert caller.delete(path).status_code == 204
        assert caller.get(path).status_code == 404
    registry = service.district.registry()
    assert [line["code"] for line in items] == [*(registry.code("population", f"r{n:03}") for n in range(3)), None]
    assert items[0]["values"] == {"phone": person(0)["phone"][:3] + "****" + person(0)["phone"][-4:]}
    assert "no-store" in answer.headers["Cache-Control"]
    told = service.events("compare")
    assert {line["code"] for line in told} == {line["code"] for line in items} - {None}
    assert {line["properties"] for line in told} == {'["phone"]'}


def test_nothing_of_a_list_lies_plain(service: Service) -> None:
    with service.caller("department") as caller:
        path = caller.post("/v1/compare", json=listed()).headers["Location"]
        kept = service.district.query("SELECT upload::text AS u, spec::text AS s FROM comparison", {}).astype("str")
        finished(caller, path)
        pages = service.district.query("SELECT body::text AS b FROM comparison_page", {})
        left = service.district.query("SELECT count(upload) AS n FROM comparison WHERE state = 'done'", {})
        caller.delete(path)
    whole = " ".join([*kept["u"], *kept["s"], *pages["b"]])
    for value in (person(0)["name"], id_number(0), person(0)["name"].encode().hex(), id_number(0).encode().hex()):
        assert value not in whole
    assert left["n"].tolist() == [0], "a list is let go as soon as it is compared"


def test_a_result_is_gone_after_its_day(service: Service) -> None:
    with service.caller("department") as caller:
        path = caller.post("/v1/compare", json=listed(1)).headers["Location"]
        finished(caller, path)
        service.execute("UPDATE comparison SET expires_at = now()")
        assert caller.get(f"{path}/result").status_code == 404
        following = caller.post("/v1/compare", json=listed(1)).headers["Location"]
        finished(caller, following)
    assert len(service.district.query("SELECT id FROM comparison", {})) == 1, "the next list clears what is past"


@pytest.mark.parametrize(
    "change",
    [
        {"content": "%%%"}, {"content": b64encode(b"a,b\n1,2").decode()}, {"name": "list.exe"}, {"show": ["salary"]},
        {"maps": {"person": {"wage": "姓名"}}}, {"maps": {"person": {"name": "没有"}}}, {"name": "list.xlsx"},
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_without_repeating_it(service: Service, change: dict[str, Any]) -> None:
    with service.caller("department") as caller:
        answer = caller.post("/v1/compare", json={**listed(), **change})
    assert answer.status_code == 422, answer.text
    assert person(0)["name"] not in answer.text
    assert id_number(0) not in answer.text


def test_a_list_of_a_token_that_was_revoked_is_not_compared(service: Service) -> None:
    from registry import comparisons
    from registry.comparisons import sealed_upload

    with service.session() as connection:
        upload = sealed_upload(service.keyring(), b"x")
        connection.exec_driver_sql(
            "INSERT INTO comparison (id, token, spec, upload, expires_at) VALUES (9999, 0, '{}', %(u)s, now() + interval '1 day')",
            {"u": upload},
        )
        job = comparisons.take(connection, service.keyring(), 9999)
        assert job is not None
        assert job.caller is None
        assert comparisons.take(connection, service.keyring(), 9999) is None, "taken once"
        connection.exec_driver_sql("DELETE FROM comparison WHERE id = 9999")
