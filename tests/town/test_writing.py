"""Addresses in each style, and which of them can be read to the room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from town.draw import Rates, stream
from town.feed import rates_of
from town.world import World
from town.writing import STYLES, chinese, write_addresses

GOLDEN = pd.read_csv(Path(__file__).parents[1] / "golden" / "town_addresses.tsv", sep="\t")
SLIPS = ("no_unit", "single_unit_left_out", "no_room", "typo", "name_typo", "repeated", "wide", "landmark")


@pytest.mark.parametrize(("style", "building", "unit", "room", "floor", "label", "written"), GOLDEN.to_numpy().tolist())
def test_styles(style: str, building: int, unit: int, room: int, floor: int, label: str, written: str) -> None:
    assert STYLES[style](building, unit, room, floor, label) == written


def test_every_style_has_a_golden_line_and_every_habit_a_style() -> None:
    assert set(GOLDEN["style"]) == set(STYLES)
    for feed in ("population", "policing", "app", "gridlist"):
        assert set(rates_of(feed)["address"]["tail"]) <= set(STYLES)


@pytest.mark.parametrize(
    ("number", "word"), [(3, "三"), (10, "十"), (12, "十二"), (20, "二十"), (23, "二十三"), (105, "一零五")]
)
def test_chinese_numbers(number: int, word: str) -> None:
    assert chinese(number) == word


def habits(**slips: float) -> Rates:
    return {
        "prefix": {"none": 1.0},
        "head": {"name": 1.0},
        "tail": {"standard": 1.0},
        **dict.fromkeys(SLIPS, 0.0),
        **slips,
    }


def test_without_slips_different_homes_are_written_differently(world: World) -> None:
    homes = np.arange(len(world.places.dwellings))
    written = write_addresses(world.places, homes, habits(), stream(1, "a"))
    assert written.readable.all()
    assert pd.Series(written.text).is_unique


@pytest.mark.parametrize("slip", ["no_room", "typo"])
def test_a_lost_or_wrong_room_is_not_readable(world: World, slip: str) -> None:
    homes = np.flatnonzero(world.places.dwellings["room"] > 0)[:300]
    clean = write_addresses(world.places, homes, habits(), stream(1, "a"))
    slipped = write_addresses(world.places, homes, habits(**{slip: 1.0}), stream(1, "a"))
    assert not slipped.readable.any()
    assert (clean.text != slipped.text).all()


def test_a_unit_left_out_is_readable_only_where_there_is_one(world: World) -> None:
    dwellings = world.places.dwellings
    homes = np.flatnonzero(dwellings["unit"] > 0)
    units = world.places.buildings["units"].to_numpy()[dwellings["building"].to_numpy()[homes]]
    written = write_addresses(world.places, homes, habits(no_unit=1.0), stream(1, "a"))
    assert (written.readable == (units == 1)).all()
    assert not any("单元" in text for text in written.text)
