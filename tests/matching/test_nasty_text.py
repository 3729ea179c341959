"""Every normaliser against the nastiest text: nothing fails, and time grows no faster than the text."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.estate_names import compare_estates, read_estate_name, read_estate_names
from matching.estate_places import estate_gates, read_districts
from matching.identifiers import compatible, damage_of, damaged, repairs
from matching.organization_names import compare_names as compare_organizations
from matching.organization_names import name_lines, read_names
from matching.phones import fold_phones
from schemas.cleaning import phone
from schemas.dates import days, impossible, to_date, to_datetime
from schemas.identifiers import recognise, recognise_one
from schemas.kinds import KINDS
from schemas.name_levels import compare_names
from schemas.names import fold_name, fold_names, name_features, name_parts
from schemas.text import fold, is_null, per_value

NOW = date(2026, 1, 1)
LONG, LONGER = 10**5, 10**6  # characters
TIMES_LONGER = 40  # at most, in time: ten is linear, a hundred is quadratic
SECONDS = 0.5  # below, time is the clock's and not the text's

NASTY = st.text(
    st.one_of(
        st.characters(),  # every plane, lone surrogates too
        st.sampled_from("张王一二期区路号院·•*?某X×xX0123456789.,-/\\()（）[]【】年月日:：　 '\"@#"),
        st.sampled_from("\u0000\u0007\u200b\u200e\u202e\u2066\ufeff\u0301\u20dd\ufe0f\U0001f468\U0001f3fd\u05d0\u0627\ud800\udfff"),
    ),
    max_size=60,
)  # fmt: skip
ONE: Mapping[str, Callable[[str], object]] = {
    "fold": fold,
    "is_null": lambda text: is_null(fold(text)),
    "name": name_parts,
    "folded name": fold_name,
    "date": lambda text: to_date(fold(text)),
    "time": lambda text: to_datetime(fold(text)),
    "phone": lambda text: phone(fold(text)),
    "number": lambda text: recognise_one(text, NOW),
    "damage": lambda text: damage_of(text, NOW),
    "repairs": repairs,
    "organization": name_lines,
    "estate": read_estate_name,
}
COLUMNS: Mapping[str, Callable[[pd.Series], object]] = {
    "names": fold_names,
    "name features": name_features,
    "names compared": lambda column: compare_names(
        fold_names(column), fold_names(column.iloc[::-1].set_axis(column.index))
    ),
    "numbers": recognise,
    "damaged": damaged,
    "numbers compared": lambda column: compatible(column, column.iloc[::-1].set_axis(column.index)),
    "phones": fold_phones,
    "impossible": impossible,
    "days": days,
    "organizations": lambda column: read_names(column, column),
    "organizations compared": lambda column: compare_organizations(*(2 * [read_names(column, column)])),
    "estates": read_estate_names,
    "estates compared": lambda column: compare_estates(*(2 * [read_estate_names(column)])),
    "districts": read_districts,
    "gates": lambda column: estate_gates(pd.DataFrame({"address": column, "name": column})),
    **{f"kind {name}": kind.clean for name, kind in KINDS.items()},
}
ENDLESS = (
    "张", "·", "*", "(", "（1", "某", "之子", "1", "一", "期", "1期", "路1号", "a", " ", "\u0301", "\u202e", "\ud800", "\U0001f468\u200d",
    "1990-", "年", "13800138000;", "1*", "有限公司", "、甲乙丙丁医院", "附1号", "X", "?", "东区", "公安局", "(分店)",
)  # fmt: skip


@pytest.mark.parametrize("name", ONE)
@settings(deadline=None, max_examples=40)
@given(text=NASTY)
def test_no_text_is_too_nasty(name: str, text: str) -> None:
    assert ONE[name](text) == ONE[name](text)


@pytest.mark.parametrize("name", COLUMNS)
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(st.one_of(st.none(), NASTY), max_size=8))
def test_no_column_is_too_nasty(name: str, texts: list[str | None]) -> None:
    folded = [None if text is None else fold(text) for text in texts]
    for column in (
        pd.Series(folded, dtype="str"),
        pd.Series([None] * 3, dtype="str"),
        pd.Series(["张三"] * 5, dtype="str"),
    ):
        found = COLUMNS[name](column)
        assert found is not None


@given(texts=st.lists(st.one_of(st.none(), NASTY), max_size=8))
def test_raw_cells_with_lone_surrogates_are_folded(texts: list[str | None]) -> None:
    raw = pd.Series(texts, dtype="object")
    assert per_value(raw, fold).isna().tolist() == [text is None for text in texts]


def seconds(change: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    change(text)
    return time.perf_counter() - started


@pytest.mark.parametrize("name", ONE)
@pytest.mark.parametrize("piece", ENDLESS, ids=ascii)
def test_time_grows_no_faster_than_the_text(name: str, piece: str) -> None:
    """The text of a million characters against one of a hundred thousand."""
    long, longer = (piece * (length // len(piece)) for length in (LONG, LONGER))
    allowed = max(TIMES_LONGER * min(seconds(ONE[name], long) for _ in range(2)), SECONDS)
    assert seconds(ONE[name], longer) < allowed
