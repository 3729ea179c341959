"""Heads of addresses: what people's word may join, and what it may not."""

from __future__ import annotations

import pandas as pd
import pytest

from matching.gazetteer import joined


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("城南1区", "二建职工楼1区", True),  # the direction is of the name, not of the zone
        ("城南1区", "二建职工楼2区", False),
        ("城南1区", "城南2区", False),
        ("翠苑东区", "翠苑西区", False),
        ("翠苑东区", "桃园东区", True),
        ("江山如画4期", "江山如画3期", False),
        ("幸福公寓", "康复街|18", True),
        ("幸福公寓", "华润云著", True),
    ],
)
def test_zones_and_phases_hold_apart_whoever_says_otherwise(one: str, other: str, may: bool) -> None:
    first, second = sorted((one, other))
    pairs = pd.DataFrame({"one": [first], "other": [second], "persons": [100.0], "apart": [False]})
    assert bool(joined(pairs, pd.Series({one: 10, other: 5}))) == may
