"""Kinds of values against golden cells, and the laws every kind keeps."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.kinds import KINDS
from schemas.properties import OUTCOMES, entity_types
from schemas.rules import DIMENSIONS, TESTS

GOLDEN = Path(__file__).parents[1] / "golden" / "kinds.tsv"
LONG = ("9" * 1_000_000, "张" * 1_000_000, "(" * 1_000_000, "1 " * 500_000, "\u202e" * 1_000_000, "*" * 1_000_000)
CODED = ("id_type", "sex", "ethnicity", "kinship")


def golden() -> list[list[str]]:
    lines = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [
        [re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), cell) for cell in line] for line in lines
    ]


def column(values: list[str | None]) -> pd.Series:
    return pd.Series(values, dtype="str", index=range(10, 10 + len(values)))


@pytest.mark.parametrize("name", KINDS)
def test_golden_cells(name: str) -> None:
    rows = [row for row in golden() if row[0] == name]
    assert rows, "every kind has golden cells"
    kind = KINDS[name]
    clean = kind.clean(column([row[1] for row in rows]))
    failed = {rule.name: rule.failed(clean) for rule in kind.rules}
    found = [
        [
            name,
            row[1],
            "" if pd.isna(clean.loc[at]) else clean.loc[at],
            " ".join(rule for rule, series in failed.items() if series.loc[at]),
            "" if pd.isna(clean.loc[at]) else kind.mask(clean.loc[at]),
        ]
        for at, row in zip(clean.index, rows, strict=True)
    ]
    assert found == rows


def test_the_kinds_of_every_property_are_there() -> None:
    used = {prop.kind for kind in entity_types().values() for prop in kind.properties.values()}
    assert used <= set(KINDS)


def test_overridden_checks_name_rules_of_their_kind() -> None:
    for kind in entity_types().values():
        for prop in kind.properties.values():
            assert set(prop.checks) <= {rule.name for rule in KINDS[prop.kind].rules}, (kind.name, prop.name)


def test_rules_are_whole_and_every_test_is_used() -> None:
    rules = [rule for kind in KINDS.values() for rule in kind.rules]
    assert {rule.name for rule in rules} == set(TESTS)
    for rule in rules:
        assert rule.dimension in DIMENSIONS
        assert rule.outcome in OUTCOMES
        assert re.search("[a-z]", rule.sentence)
        assert re.search("[\u4e00-\u9fff]", rule.sentence)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("values", [[], [None], [None, None, ""]], ids=["empty", "missing", "blank"])
def test_nothing_in_nothing_out(name: str, values: list[str | None]) -> None:
    clean = KINDS[name].clean(column(values))
    assert clean.isna().all()
    assert clean.dtype == "str"
    for rule in KINDS[name].rules:
        failed = rule.failed(clean)
        assert failed.dtype == bool
        assert failed.index.equals(clean.index)
        assert not failed.any()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.from_regex(r"[0-9xX*. \-年月日/:+E]{0,20}")), max_size=6))
def test_any_text_is_cleaned_once_and_for_all(values: list[str | None]) -> None:
    raw = pd.Series(values, dtype=object)
    for kind in KINDS.values():
        once = kind.clean(raw)
        pd.testing.assert_series_equal(kind.clean(once), once)
        assert once.index.equals(raw.index)
        for rule in kind.rules:
            failed = rule.failed(once)
            assert failed.dtype == bool
            assert not failed[once.isna()].any()
        for value in once.dropna():
            assert isinstance(kind.mask(value), str)


@pytest.mark.parametrize("name", KINDS)
def test_endless_cells_take_linear_time(name: str) -> None:
    started = time.perf_counter()
    clean = KINDS[name].clean(pd.Series(LONG, dtype="str"))
    for rule in KINDS[name].rules:
        rule.failed(clean)
    for value in clean.dropna():
        KINDS[name].mask(value)
    assert time.perf_counter() - started < 5  # seconds; a quadratic pattern takes minutes


def test_lone_surrogates_become_the_replacement_character() -> None:
    clean = KINDS["name"].clean(pd.Series(["张\ud800三"], dtype=object))
    assert clean.tolist() == ["张\ufffd三"]


@pytest.mark.parametrize("name", CODED)
def test_codes_are_their_own_canonical_form(name: str) -> None:
    kind = KINDS[name]
    from schemas.dictionaries import codes_of

    codes = column(sorted(codes_of(name)))
    assert kind.clean(codes).tolist() == codes.tolist()


def test_all_56_peoples_and_their_short_names() -> None:
    clean = KINDS["ethnicity"].clean
    numbers = [f"{number:02d}" for number in range(1, 57)]
    assert clean(column(numbers)).tolist() == numbers
    assert clean(column(["珞巴族", "珞巴", "LB", "55"])).tolist() == ["55"] * 4


def test_masks_hide_the_middle() -> None:
    assert KINDS["id_number"].mask("340202199001011234") == "3402**********1234"
    assert KINDS["phone"].mask("13812345678") == "138****5678"
    assert "501" not in KINDS["address"].mask("中山路18号3栋501室")
