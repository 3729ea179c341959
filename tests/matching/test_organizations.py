"""Organizations: by code, by any name they bear, by where they sit and who answers for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.organization_names import name_lines
from matching.organizations import match_organizations
from matching.places import Places
from schemas.identifiers import org_check, uscc_check
from schemas.records import Feed, Matched, Records

GOLDEN = Path(__file__).parent.parent / "golden" / "organization_names.tsv"
LINES = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


def code(number: int) -> str:
    """A valid social credit code."""
    body = f"MA{number:06d}"
    first = "92340202" + body + org_check(body)
    return first + uscc_check(first)


def shop(source: str, name: str, **more: str) -> dict[str, Any]:
    return {"source": source, "name": name, **more}


def records(rows: list[dict[str, Any]]) -> Records:
    frame = pd.DataFrame([{"key": str(n), "role": "", **row} for n, row in enumerate(rows)]).astype("str")
    frame.insert(0, "rid", range(1, len(rows) + 1))
    return Records(
        {"organization": frame}, {name: Feed(name, "district", "340202") for name in frame["source"].unique()}
    )


def places(**meant: list[int | None]) -> Places:
    """What the addresses of records 1 to n mean."""
    size = max((len(values) for values in meant.values()), default=0)
    columns = {
        name: pd.array(meant.get(name, [None] * size), dtype="Int64") for name in ("dwelling", "building", "estate")
    }
    frame = pd.DataFrame({"rid": range(1, size + 1), **columns})
    return Places(Matched(), frame, frame, frame)


def clusters(rows: list[dict[str, Any]], at: Places | None = None) -> list[int]:
    return match_organizations(records(rows), at or places()).members["cluster"].tolist()


@pytest.mark.parametrize(("name", "core", "district", "branch", "others"), LINES)
def test_a_name_is_read_as_written_down(name: str, core: str, district: str, branch: str, others: str) -> None:
    first, *second = name_lines(name)
    assert first[1:4] == (core, district, branch)
    assert "|".join(line[0] for line in second) == others


@given(st.text(max_size=200))
def test_any_text_is_read(name: str) -> None:
    assert all(len(line) == 7 for line in name_lines(name))


def test_a_valid_code_decides_whatever_the_names() -> None:
    assert clusters([shop("a", "顺远商贸有限公司", uscc=code(1)), shop("b", "恒信商行", uscc=code(1))]) == [1, 1]
    assert clusters([shop("a", "顺远商贸有限公司", uscc=code(1)), shop("b", "顺远商贸有限公司", uscc=code(2))]) == [
        1,
        2,
    ]


def test_a_code_copied_onto_another_s_row_decides_nothing() -> None:
    rows = [
        shop("a", "云和餐饮店", uscc=code(1), legal_representative="张三"),
        shop("a", "青山诊所", uscc=code(1), legal_representative="李四"),
        shop("b", "青山诊所", uscc=code(1), legal_representative="李四"),
    ]
    assert clusters(rows) == [1, 2, 2]


def test_a_code_with_a_wrong_digit_is_no_code() -> None:
    wrong = code(1)[:-1] + ("0" if code(1)[-1] != "0" else "1")
    assert clusters([shop("a", "顺远商贸有限公司", uscc=wrong), shop("b", "恒信饭店", uscc=wrong)]) == [1, 2]


def test_full_and_short_names_are_one() -> None:
    rows = [shop("a", "芜湖市顺远商贸有限公司"), shop("b", "顺远商贸"), shop("c", "镜湖区顺远商贸有限责任公司")]
    assert clusters(rows) == [1, 1, 1]


def test_a_short_name_in_its_own_column_counts() -> None:
    assert clusters([shop("a", "芜湖市第一人民医院", short_name="芜湖一院"), shop("b", "芜湖一院")]) == [1, 1]


def test_either_of_two_names_joins() -> None:
    rows = [shop("a", "甲子医院（北京市第四康复医院）"), shop("b", "北京市第四康复医院"), shop("c", "甲子医院")]
    assert clusters(rows) == [1, 1, 1]


def test_a_branch_is_neither_its_house_nor_another_branch() -> None:
    names = [
        "顺远药房有限公司",
        "顺远药房有限公司第二分公司",
        "顺远药房(中山路店)",
        "顺远药房(北京路店)",
        "顺远药房有限公司第三分公司",
    ]
    assert clusters([shop(f"feed{n}", name, phone="13800000001") for n, name in enumerate(names)]) == [1, 2, 3, 4, 5]


def test_other_numbers_and_other_districts_are_other_institutions() -> None:
    assert clusters([shop("a", "芜湖市第一人民医院"), shop("b", "芜湖市第二人民医院")]) == [1, 2]
    assert clusters([shop("a", "镜湖区中医医院"), shop("b", "弋江区中医医院")]) == [1, 2]


def test_a_name_many_bear_needs_more_than_the_name() -> None:
    rows = [
        shop("a", "便民超市"),
        shop("a", "便民超市", phone="13800000001"),
        shop("b", "便民超市", phone="13800000001"),
    ]
    assert clusters(rows) == [1, 2, 2]
    assert clusters([*rows[:1], shop("a", "便民超市"), shop("b", "便民超市")]) == [1, 2, 3]


def test_where_it_sits_and_who_answers_weigh_for_and_against() -> None:
    rows = [shop("a", "源和理发店", legal_representative="张三"), shop("b", "媛和理发", legal_representative="张三")]
    assert clusters(rows, places(building=[5, 5])) == [1, 1]
    apart = [shop("a", "云和餐饮店", legal_representative="张三"), shop("b", "云和餐饮", legal_representative="李四")]
    assert clusters(apart, places(building=[5, 6])) == [1, 2]


def test_an_agent_s_phone_says_nothing() -> None:
    rows = [shop(f"feed{n}", f"{word}和餐饮店", phone="13800000001") for n, word in enumerate("云青白赤金木水火土山")]
    assert len(set(clusters(rows))) == len(rows)


def test_an_organization_is_registered_at_the_finest_place_its_address_means() -> None:
    rows = [shop("a", "顺远商贸有限公司"), shop("b", "恒信饭店"), shop("b", "青山诊所")]
    found = match_organizations(records(rows), places(dwelling=[9, None, None], building=[7, 8, None])).relations
    assert found[["cluster", "relation", "to_kind", "to_cluster"]].values.tolist() == [
        [1, "registered_at", "dwelling", 9],
        [2, "registered_at", "building", 8],
    ]


def test_every_record_is_a_member_once_in_any_order() -> None:
    words = ("顺远", "恒信", "青山", "云和", "顺源")
    rows = [shop("abc"[n % 3], f"{words[n % 5]}{'商贸有限公司' if n % 2 else '商贸'}") for n in range(30)]
    first = records(rows)
    turned = Records({"organization": first.frame("organization").iloc[::-1]}, first.feeds)
    one, other = (match_organizations(each, places()).members.sort_values("rid") for each in (first, turned))
    assert one["rid"].tolist() == list(range(1, 31))
    assert one["cluster"].tolist() == other["cluster"].tolist()


def test_no_organizations_are_no_members() -> None:
    assert match_organizations(Records({}, {}), places()).members.empty
