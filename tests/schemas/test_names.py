"""Folding, parts and comparison of names."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.kinds import KINDS
from schemas.name_levels import NameLevel, compare_names
from schemas.names import MANY, ONE, fold_name, fold_names, name_features, name_parts

GOLDEN = Path(__file__).parents[1] / "golden"
NAME = st.text(alphabet="张李王欧阳司马小明丽莉伟玮戌戍·?*", min_size=1, max_size=6)
HAN = st.builds(str.__add__, st.sampled_from("张李王"), st.text(alphabet="小明丽莉伟玮国华", min_size=1, max_size=3))


def golden(name: str) -> list[list[str]]:
    lines = (GOLDEN / name).read_text(encoding="utf-8").splitlines()
    cells = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        [re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), cell) for cell in line] for line in cells
    ]


def column(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


def test_golden_names() -> None:
    rows = golden("names.tsv")
    found = name_features(column(*(row[0] for row in rows)))
    assert found["wild"].tolist() == [ONE in row[1] or MANY in row[1] for row in rows]
    shown = found[["folded", "surname", "given", "pinyin", "kind", "pointer"]].fillna("").to_numpy().tolist()
    assert [[row[0], *parts] for row, parts in zip(rows, shown, strict=True)] == rows


def test_cleaning_first_folds_to_the_same() -> None:
    raw = column(*(row[0] for row in golden("names.tsv")))
    pd.testing.assert_series_equal(fold_names(KINDS["name"].clean(raw)), fold_names(raw))


@pytest.mark.parametrize(("one", "two", "level"), golden("name_pairs.tsv"))
def test_golden_pairs_both_ways(one: str, two: str, level: str) -> None:
    found = compare_names(column(one, two, None), column(two, one, one))
    assert [NameLevel(number).name for number in found.tolist()] == [level, level, "MISSING"]


@given(st.lists(NAME, max_size=6), st.lists(NAME, max_size=6))
def test_comparison_is_symmetric_and_pair_by_pair(one: list[str], two: list[str]) -> None:
    size = min(len(one), len(two))
    a, b = column(*one[:size]), column(*two[:size])
    found = compare_names(a, b)
    assert found.dtype == np.int8
    assert (found == compare_names(b, a)).all()
    assert [int(compare_names(a[[at]], b[[at]])[0]) for at in range(size)] == found.tolist()


@given(HAN, st.integers(1, 3))
def test_a_lost_character_never_makes_another_name(name: str, at: int) -> None:
    at = min(at, len(name) - 1)
    broken = name[:at] + "\ufffd" + name[at + 1 :]
    level = compare_names(fold_names(column(name)), fold_names(column(broken)))[0]
    assert level == NameLevel.WILDCARD


@settings(deadline=None)
@given(st.text(max_size=40))
def test_folding_settles_and_never_fails(raw: str) -> None:
    parts = name_parts(raw)
    assert parts.kind in ("full", "title", "child_of", "display", "masked", "empty")
    assert (parts.folded is None) == (parts.kind in ("empty", "child_of"))
    if parts.kind in ("full", "masked", "title"):
        assert fold_name(parts.folded or "") != ""


@pytest.mark.parametrize("raw", ["张" * 10**6, "(" * 10**6, "·" * 10**6, "张*" * 10**6, "之子" * 10**6, "a" * 10**6])
def test_endless_names_take_no_time(raw: str) -> None:
    started = time.perf_counter()
    folded = fold_name(raw)
    compare_names(column(folded or None), column("张三"))
    assert time.perf_counter() - started < 1  # seconds


def test_missing_and_empty_columns() -> None:
    nothing = name_features(pd.Series([None, None], dtype="str", index=[3, 9]))
    assert nothing.index.tolist() == [3, 9]
    assert nothing["kind"].eq("empty").all()
    assert nothing.drop(columns=["kind", "wild"]).isna().all(axis=None)
    assert name_features(column()).empty
    assert compare_names(column(), column()).size == 0
    assert compare_names(column(None), column("张三")).tolist() == [NameLevel.MISSING]


def test_repeats_are_folded_once() -> None:
    names = pd.Series(["古丽米热•艾比布力（户主）"] * 300_000, dtype="str")
    started = time.perf_counter()
    assert fold_names(names).eq("古丽米热·艾比布力").all()
    assert time.perf_counter() - started < 2  # seconds, where once a row takes three
