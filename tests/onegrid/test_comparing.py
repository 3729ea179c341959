"""A list compared with the registry, as `onegrid compare` does it."""

from __future__ import annotations

import csv
import io
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from district import District, copy_district, id_number, person

from onegrid.comparing import read_list
from onegrid.errors import SettingsError

HEADER = ["姓名", "身份证号", "手机号", "住址", "备注"]


@pytest.fixture(scope="module")
def published(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[District]:
    """A district that was run once."""
    made = copy_district(make_folder(), prepared_home)
    with made.database():
        assert made.run().code == 0
        yield made


def rows() -> list[list[str]]:
    """Three persons by what they say, a stranger, and two rows that name nobody."""
    said = [person(place) for place in range(6)]
    return [
        [said[0]["name"], id_number(0), "", "", "=1+1"],
        [said[1]["name"], "", said[1]["phone"], "", ""],
        [said[2]["name"], id_number(2)[:6] + "********" + id_number(2)[-4:], "", said[2]["address"], ""],
        ["司马相如", "", "13911111111", "", ""],
        ["", "", "", "", "nothing"],
        ["", "", said[4]["phone"], said[4]["address"], ""],
    ]


def as_csv(lines: list[list[str]], encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *lines])
    return text.getvalue().encode(encoding)


def test_each_row_comes_back_with_its_code_or_the_reason_why_not(published: District, tmp_path: Path) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    listed.write_bytes(as_csv(rows()))
    done = published.command("compare", str(listed), "--out", str(out), "--show", "name,phone,birth_date")
    assert done.code == 0, done.err
    assert "guessed from the headers: name = 姓名, id_number = 身份证号, phone = 手机号, address = 住址" in done.err
    found = list(csv.DictReader(out.read_text("utf-8-sig").splitlines()))
    assert [line["姓名"] for line in found] == [row[0] for row in rows()]
    assert [line["verdict"] for line in found] == ["same", "same", "same", "unknown", "unreadable", "unreadable"]
    registry = published.registry()
    codes = {at: registry.code("population", f"r{place:03}") for at, place in ((0, 0), (1, 1), (2, 2))}
    assert {at: found[at]["code"] for at in codes} == codes
    assert found[4]["reason"]
    assert "identif" in found[5]["reason"] or "names it" in found[5]["reason"]
    assert found[4]["code"] == found[3]["code"] == ""
    assert found[0]["name"] == person(0)["name"]
    assert found[0]["phone"] == person(0)["phone"][:3] + "****" + person(0)["phone"][-4:]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    events = published.query("SELECT code, properties::text AS p FROM access_event WHERE act = 'compare'", {})
    assert set(codes.values()) <= set(events["code"])
    assert set(events["p"]) == {'["name", "phone", "birth_date"]'}


def test_a_map_says_what_columns_are_as_in_a_source_file(published: District, tmp_path: Path) -> None:
    said = person(7)
    listed, out, spec = tmp_path / "list.xlsx", tmp_path / "out.xlsx", tmp_path / "map.yml"
    import pandas as pd

    from quality.corrections import write_sheets

    write_sheets(listed, {"s": pd.DataFrame({"谁": [said["name"]], "小区": [said["address"]]}, dtype="str")})
    spec.write_text("maps:\n  person:\n    name: 谁\n    address: {columns: [小区]}\n", "utf-8")
    done = published.command("compare", str(listed), "--map", str(spec), "--out", str(out))
    assert done.code == 0, done.err
    assert "guessed" not in done.err
    found = pd.read_excel(out, engine="calamine", dtype="str")
    assert found["code"].tolist() == [published.registry().code("population", "r007")]


def test_one_row_is_weighed_alike_alone_and_among_many(published: District, tmp_path: Path) -> None:
    def codes(lines: list[list[str]]) -> list[tuple[str, str, str]]:
        listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
        listed.write_bytes(as_csv(lines))
        assert published.command("compare", str(listed), "--out", str(out)).code == 0
        return [(r["verdict"], r["code"], r["weight"]) for r in csv.DictReader(out.read_text("utf-8-sig").splitlines())]

    assert [codes([row])[0] for row in rows()[1:3]] == codes(rows())[1:3]


@pytest.mark.parametrize(
    ("name", "content", "spec", "said"),
    [
        ("list.txt", b"", None, "csv or an .xlsx"),
        ("list.csv", "甲,乙\n1,2\n".encode(), None, "No header"),
        ("list.csv", "姓名\n张三\n".encode(), {"maps": {"place": {"name": "姓名"}}}, "`person` alone"),
        ("list.csv", "姓名\n张三\n".encode(), {"maps": {"person": {"name": "名"}}}, "1 columns"),
    ],
)
def test_a_list_that_cannot_be_one_is_refused(
    name: str, content: bytes, spec: dict[str, object] | None, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        read_list(name, content, "340202", spec)
