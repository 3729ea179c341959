"""Places on a few small streets: which addresses mean one home, and where it lies."""

from __future__ import annotations

import pandas as pd
import pytest

from matching.places import Places, match_places
from schemas.records import Feed, Records


def street(people: list[tuple[str, str]], places: list[dict[str, str]] | None = None) -> tuple[Records, Places]:
    """Records of (id number's serial, address) and of places, and what they mean."""
    persons = pd.DataFrame(
        {
            "rid": range(1, len(people) + 1),
            "source": "feed",
            "key": [str(n) for n in range(len(people))],
            "role": "",
            "id_number": [f"340202199001{int(who):05}X" for who, _ in people],
            "address": [address for _, address in people],
        }
    ).astype({"source": "str", "key": "str", "role": "str", "id_number": "str", "address": "str"})
    frames = {"person": persons}
    if places:
        listed = pd.DataFrame(places).astype("str")
        listed.insert(0, "rid", range(1001, 1001 + len(places)))
        frames["place"] = listed.assign(
            source=listed.get("source", "map"), key=listed["rid"].astype("str"), role=""
        ).astype({"role": "str"})
    feeds = {name: Feed(name, "district", "340202") for name in ("feed", "map", "other map")}
    records = Records(frames, feeds)
    return records, match_places(records)


def homes(people: list[tuple[str, str]]) -> list[int | None]:
    found = street(people)[1].homes.set_index("rid")["dwelling"]
    return [None if pd.isna(found.get(rid)) else int(found[rid]) for rid in range(1, len(people) + 1)]


def test_spellings_of_one_home_are_one() -> None:
    found = homes(
        [
            ("1", "芜湖市镜湖区云亭街道阳光花园3栋2单元501室"),
            ("2", "阳光花园3-2-501"),
            ("3", "阳光花园小区３幢二单元五零一"),
            ("4", "阳光花园3栋2单元502室"),
        ]
    )
    assert found[0] == found[1] == found[2] != found[3]


def test_alias_is_learned_from_people_who_agree() -> None:
    both = [(str(n), f"长江路18号{n}栋1单元{n}01") for n in range(1, 4)]
    both += [(str(n), f"阳光花园{n}栋1单元{n}01") for n in range(1, 4)]
    found = homes([*both, ("8", "长江路18号5栋1单元301"), ("9", "阳光花园5栋1单元301")])
    assert found[-2] == found[-1] is not None


def test_a_village_that_contains_others_is_no_bridge_between_them() -> None:
    people = [(f"{n}", f"杨家圩村丽岗1组{n}号") for n in range(1, 5)] + [
        (f"{n}", f"杨家圩村1组{n}号") for n in range(1, 5)
    ]
    people += [(f"{n}", f"杨家圩村文湾1组{n}号") for n in range(11, 15)]
    people += [(f"{n}", f"杨家圩村1组{n}号") for n in range(11, 15)]
    people += [("21", "杨家圩村丽岗1组12号"), ("22", "杨家圩村文湾1组12号")]
    found = homes(people)
    assert found[0] == found[4] is not None
    assert found[8] == found[12] is not None
    assert found[-2] is not None
    assert found[-2] != found[-1] == found[9]


def test_people_who_moved_make_no_alias() -> None:
    moved = [(str(n), f"阳光花园{n}栋1单元{n}01") for n in range(1, 9)]
    moved += [(str(n), f"翠湖苑{n if n < 3 else n + 1}栋1单元{n}01") for n in range(1, 9)]
    found = homes([*moved, ("20", "阳光花园9栋1单元301"), ("21", "翠湖苑9栋1单元301")])
    assert found[-2] != found[-1]


@pytest.mark.parametrize(("one", "other"), [("一期", "二期"), ("东区", "西区"), ("一区", "二区"), ("一村", "二村")])
def test_parts_of_an_estate_stay_apart_whoever_agrees(one: str, other: str) -> None:
    people = [(str(n), f"阳光{part}{n}栋1单元{n}01") for n in range(1, 5) for part in (one, other)]
    found = homes(people)
    assert all(a != b for a, b in zip(found[::2], found[1::2], strict=True))


def test_missing_unit_is_the_only_one_or_the_persons_own() -> None:
    found = homes([("1", "阳光花园3栋2单元501"), ("2", "阳光花园3栋501")])
    assert found[0] == found[1]
    several = [
        ("1", "阳光花园3栋1单元501"),
        ("2", "阳光花园3栋2单元501"),
        ("2", "阳光花园3栋501"),
        ("3", "阳光花园3栋501"),
    ]
    found = homes(several)
    assert found[2] == found[1]
    assert found[3] not in found[:3]


def test_two_numbers_follow_the_buildings_shape() -> None:
    found = homes([("1", "阳光花园3栋501"), ("2", "阳光花园3-501")])
    assert found[0] == found[1]
    found = homes([("1", "长江路8号3单元501"), ("2", "长江路8号3-501")])
    assert found[0] == found[1]


def test_house_that_lets_rooms_is_no_dwelling_as_a_whole() -> None:
    found = homes([("1", "后湖村3组12号"), ("2", "后湖村3组14号203"), ("3", "后湖村3组14号")])
    assert found[0] is not None
    assert found[1] is not None
    assert found[2] is None


def test_same_road_in_another_city_is_another_home() -> None:
    found = homes([("1", "长江路8号3栋501"), ("2", "江苏省南京市江宁区长江路8号3栋501")])
    assert found[0] != found[1]


def test_unread_addresses_have_no_dwelling() -> None:
    _, places = street([("1", "阳光花园"), ("2", "不详"), ("3", "阳光花园3栋2单元501")])
    members = places.matched.members
    assert members.loc[members["kind"] == "dwelling", "rid"].tolist() == [3]
    assert places.homes.set_index("rid")["level"].to_dict() == {1: "estate", 2: "estate", 3: "room"}


def test_grid_is_the_codes_then_the_polygons() -> None:
    west, east = "POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))", "POLYGON ((1 0, 3 0, 3 2, 1 2, 1 0))"
    places = [
        {"kind": "grid", "grid_code": "G1", "geometry": west},
        {"kind": "grid", "grid_code": "G2", "geometry": east},
        {"kind": "building", "address": "阳光花园3栋", "grid_code": "G9"},
        {"kind": "building", "address": "翠湖苑1栋", "longitude": "1.5", "latitude": "1"},
        {"kind": "building", "address": "天元府1栋", "longitude": "9", "latitude": "9"},
    ]
    records, found = street([("1", "阳光花园3栋2单元501")], places)
    members = found.matched.members.merge(found.matched.locations, on=["type", "kind", "cluster"])
    at = members.set_index("rid")[["grid", "basis"]]
    assert at.loc[1003].tolist() == ["G9", "code"]
    assert at.loc[1004].tolist() == ["G1", "polygon"]  # where grids overlap the smaller code wins
    assert pd.isna(at.loc[1005, "grid"])
    assert at.loc[1].tolist() == ["G9", "building"]
    assert len(records.frame("place")) == 5


def test_every_record_has_one_line_of_a_kind_and_order_does_not_matter() -> None:
    records, found = street(
        [("1", "阳光花园3栋2单元501"), ("2", "翠湖苑3-501")], [{"address": "阳光花园3栋", "grid_code": "G1"}]
    )
    members = found.matched.members
    assert not members.duplicated(["rid", "type", "kind"]).any()
    assert members.set_index("rid")["kind"].to_dict() == {1: "dwelling", 2: "dwelling", 1001: "building"}
    turned = Records({kind: frame.iloc[::-1] for kind, frame in records.frames.items()}, records.feeds)
    again = match_places(turned).matched.members
    order = ["rid", "kind"]
    pd.testing.assert_frame_equal(
        members.sort_values(order, ignore_index=True), again.sort_values(order, ignore_index=True)
    )


def test_listed_estates_are_one_where_people_use_both_names_and_parts_stay_apart() -> None:
    people = [(str(n), f"{name}{n}栋1单元{n}01") for name in ("幸福公寓", "华润云著") for n in range(1, 4)]
    names = ("幸福公寓", "华润云著", "常青花园十七村", "常青花园九南村")
    sources = ("map", "other map", "map", "other map")
    listed = [{"kind": "estate", "name": name, "source": source} for name, source in zip(names, sources, strict=True)]
    _, places = street(people, listed)
    members = places.matched.members
    found = members[members["kind"] == "estate"].set_index("rid")["cluster"]
    assert found[1001] == found[1002]
    assert len({found[1001], found[1003], found[1004]}) == 3
