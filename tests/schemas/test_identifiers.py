"""Official numbers: check digits against independent implementations, and which document a number is."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from schemas import identifiers
from schemas.identifiers import RECOGNISED, county_known, id_check, id_check_fails, recognise, upgrade

GOLDEN = Path(__file__).parents[1] / "golden" / "identifiers.tsv"
CASES = [line.split("\t") for line in GOLDEN.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
DIGITS17 = st.from_regex(r"[1-8][0-9]{16}", fullmatch=True)


def test_golden_numbers() -> None:
    found = recognise(pd.Series([case[0] for case in CASES], dtype="str"))
    found["valid"] = found["valid"].map({True: "yes", False: "no"})
    rows = [[case[0], *row] for case, row in zip(CASES, found.fillna("").to_numpy().tolist(), strict=True)]
    assert rows == CASES


@given(DIGITS17)
def test_id_check_agrees_with_stdnum(first17: str) -> None:
    assert id_check(first17) == ric.calc_check_digit(first17 + "0")


@given(st.text(alphabet=identifiers.USCC_ALPHABET, min_size=17, max_size=17))
def test_uscc_check_agrees_with_stdnum(first17: str) -> None:
    assert identifiers.uscc_check(first17) == uscc.calc_check_digit(first17)


@given(st.from_regex(r"[0-9]{14}", fullmatch=True))
def test_registration_check_agrees_with_stdnum(first14: str) -> None:
    assert identifiers.registration_check(first14) == mod_11_10.calc_check_digit(first14)


@given(DIGITS17, st.integers(0, 16), st.integers(1, 9))
def test_no_single_digit_error_passes(first17: str, at: int, shift: int) -> None:
    wrong = first17[:at] + str((int(first17[at]) + shift) % 10) + first17[at + 1 :] + id_check(first17)
    assert id_check_fails(pd.Series([first17 + id_check(first17), wrong, None], dtype="str")).tolist() == [
        False,
        True,
        False,
    ]


def test_centenarians_were_born_in_the_century_before() -> None:
    assert upgrade("110105491231996")[6:10] == "1849"
    assert upgrade("110105491231995")[6:10] == "1949"


def test_organization_code_inside_a_social_credit_code() -> None:
    assert identifiers.uscc_valid("91110000600037341L") == (True, True)
    assert identifiers.uscc_valid("91110000600037351L")[1] is False


def test_old_people_from_counties_named_later_are_valid() -> None:
    """The mistake of checking a county's years against the birth year: this number is real in form."""
    first17 = "34020219500101123"
    found = recognise(pd.Series([first17 + id_check(first17)], dtype="str"))
    assert found["valid"].all()


def test_new_and_unknown_counties() -> None:
    assert county_known("330114")
    assert county_known("110103")  # withdrawn in 2010
    assert not county_known("349999")


def test_nobody_is_born_tomorrow_or_too_long_ago() -> None:
    now = date(2026, 2, 28)
    assert identifiers.birth_date("110105202603010000", now) is None
    assert identifiers.birth_date("110105202602280000", now) == "2026-02-28"
    assert identifiers.birth_date("110105189001010000", now) is None


def test_missing_and_empty_columns() -> None:
    nothing = recognise(pd.Series([None], dtype="str", index=[7]))
    assert list(nothing.columns) == list(RECOGNISED)
    assert nothing.index.tolist() == [7]
    assert nothing.drop(columns="valid").isna().all(axis=None)
    assert recognise(pd.Series([], dtype="str")).empty


@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), max_size=5))
def test_any_text_is_recognised_or_unknown(values: list[str | None]) -> None:
    clean = pd.Series(
        [None if value is None else value.encode("utf-8", "replace").decode() for value in values], dtype="str"
    )
    found = recognise(clean)
    assert found["kind"].isna().tolist() == clean.isna().tolist()
