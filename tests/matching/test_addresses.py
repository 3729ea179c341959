"""Addresses parsed to the room: golden cases, and laws that hold for any text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.addresses import LEVELS, PARTS, address_spans, parse_address, parse_addresses
from schemas.numerals import decimal

GOLDEN = Path(__file__).parents[1] / "golden" / "addresses.tsv"
CASES = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines()[1:]]
PIECES = st.sampled_from(
    [
        "安徽省",
        "芜湖市",
        "镜湖区",
        "云亭街道",
        "柳岸社区",
        "长江路",
        "18号",
        "120弄",
        "阳光花园",
        "翠苑一区",
        "二期",
        "(东区)",
        "3栋",
        "3#",
        "2单元",
        "2门",
        "5楼",
        "501",
        "501室",
        "-",
        "",
        "/",
        "（户主）",
        "底商",
        "东户",
        "A座",
        "〇",
        "后湖村",
        "3组",
        "\u3000",
        "１２",
        "🏠",
        "十二",
        "号",
        "室",
        "3-2-501",
        "与和平路交叉口",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=150)


@pytest.mark.parametrize(("address", "parts"), CASES, ids=[case[0] for case in CASES])
def test_golden_address(address: str, parts: str) -> None:
    read = parse_address(address, "340202")
    assert " ".join(f"{name}={value}" for name, value in read.items()) == parts


@given(TEXTS)
def test_spans_are_the_input(text: str) -> None:
    assert "".join(piece for _, piece in address_spans(text)) == text
    assert parse_address(text)["level"] in LEVELS


@given(TEXTS)
def test_what_no_part_covers_is_the_remainder(text: str) -> None:
    open_ = "".join(piece for part, piece in address_spans(text) if part == "remainder")
    remainder = parse_address(text).get("remainder", "")
    kept = [c for c in open_ if not c.isspace() and c.isprintable()]
    assert not remainder or all(c in open_ for c in remainder)
    assert remainder or not any(c.isalnum() for c in kept)


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 33), st.integers(1, 4))
def test_ways_to_write_a_home_read_alike(building: int, unit: int, floor: int, door: int) -> None:
    room = floor * 100 + door
    written = [
        f"阳光花园{building}栋{unit}单元{room}室",
        f"阳光花园{building}幢{unit}单元{room}",
        f"阳光花园{building}号楼{unit}门{room}",
        f"阳光花园{building}-{unit}-{room}",
        f"阳光花园{building}#{unit}-{room}",
        f"阳光花园{building}/{unit}/{room}",
        f"阳光花园{building:02}-{unit:02}-{room:04}",
    ]
    read = [parse_address(text) for text in written]
    assert {(p["estate"], p["building"], p["unit"], p["room"]) for p in read} == {
        ("阳光花园", str(building), str(unit), str(room))
    }


def test_frame_is_aligned_and_missing_stays_missing() -> None:
    texts = pd.Series(["阳光花园3栋501", None, "阳光花园3栋501", ""], index=[7, 3, 5, 1], dtype="str")
    read = parse_addresses(texts, pd.Series("340202", index=texts.index, dtype="str"))
    assert list(read.index) == [7, 3, 5, 1]
    assert list(read.columns) == list(PARTS)
    assert read.loc[[7, 5], "room"].tolist() == ["501", "501"]
    assert read.loc[[3, 1], "level"].tolist() == ["none", "none"]
    assert read.drop(columns="level").loc[[3, 1]].isna().all(axis=None)


def test_other_cities_are_never_guessed() -> None:
    assert "city" not in parse_address("西湖区文三路8号", "330106")
    assert parse_address("镜湖幸福街道长江路8号", "340202")["district"] == "镜湖"
    assert "district" not in parse_address("镜湖花园3栋501", "340202")


@given(st.integers(1, 99))
def test_chinese_numbers(number: int) -> None:
    ones = "零一二三四五六七八九"
    tens, one = divmod(number, 10)
    text = ("" if tens < 2 else ones[tens]) + ("十" if tens else "") + (ones[one] if one else "")
    assert decimal(text) == str(number)
