"""What an address leaves open, told by what people show: buildings that are lettered for some and numbered for others."""

from __future__ import annotations

import pandas as pd
import pytest

from matching.atlas import Lessons
from matching.readings import NEEDED, WITNESSES, settle

Row = tuple[str, str, str]  # person, building, room


def settled(rows: list[Row]) -> list[str]:
    frame = pd.DataFrame(rows, columns=["person", "building", "room"], dtype="str")
    frame = frame.assign(head="世纪城", unit="1", level="room")
    for name in (*NEEDED, *WITNESSES):
        if name not in frame:
            frame[name] = pd.Series(pd.NA, index=frame.index, dtype="str")
    return settle(frame, Lessons())["building"].tolist()


def moved(letter: str, number: str, persons: int) -> list[Row]:
    """Persons who write the one building at one time and the other at another, with the same room."""
    return [(f"p{n}", building, f"{n}01") for n in range(1, persons + 1) for building in (letter, number)]


def test_a_lettered_building_is_the_numbered_one_where_its_people_say_so() -> None:
    rows = [*moved("A", "1", 2), *moved("B", "2", 1), ("other", "C", "301"), ("other", "丙", "301")]
    assert settled(rows) == ["1"] * 4 + ["2"] * 2 + ["3", "3"]


@pytest.mark.parametrize(
    "rows",
    [
        [*moved("A", "1", 1), ("x", "A", "901")],  # one person may have moved
        [*moved("A", "2", 4), ("x", "A", "901")],  # another number: letters and numbers are different buildings
        [("x", "A", "101"), ("y", "1", "101"), ("z", "A", "102"), ("z", "1", "202")],  # nobody shows both at a room
    ],
)
def test_without_their_word_letters_and_numbers_stay_apart(rows: list[Row]) -> None:
    assert settled(rows) == [building for _, building, _ in rows]
