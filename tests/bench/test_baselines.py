"""The baselines read the feeds themselves; the town is hard for the exact id and easier for Splink."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from bench.baselines import clean, compare, exact_id
from bench.feeds import read_people
from town.build import build


def people(**columns: list[str | None]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    empty = {name: [None] * size for name in ("name", "id_number", "birth_date", "sex", "phone", "address")}
    keys = {"source": ["s"] * size, "key": [str(i) for i in range(size)], "role": [""] * size}
    return pd.DataFrame({**keys, **empty, **columns}).astype("str")


@pytest.mark.parametrize(
    ("column", "raw", "result", "cleaned"),
    [
        ("id_number", "11010519491231002x", "valid_id", "11010519491231002X"),
        ("id_number", "１１０１０５１９４９１２３１００２Ｘ", "id_number", "11010519491231002X"),
        ("id_number", "110105491231002", "valid_id", "11010519491231002X"),
        ("birth_date", "1990.1.5", "birth", "1990-01-05"),
        ("birth_date", "1990年1月5日", "birth", "1990-01-05"),
        ("phone", "+86138 0013-9000", "phone", "13800139000"),
        ("name", "张三（户主）", "name", "张三"),
    ],
)
def test_an_hours_cleaning(column: str, raw: str, result: str, cleaned: str) -> None:
    assert clean(people(**{column: [raw]}))[result][0] == cleaned


@pytest.mark.parametrize("raw", ["1.10105E+17", "110105********002X", "111111111111111111", "110105000000000000"])
def test_unusable_ids_join_nothing(raw: str) -> None:
    labels = exact_id(clean(people(id_number=[raw, raw])))
    assert labels[0] != labels[1]


def test_people_of_all_feeds_are_read(tmp_path: Path) -> None:
    build(0.01, 3, tmp_path)
    read = read_people(tmp_path)
    assert set(read["source"]) == {"population", "policing", "app", "gridlist"}
    assert set(read["role"]) == {"", "landlord"}
    assert read.groupby("source")["name"].apply(lambda names: names.notna().mean()).min() > 0.98


@pytest.mark.slow
def test_both_baselines_stay_in_their_bounds(tmp_path: Path) -> None:
    build(0.1, 7, tmp_path)
    found = {name: scores.f1 for name, (scores, _) in compare(tmp_path).items()}
    assert 0.82 <= found["exact valid id"] <= 0.88
    assert 0.94 <= found["plain Splink 5"] <= 0.97
