"""Correction tickets through real loads: opened by a fault, the same while it lasts, ended by a load that mends it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from district import ACTOR, District, id_number, person, write_police
from python_calamine import CalamineWorkbook
from service import Service, served

from registry import quarantine
from registry.quarantine import DAYS
from registry.tickets import list_tickets
from schemas.dates import today
from schemas.working_days import YearUnknown, after

WRONG = id_number(3)[:-1] + ("0" if id_number(3)[-1] != "0" else "1")


def broken(district: District) -> None:
    """A wrong check digit in one row, no telephone number in another, nothing that names anybody in a third."""
    path = district.data("police.csv")
    write_police(path)
    text = path.read_text("utf-8").replace(id_number(3), WRONG).replace(person(5)["phone"], "12345")
    path.write_text(text + f"{id_number(39)},,,13800138000,春晖苑\n", "utf-8")


@pytest.fixture
def two(district: District) -> District:
    district.only("police", "addresses").spec("police", owner="区公安分局")
    broken(district)
    return district


def test_a_fault_is_one_ticket_until_a_load_mends_it(two: District) -> None:
    due = after(today(), DAYS)
    assert two.run().code == 0
    with served(two) as service, service.caller() as other, service.caller("officer") as officer:
        items = officer.get("/v1/tickets").json()["items"]
        assert {(line["scope"], line["property"], line["row"]) for line in items} == {
            ("value", "id_number", 4), ("row", None, 31), ("value", "phone", 6),
        }  # fmt: skip
        value = next(line for line in items if line["property"] == "id_number")
        assert (value["department"], value["key"], value["state"]) == ("区公安分局", "p003", "open")
        assert [reason["rule"] for reason in value["reasons"]] == ["id_check_digit"]
        assert {line["due"] for line in items} == {due.isoformat()}
        assert WRONG not in str(items)
        row = next(line for line in items if line["scope"] == "row")
        assert id_number(39) not in str(items)
        assert row["key"].startswith(id_number(39)[:4])
        assert other.get("/v1/tickets").json()["items"] == []  # of 区民政局, which owns no feed
        assert officer.get("/v1/tickets", params={"department": "区民政局"}).json()["items"] == []
        pages = [officer.get("/v1/tickets", params={"limit": 2}).json()]
        pages.append(officer.get("/v1/tickets", params={"limit": 2, "cursor": pages[0]["next"]}).json())
        assert [line["ticket"] for page in pages for line in page["items"]] == [line["ticket"] for line in items]
        assert pages[1]["next"] is None

        service.execute("UPDATE quarantine SET due = '2026-01-05'")
        two.data("police.csv").write_text(two.data("police.csv").read_text("utf-8") + "\n", "utf-8")
        assert two.run("--reread").code == 0
        again = officer.get("/v1/tickets", params={"state": "overdue"}).json()["items"]
        assert {line["ticket"] for line in again} == {line["ticket"] for line in items}
        assert all(line["overdue"] and line["load"] > row["load"] and line["due"] == "2026-01-05" for line in again)
        assert {line["opened"] for line in again} == {line["opened"] for line in items}
        counts = officer.get("/v1/tickets/counts").json()["items"]
        assert counts == [
            {"department": "区公安分局", "source": "police", "open": 3, "overdue": 3, "earliest": "2026-01-05"}
        ]
        assert 'onegrid_tickets{state="overdue"} 3.0' in officer.get("/metrics").text

        write_police(two.data("police.csv"))
        assert two.run().code == 0
        assert officer.get("/v1/tickets").json()["items"] == []
        mended = officer.get("/v1/tickets", params={"state": "mended"}).json()["items"]
        assert {line["ticket"] for line in mended} == {line["ticket"] for line in items if line["scope"] == "value"}
        assert not any(line["overdue"] for line in mended)
        assert mended[0]["settled"] is not None
        closed = officer.get("/v1/tickets", params={"state": "closed"}).json()["items"]
        assert {line["row"] for line in closed} == {31}  # its row is gone


def test_the_sheet_for_a_department(two: District, tmp_path: Path) -> None:
    assert two.run().code == 0
    out = tmp_path / "tickets.xlsx"
    done = two.command("tickets", "export", "--department", "区公安分局", "--out", str(out))
    assert done.code == 0
    assert out.stat().st_mode & 0o777 == 0o600
    lines = CalamineWorkbook.from_path(str(out)).get_sheet_by_index(0).to_python()
    assert len(lines) == 1 + 3
    assert WRONG not in str(lines)
    assert person(3)["name"] not in str(lines)
    line = dict(zip(map(str, lines[0]), lines[1], strict=True))
    assert (line["主键 key"], line["属性 property"]) == ("p003", "id_number")
    assert "check digit" in str(line["原因 reason"])
    assert line["期限 due"] == after(today(), DAYS).isoformat()
    listed = two.command("tickets", "list")
    assert "id_number" in listed.out
    assert two.command("tickets", "list", "--state", "overdue").out.count("police") == 0


def test_a_year_without_a_calendar_is_said_and_holds_nothing_up(two: District, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: date, __: int) -> date:
        raise YearUnknown("schemas/data/working_day.tsv does not know 2031")

    monkeypatch.setattr(quarantine, "after", unknown)
    done = two.run()
    assert done.code == 0
    assert any("working_day.tsv" in said for said in done.summary["sources"]["police"]["warnings"])
    with two.database() as database, database.session(ACTOR) as connection:
        assert list_tickets(connection)["due"].isna().all()
    monkeypatch.undo()
    assert two.run("--reread").code == 0
    with two.database() as database, database.session(ACTOR) as connection:
        assert (list_tickets(connection)["due"] == after(today(), DAYS).isoformat()).all()


def test_who_may_not(service: Service) -> None:
    for role in ("worker", "monitor"):
        with service.caller(role) as caller:
            assert caller.get("/v1/tickets").status_code == 403
            assert caller.get("/v1/tickets/counts").status_code == 403
