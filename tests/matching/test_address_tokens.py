"""Trying only what can match at a place finds what trying everything finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.address_tokens import TOKEN, tokens

GOLDEN = Path(__file__).parents[1] / "golden" / "addresses.tsv"
ADDRESSES = [line.split("\t")[0] for line in GOLDEN.read_text(encoding="utf-8").splitlines()[1:]]
# every mark, number and letter that the pattern knows, so that random texts hold many numbered parts
LETTERS = "0123456789一二三十百〇ⅡABFfUI甲附负地下半第东南后号院楼栋幢座橦懂撞排单元门梯口层室房户店铺期组队社区小弄支路街#-、(大道"


def tried_everywhere(text: str) -> list[tuple[str, int, int]]:
    return [(str(found.lastgroup), found.start(), found.end()) for found in TOKEN.finditer(text)]


@given(st.text(st.sampled_from(LETTERS), max_size=14))
def test_what_can_match_is_tried(text: str) -> None:
    assert [(str(found.lastgroup), found.start(), found.end()) for found in tokens(text, 0)] == tried_everywhere(text)


@pytest.mark.parametrize("text", ADDRESSES)
def test_real_forms(text: str) -> None:
    assert [(str(found.lastgroup), found.start(), found.end()) for found in tokens(text, 0)] == tried_everywhere(text)
