"""Names of cities, counties and towns stand for codes, and a short one counts only where others say so."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from matching.addresses import parse_address
from matching.divisions import division_names, is_town_of, name_lengths, town_lengths, town_names


def test_a_name_stands_for_its_codes_with_and_without_its_suffix() -> None:
    names = division_names()
    assert names["芜湖市"] == ("3402",)
    assert set(names["芜湖"]) == {"3402", "340221"}  # a city and a county of one name
    assert set(names["朝阳"]) >= {"110105", "2113"}  # a district of Beijing and a city of Liaoning
    assert names["德宏州"] == names["德宏傣族景颇族自治州"] == ("5331",)


def test_a_town_is_known_in_its_city() -> None:
    assert is_town_of("钱库镇", ("330327",))
    assert is_town_of("钱库", ("3303",))
    assert is_town_of("钱库", ("330399",))  # a county that is no more: its city's towns
    assert not is_town_of("钱库", ("330302",))
    assert not is_town_of("无此镇", ("3303",))


@pytest.mark.parametrize(("names", "lengths"), [(division_names, name_lengths), (town_names, town_lengths)])
def test_every_name_is_found_by_its_first_two_characters(
    names: Callable[[], dict[str, object]], lengths: Callable[[], dict[str, tuple[int, ...]]]
) -> None:
    by_head = lengths()
    assert all(len(name) in by_head[name[:2]] for name in names() if len(name) <= 8)
    assert all(list(found) == sorted(found, reverse=True) for found in by_head.values())


@pytest.mark.parametrize(
    ("address", "town"),
    [
        ("苍南县钱库工贸路585号", "钱库"),
        ("苍南县钱库镇工贸路585号", "钱库镇"),
        ("苍南县钱库路585号", None),  # a road that bears the town's name
        ("苍南县钱库花园3栋", None),  # an estate that does
        ("苍南县钱库钢材市场3栋", None),  # what has no name but the town's
        ("鹿城区繁昌工贸路5号", None),  # a town of another city
        ("温州市钱库工贸路585号", "钱库"),
        ("温州市钱库云著西区5栋", None),  # within a city alone a road must follow
        ("苍南县钱库云著西区5栋", "钱库"),
        ("钱库工贸路585号", None),  # no city says which
    ],
)
def test_a_towns_short_name_counts_within_its_city(address: str, town: str | None) -> None:
    assert parse_address(address).get("town") == town
