"""Planted numbers never show: not in what is said, not in logs, not in plain columns, not in landed files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from district import ACTOR, District, id_number, person, put_resident
from sqlalchemy import text

PHONE, CANARY_PHONE = "13700012345", "13799987654"
NUMBER = id_number(39)  # in three feeds, valid
WRONG = NUMBER[:-1] + ("3" if NUMBER[-1] != "3" else "4")  # withheld: its check digit is wrong
PLANTED = (PHONE, CANARY_PHONE, NUMBER, WRONG)
TEXT_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name NOT LIKE 'alembic%' ORDER BY 1, 2"""


@pytest.fixture
def planted(district: District) -> District:
    """A district with planted numbers in good rows, withheld values and quarantined rows."""
    with sqlite3.connect(district.data("population.sqlite")) as connection:
        put_resident(connection, 39, lxdh=PHONE)
        put_resident(connection, 38, sfzh=WRONG)
    with district.data("police.csv").open("a", encoding="utf-8") as file:
        file.write(f"p801,,,{CANARY_PHONE},\n")
        file.write(f"p802,{person(1)['name']},{NUMBER},{CANARY_PHONE},某处,多一格\n")
    return district


def cells(district: District) -> Iterator[tuple[str, str]]:
    """Every column of every table as text, with its name."""
    with district.database() as database, database.owner_session() as connection:
        for table, column in connection.execute(text(TEXT_COLUMNS)).all():
            found = connection.execute(text(f'SELECT string_agg("{column}"::text, chr(10)) FROM "{table}"')).scalar()
            yield f"{table}.{column}", found or ""


def files(home: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of the home, the database's own and its log included."""
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(home)), path.read_bytes()


def test_planted_numbers_show_nowhere(planted: District) -> None:
    done = planted.run()
    assert done.code == 0, done.err
    assert done.summary["sources"]["police"]["quarantined"] == 2
    listed = planted.command("quarantine", "list").out + planted.command("sources").out
    code = planted.registry().code("population", "r039")
    listed += planted.command("show", code).out + planted.command("quality").out
    searched = [("said", (done.out + done.err + listed).encode())]
    with planted.database() as database, database.session(ACTOR) as connection:
        assert connection.execute(text("SELECT count(*) FROM quarantine WHERE sealed IS NOT NULL")).scalar()
    searched += [(name, found.encode()) for name, found in cells(planted)]
    searched += list(files(planted.home))
    assert len(searched) > 100
    forms = [form for number in PLANTED for form in (number.encode(), number.encode().hex().encode())]
    shown = [(name, form) for name, found in searched for form in forms if form in found]
    assert not shown


def test_planted_numbers_are_found_where_they_are_exported(planted: District) -> None:
    """The search above would see them: the file for the feed's owner does hold them."""
    assert planted.only("police").run().code == 0
    sheet = planted.folder / "held.xlsx"
    assert planted.command("quarantine", "export", "--out", str(sheet)).code == 0
    from python_calamine import CalamineWorkbook

    rows = CalamineWorkbook.from_path(str(sheet)).get_sheet_by_index(0).to_python()
    assert {CANARY_PHONE} <= {str(cell) for row in rows for cell in row}


def test_an_unforeseen_error_says_where_and_not_what(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries quote the values they stumble on: the words of such an error are not shown."""

    def stumble(*_: object) -> None:
        raise ValueError(f"cannot convert {NUMBER}")

    monkeypatch.delenv("ONEGRID_DEBUG", raising=False)
    monkeypatch.setattr("quality.check.check", stumble)
    done = district.only("police").run()
    assert done.code == 70
    assert NUMBER not in done.err + done.out
    assert "onegrid: ValueError in the program itself" in done.err
    assert "test_nothing_personal.py" in done.err
