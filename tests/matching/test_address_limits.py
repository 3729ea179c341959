"""Whatever stands in an address column is read: without a crash, and in time that grows with its length alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.address_tail import number_of
from matching.addresses import PARTS, address_spans, parse_address, parse_addresses
from matching.gazetteer import base_of, estate_head, fold_estate, numbers_in
from schemas.numerals import decimal

NORMALISERS: dict[str, Callable[[str], object]] = {
    "parse_address": parse_address,
    "address_spans": address_spans,
    "fold_estate": fold_estate,
    "estate_head": lambda text: estate_head(text, "东区", "2"),
    "base_of": base_of,
    "numbers_in": numbers_in,
    "decimal": decimal,
    "number_of": number_of,
}
LONG = 1_000_000
PER_CHARACTER = 20e-6  # seconds of processor: many times what a busy machine needs, far below what a square would
# what a pattern could try again and again: numerals, brackets, words that may go on, and what is no text at all
PIECES = (
    "1", "一", "百", "路", "东路", "村", "东区", "(", "()", "-", "3号", "公司", "请", "门", "期", " ", "\u3000", "\x00",
    "\u202e\u0627", "🏠", "\ud800", "a1", "第", "中心", "对面",
)  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=()), max_size=200) | st.lists(
    st.sampled_from(PIECES), max_size=60
).map("".join)


@pytest.mark.parametrize("name", NORMALISERS)
@settings(deadline=None)
@given(text=TEXTS)
def test_any_text_is_read(name: str, text: str) -> None:
    NORMALISERS[name](text)


@pytest.mark.parametrize("name", NORMALISERS)
@settings(deadline=None, max_examples=4)
@given(piece=st.sampled_from(PIECES), end=st.sampled_from(("", "x", "号")))
def test_time_grows_with_the_length_alone(name: str, piece: str, end: str) -> None:
    text = piece * (LONG // len(piece)) + end
    start = time.process_time()
    NORMALISERS[name](text)
    assert time.process_time() - start < PER_CHARACTER * len(text)


@settings(deadline=None)
@given(st.lists(TEXTS | st.none(), max_size=8))
def test_any_column_is_read(texts: list[str | None]) -> None:
    read = parse_addresses(pd.Series(texts, dtype=object, index=range(10, 10 + len(texts))))
    assert list(read.columns) == list(PARTS)
    assert list(read.index) == list(range(10, 10 + len(texts)))
    assert all(level == "none" for level, text in zip(read["level"], texts, strict=True) if text is None)


def test_one_value_in_every_row_is_read_once() -> None:
    text = "芜湖市镜湖区幸福路18号阳光花园3栋2单元501室"
    once, often = (pd.Series([text] * rows, dtype="str") for rows in (1, 200_000))
    start = time.process_time()
    read = parse_addresses(often)
    assert time.process_time() - start < 1e-5 * len(often)
    assert read.drop_duplicates().to_dict("records") == parse_addresses(once).to_dict("records")


def test_a_lone_surrogate_is_no_text() -> None:
    read = parse_addresses(pd.Series(["阳光花园\ud8003栋501"], dtype=object))
    assert read.loc[0, ["building", "room"]].tolist() == ["3", "501"]
