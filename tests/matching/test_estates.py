"""Estates across feeds: numbers exact, words not, and the place decides between."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import estate_names
from matching.estate_names import compare_estates, read_estate_name, read_estate_names
from matching.estates import match_estates
from schemas.records import Feed, Records

GOLDEN = Path(__file__).parent.parent / "golden" / "estate_pairs.tsv"
PAIRS = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
HERE, STREET = (118.37, 31.33), 0.001  # about 100 metres

Row = tuple[str, str | None, str | None, tuple[float, float] | None]


def listed(*rows: Row) -> Records:
    """Estates as (feed, name, address, position)."""
    frame = pd.DataFrame(
        {
            "rid": range(1, len(rows) + 1),
            "source": [row[0] for row in rows],
            "key": [str(n) for n in range(len(rows))],
            "role": "",
            "kind": "estate",
            "name": [row[1] for row in rows],
            "address": [row[2] for row in rows],
            "longitude": [None if row[3] is None else str(row[3][0]) for row in rows],
            "latitude": [None if row[3] is None else str(row[3][1]) for row in rows],
        }
    )
    texts = frame.columns.difference(["rid"])
    frame = frame.astype(dict.fromkeys(texts, "str"))
    return Records({"place": frame}, {name: Feed(name, "district", "340202") for name in frame["source"].unique()})


def clusters(*rows: Row) -> list[int]:
    found = match_estates(listed(*rows)).clusters.set_index("rid")["cluster"]
    return [int(found[n]) for n in range(1, len(rows) + 1)]


def east(streets: float) -> tuple[float, float]:
    return HERE[0] + streets * STREET, HERE[1]


@pytest.mark.parametrize(("one", "other", "level"), PAIRS)
def test_two_names_agree_at_the_level_that_is_written_down(one: str, other: str, level: str) -> None:
    first, second = (read_estate_names(pd.Series([name], dtype="str")) for name in (one, other))
    for a, b in ((first, second), (second, first)):
        assert compare_estates(a, b)[0] == getattr(estate_names, level)


@given(st.text(alphabet="青杨花园小区东西一二三期院路Ⅱ2（）()· -", min_size=1, max_size=12))
def test_brackets_and_blanks_say_nothing(name: str) -> None:
    bare = read_estate_name(name)[1]
    assert read_estate_name(f" {name} ")[1] == bare
    assert read_estate_name(bare)[1] == bare


@given(st.text(max_size=200))
def test_any_text_is_read(name: str) -> None:
    assert len(read_estate_name(name)) == len(estate_names.NAME_COLUMNS)


def test_one_name_is_one_estate_where_nothing_speaks_against_it() -> None:
    rows: list[Row] = [
        ("a", "青杨花园", "柳林路1号", east(0)),
        ("b", "青杨花园", None, None),
        ("c", "青杨花园", None, east(4)),
    ]
    assert clusters(*rows) == [1, 1, 1]


def test_one_name_far_apart_is_two_estates_but_not_where_the_road_and_number_agree() -> None:
    assert clusters(("a", "幸福小区", None, east(0)), ("b", "幸福小区", None, east(30))) == [1, 2]
    rows: list[Row] = [("a", "幸福小区", "柳林路1号", east(0)), ("b", "幸福小区", "镜湖区柳林路1号", east(20))]
    assert clusters(*rows) == [1, 1]


def test_a_phase_and_a_zone_is_an_estate_of_its_own_at_the_same_door() -> None:
    names = ("青杨花园一期", "青杨花园二期", "青杨花园东区", "青杨花园西区", "青杨花园")
    rows: list[Row] = [(f"feed{n}", name, "柳林路1号", east(0)) for n, name in enumerate(names)]
    assert clusters(*rows) == [1, 2, 3, 4, 5]


def test_a_generic_word_more_needs_the_place_to_agree() -> None:
    near: list[Row] = [("a", "青杨小区", None, east(0)), ("b", "青杨", None, east(1))]
    unknown: list[Row] = [("a", "青杨小区", None, None), ("b", "青杨", None, None)]
    door: list[Row] = [("a", "青杨小区", "柳林路1号", None), ("b", "青杨", "(镜湖)柳林路1号", None)]
    assert [clusters(*rows) for rows in (near, unknown, door)] == [[1, 1], [1, 2], [1, 1]]


def test_one_feed_lists_an_estate_once_unless_name_and_place_agree() -> None:
    assert clusters(("a", "青杨花园二期", None, east(0)), ("a", "青杨花园2期", None, east(0))) == [1, 2]
    assert clusters(("a", "青杨花园", None, east(0)), ("a", "青杨花园", None, east(1))) == [1, 1]
    assert clusters(("a", "青杨花园", None, east(0)), ("a", "青杨花园", None, east(40))) == [1, 2]


def test_two_names_that_a_feed_lists_both_are_not_one_for_looking_alike() -> None:
    rows: list[Row] = [
        ("a", "云和花苑", None, east(0)),
        ("a", "云和花园", None, None),
        ("b", "云和花园", None, east(1)),
    ]
    assert clusters(*rows) == [1, 2, 2]


def test_districts_hold_apart_what_has_no_coordinates() -> None:
    filler: list[Row] = [
        ("a", f"填充{n}号院", f"({'城东' if n % 2 else '城西'})柳林路{n + 10}号", None) for n in range(50)
    ]
    rows: list[Row] = [("a", "邮政家属院", "(城东)前进路1号", None), ("b", "邮政家属院", "(城西)后湖路2号", None)]
    assert clusters(*filler, *rows)[-2:] == [51, 52]


def test_the_order_of_rows_changes_nothing() -> None:
    names = ["青杨花园", "青杨花园小区", "青杨花园二期", "云和雅苑", "恒山云和雅苑", "青杨花园II期"]
    records = listed(*((f"feed{n % 3}", name, "柳林路1号", east(n)) for n, name in enumerate(names)))
    turned = Records({"place": records.frame("place").iloc[::-1]}, records.feeds)
    first, second = (match_estates(each).clusters.sort_values("rid")["cluster"].tolist() for each in (records, turned))
    assert first == second


def test_no_estates_are_no_clusters() -> None:
    assert match_estates(Records({}, {})).clusters.empty
    assert clusters(("a", None, None, None), ("a", None, None, None)) == [1, 2]


def test_a_row_that_gives_the_other_name_joins_the_row_that_bears_it() -> None:
    records = listed(
        ("a", "中央府北苑", "胜利路66号", HERE),
        ("a", "中央府南苑", "胜利路68号", HERE),
        ("b", "二建职工楼北苑", "胜利路66号", None),
        ("b", "二建职工楼南苑", None, None),
    )
    place = records.frames["place"].assign(
        alias=pd.Series(["二建职工楼北苑", "二建职工楼南苑", None, None], dtype="str")
    )
    found = match_estates(Records({"place": place}, records.feeds)).clusters.set_index("rid")["cluster"]
    assert [int(found[n]) for n in range(1, 5)] == [1, 2, 1, 2]


def parts(*rows: Row) -> dict[int, int]:
    found = match_estates(listed(*rows)).parts
    return dict(zip(found["cluster"], found["to_cluster"], strict=True))


def test_a_phase_and_a_zone_are_parts_of_the_estate_and_of_no_other_phase() -> None:
    rows: list[Row] = [
        ("a", "青杨花园", "柳林路1号", None),
        ("a", "青杨花园一期", "柳林路1号", None),
        ("b", "青杨花园2期", None, None),
        ("b", "青杨花园东区", None, None),
        ("b", "云和雅苑", None, None),
    ]
    assert parts(*rows) == {2: 1, 3: 1, 4: 1}


def test_a_named_quarter_is_a_part_where_the_place_agrees() -> None:
    whole: Row = ("a", "恒山中央城", "柳林路1号", None)
    assert parts(whole, ("b", "恒山中央城梧桐苑", "柳林路9号", None)) == {2: 1}
    assert parts(whole, ("b", "恒山中央城梧桐苑", "南湖路9号", None)) == {}


def test_of_two_estates_of_one_name_the_nearer_is_the_whole_and_of_equals_none() -> None:
    two: list[Row] = [("a", "青杨花园", None, east(0)), ("a", "青杨花园", None, east(60))]
    assert parts(*two, ("b", "青杨花园二期", None, east(58))) == {3: 2}
    assert parts(*two, ("b", "青杨花园二期", None, None)) == {}


def test_a_phase_far_from_the_estate_of_its_name_is_no_part_of_it() -> None:
    assert parts(("a", "青杨花园", None, east(0)), ("b", "青杨花园二期", None, east(60))) == {}


def test_a_name_that_is_no_other_s_needs_no_address() -> None:
    assert clusters(("a", "青杨湾小区", None, None), ("b", "青杨湾", None, None)) == [1, 1]
    assert clusters(("a", "烟草局家属院", None, None), ("b", "烟草局宿舍", None, None)) == [1, 2]
    twice: list[Row] = [("a", "青杨湾小区", None, None), ("a", "青杨湾社区", None, None), ("b", "青杨湾", None, None)]
    assert clusters(*twice) == [1, 2, 3]


def test_a_city_or_district_before_a_name_says_nothing_of_its_own() -> None:
    areas = ("镜湖区", "镜湖")
    cores = read_estate_names(
        pd.Series(["镜湖三角花园", "镜湖区三角花园", "三角花园", "镜湖路花园"], dtype="str"), areas
    )["core"]
    assert cores.tolist()[:3] == ["三角花园"] * 3
    assert cores.tolist()[3] != "路花园"
