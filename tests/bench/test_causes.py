"""Causes of wrong merges against listing every pair."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import causes as bench_causes
from bench.causes import causes, wrong_pairs

LABELS = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=12)


@given(LABELS)
def test_wrong_pairs_are_those_of_listing_every_pair(rows: list[tuple[int | None, int | None]]) -> None:
    listed = {
        (i, j)
        for (i, one), (j, two) in combinations(enumerate(rows), 2)
        if None not in (*one, *two) and one[1] == two[1] and one[0] != two[0]
    }
    a, b = wrong_pairs(*(pd.Series([row[side] for row in rows], dtype="Int64") for side in (0, 1)))
    assert {(min(pair), max(pair)) for pair in zip(a.tolist(), b.tolist(), strict=True)} == listed
    assert len(a) == len(listed)


def test_of_groups_too_large_to_list_the_small_ones_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_causes, "MOST", 3)
    found = pd.Series([1, 1, 1, 1, 1, 2, 2])
    a, b = wrong_pairs(pd.Series(range(7)), found)
    assert (5, 6) in set(zip(a.tolist(), b.tolist(), strict=True))
    assert len(a) <= 3


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        ({"home": 1, "birth": "1950-01-02", "name": "b"}, "household: one birth date"),
        ({"home": 1, "birth": "1980-01-02", "name": "a"}, "household: one name"),
        ({"home": 1, "birth": "1980-01-02", "name": "b"}, "household: parent and child"),
        ({"home": 1, "birth": "1952-01-02", "name": "b"}, "household: others"),
        ({"home": 2, "birth": "1950-01-02", "name": "a", "number": "7"}, "one number"),
        ({"home": 2, "birth": "1950-01-02", "name": "a"}, "one name and birth date"),
        ({"home": 2, "birth": None, "name": "a"}, "one name"),
        ({"home": None, "birth": "1950-01-02", "name": "b"}, "one birth date"),
        ({"home": None, "birth": None, "name": None}, "neither"),
    ],
)
def test_each_wrong_pair_has_its_first_cause(other: dict[str, object], cause: str) -> None:
    one = {"home": 1, "birth": "1950-01-02", "name": "a", "number": "7"}
    rows = pd.DataFrame([one, {"number": None, **other}]).astype({"birth": "str", "name": "str", "number": "str"})
    assert causes(rows, pd.Series([1, 2]), pd.Series([5, 5])) == {cause: 1}
    assert causes(rows, pd.Series([1, 1]), pd.Series([5, 5])) == {}
    assert causes(rows[["name"]], pd.Series([1, 2]), pd.Series([5, 5])).keys() <= {"one name", "neither"}
