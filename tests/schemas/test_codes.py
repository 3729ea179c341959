"""Codes against python-stdnum's ISO 7064, and against slips of the hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_37_36

from schemas.codes import LETTERS, TYPES, check_character, make, make_many, parse, serials_of, verify

GOLDEN = Path(__file__).parents[1] / "golden" / "codes.tsv"
letters = st.sampled_from(sorted(TYPES))
divisions = st.from_regex(r"[1-9][0-9]{5}([0-9]{3}([0-9]{3})?)?", fullmatch=True)
serials = st.integers(1, 10**9 - 1)
parts = st.tuples(letters, divisions, serials)


def golden() -> list[list[str]]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")]


@given(st.lists(parts, min_size=1, max_size=20))
def test_the_check_character_is_the_one_of_iso_7064(rows: list[tuple[str, str, int]]) -> None:
    one, two, three = (list(column) for column in zip(*rows, strict=True))
    made = make_many(pd.Series(one), pd.Series(two), np.array(three))
    assert all(mod_37_36.is_valid(code.replace("-", "")) for code in made)
    assert serials_of(made).tolist() == three
    assert [parse(code)[:3] for code in made] == [(a, b[:6], c) for a, b, c in rows]


@given(parts, st.integers(0, 16), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_is_found(row: tuple[str, str, int], place: int, wrong: str) -> None:
    plain = str(make(*row)).replace("-", "")
    mistyped = plain[:place] + wrong + plain[place + 1 :]
    assert verify(mistyped) == (mistyped == plain)


def test_all_but_36_in_22680_swaps_of_neighbours_are_found() -> None:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    starts = {check_character(character): character for character in alphabet}  # one way into each state
    checks = {s + a + b: check_character(s + a + b) for s in starts.values() for a in alphabet for b in alphabet}
    missed = [
        word for word, check in checks.items() if word[1] < word[2] and check == checks[word[0] + word[2] + word[1]]
    ]
    assert len(starts) == 36
    assert (len(missed), len(starts) * 36 * 35 // 2) == (36, 22680)


@pytest.mark.parametrize(("typed", "stored"), golden())
def test_what_people_type(typed: str, stored: str) -> None:
    if stored:
        assert str(parse(typed)) == stored
    else:
        assert not verify(typed)


def test_the_code_tells_its_type() -> None:
    for name, letter in LETTERS.items():
        assert make(letter, "340202004", 1).type == name


def test_parts_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        make("X", "340202", 1)
    with pytest.raises(ValueError, match="6, 9 or 12"):
        make("P", "3402", 1)
    with pytest.raises(ValueError, match="used up"):
        make("P", "340202", 10**9)
    assert len(check_character("P340202000000001")) == 1
    assert make_many(pd.Series([], dtype="str"), pd.Series([], dtype="str"), np.array([], dtype=np.int64)).empty
