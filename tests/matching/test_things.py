"""Things: by number, else by kind, metres and names; located in grids."""

from __future__ import annotations

from typing import Any

import pandas as pd

from matching.places import Places
from matching.things import match_things
from schemas.records import META, Feed, Matched, Records

EAST, NORTH = 118.37, 31.33
METRE = 1 / 111_320  # degrees north
SQUARE = f"POLYGON (({EAST - 1} {NORTH - 1}, {EAST + 1} {NORTH - 1}, {EAST + 1} {NORTH + 1}, {EAST - 1} {NORTH + 1}, {EAST - 1} {NORTH - 1}))"


def at(metres: float) -> dict[str, str]:
    """A position so many metres north of a fixed point."""
    return {"longitude": str(EAST), "latitude": str(NORTH + metres * METRE)}


def records(kind: str, rows: list[dict[str, Any]], places: list[dict[str, Any]] | None = None) -> Records:
    """Records of one type, `rid` 1 to n, and place records from 1001."""
    frames = {kind: _frame(rows, 1)}
    if places:
        frames["place"] = _frame(places, 1001)
    sources = {str(row["source"]) for row in [*rows, *(places or [])]}
    return Records(frames, {name: Feed(name, "street", "340202004") for name in sources})


def _frame(rows: list[dict[str, Any]], first: int) -> pd.DataFrame:
    filled = [{"key": str(n), "role": "", **row} for n, row in enumerate(rows)]
    frame = pd.DataFrame(filled).astype("str")
    frame.insert(0, "rid", range(first, first + len(rows)))
    assert set(META) <= set(frame.columns)
    return frame


def nowhere(grids: pd.DataFrame | None = None) -> Places:
    """Places that know no address, and only the grid members given."""
    none = pd.DataFrame({name: pd.Series(dtype="Int64") for name in ("rid", "dwelling", "building", "estate")})
    return Places(Matched() if grids is None else Matched(members=grids), none, none, none)


def clusters(rows: list[dict[str, Any]]) -> list[int]:
    return match_things(records("thing", rows), nowhere()).members["cluster"].tolist()


def lamp(source: str, metres: float, **more: str) -> dict[str, Any]:
    return {"source": source, "kind": "路灯", **at(metres), **more}


def test_one_number_is_one_thing_wherever_it_is_said_to_stand() -> None:
    number = "3402020120000007"
    assert clusters([lamp("a", 0, number=number), lamp("b", 300, number=number)]) == [1, 1]


def test_two_numbers_are_two_things_at_one_spot() -> None:
    assert clusters([lamp("a", 0, number="3402020120000007"), lamp("b", 0, number="3402020120000008")]) == [1, 2]


def test_a_number_that_a_feed_gives_to_things_far_apart_decides_nothing() -> None:
    number = "3402020120000007"
    rows = [lamp("a", 0, number=number), lamp("a", 300, number=number), lamp("b", 1), lamp("c", 302, number=number)]
    assert clusters(rows) == [1, 2, 1, 2]


def test_a_placeholder_is_no_number() -> None:
    zero = "0000000000000000"
    assert clusters([lamp("a", 0, number=zero), lamp("b", 400, number=zero)]) == [1, 2]


def test_the_nearest_of_one_kind_within_metres_is_the_same() -> None:
    assert clusters([lamp("a", 0), lamp("b", 7), lamp("b", 2)]) == [1, 2, 1]
    assert clusters([lamp("a", 0), lamp("b", 25)]) == [1, 2]


def test_another_kind_at_the_same_spot_is_another_thing() -> None:
    rows = [lamp("a", 0), {"source": "b", "kind": "消火栓", **at(0)}]
    assert clusters(rows) == [1, 2]


def test_another_number_in_the_name_is_another_thing() -> None:
    rows = [lamp("a", 0, name="柳林路路灯3号"), lamp("b", 1, name="柳林路路灯4号"), lamp("c", 1, name="柳林路路灯3号")]
    assert clusters(rows) == [1, 2, 1]


def test_a_feed_lists_a_thing_once() -> None:
    assert clusters([lamp("a", 0), lamp("a", 1)]) == [1, 2]


def test_words_for_one_kind_are_learned_from_numbers() -> None:
    numbered = []
    for n in range(3):
        number = f"34020201200001{n:02d}"
        numbered += [
            lamp("a", 100 * n, number=number),
            {"source": "b", "kind": "灯杆", "number": number, **at(100 * n)},
        ]
    bare = [lamp("a", 900), {"source": "b", "kind": "灯杆", **at(902)}]
    assert clusters([*numbered, *bare])[-2:] == [7, 7]
    assert clusters(bare) == [1, 2]


def test_without_coordinates_the_same_words_are_the_same_thing() -> None:
    rows = [{"source": s, "kind": "消火栓", "name": "柳林路消火栓", "address": "柳林路8号"} for s in "ab"]
    assert clusters(rows) == [1, 1]


def test_a_thing_lies_in_the_grid_it_names_else_in_the_polygon_that_holds_it() -> None:
    grids = [
        {"source": "g", "kind": "grid", "grid_code": "G1", "geometry": SQUARE, "division_code": "340202004001"},
        {"source": "g", "kind": "grid", "grid_code": "G2", "division_code": "340202004002"},
    ]
    rows = [lamp("a", 0), lamp("a", 50, grid_code="G2"), {"source": "a", "kind": "路灯", "number": "9"}]
    grid_members = pd.DataFrame({"rid": [1001, 1002], "type": "place", "kind": "grid", "cluster": [1001, 1002]})
    found = match_things(records("thing", rows, grids), nowhere(grid_members.assign(how="code", weight=float("nan"))))
    lines = found.locations.sort_values("cluster")
    assert lines[["grid", "basis"]].fillna("").values.tolist() == [["G1", "polygon"], ["G2", "code"], ["", "feed"]]
    assert lines["division"].tolist() == ["340202004001", "340202004002", "340202004"]
    assert found.relations[["cluster", "relation", "to_kind", "to_cluster"]].values.tolist() == [
        [1, "located_in", "grid", 1001],
        [2, "located_in", "grid", 1002],
    ]


def test_every_record_is_a_member_once_in_any_order() -> None:
    rows = [lamp("abc"[n % 3], 3.7 * n) for n in range(30)]
    first = records("thing", rows)
    turned = Records({"thing": first.frame("thing").iloc[::-1]}, first.feeds)
    one, other = (match_things(each, nowhere()).members.sort_values("rid") for each in (first, turned))
    assert one["rid"].tolist() == list(range(1, 31))
    assert one["cluster"].tolist() == other["cluster"].tolist()
    assert one["cluster"].nunique() < 30


def test_no_things_are_no_members() -> None:
    assert match_things(Records({}, {}), nowhere()).members.empty
