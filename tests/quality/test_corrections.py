"""The workbook that goes out and comes back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from quality import corrections
from quality.corrections import LINE, read_corrections, sheet_name, write_sheets


def sheet(**columns: list[str | None]) -> pd.DataFrame:
    size = len(next(iter(columns.values())))
    return pd.DataFrame({LINE: range(1, size + 1), "reasons": "", **columns})


def test_cells_come_back_as_they_went(tmp_path: Path):
    cells = ["007", "110105194912310021", "=1+1", " a ", "多\n行", None, "1e5", "TRUE", "2031-02-30"]
    write_sheets(tmp_path / "q.xlsx", {"feed": sheet(a=cells)})
    back = read_corrections(tmp_path / "q.xlsx", "feed")
    assert [back.rows[line]["a"] for line in range(1, 10)] == cells


def test_a_long_quarantine_goes_on_in_the_next_sheet(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(corrections, "MOST_ROWS", 2)
    write_sheets(tmp_path / "q.xlsx", {"feed": sheet(a=list("abcde")), "feed.values": sheet(a=["x"])})
    back = read_corrections(tmp_path / "q.xlsx", "feed")
    assert {line: row["a"] for line, row in back.rows.items()} == dict(enumerate("abcde", start=1))


@pytest.mark.parametrize("part", ["", ".values"])
def test_sheets_of_long_names_stay_apart(part):
    names = {sheet_name(f"{'a_very_long_name_of_a_source' * 2}{end}", part) for end in "xy"}
    assert len(names) == 2
    assert all(len(name) <= 31 for name in names)


def test_only_cells_that_say_something_else_change_a_row(tmp_path: Path):
    write_sheets(tmp_path / "q.xlsx", {"feed": sheet(a=["new"], b=[None], c=[None])})
    back = read_corrections(tmp_path / "q.xlsx", "feed")
    row = {"a": "old", "b": "", "c": "wrong", "elsewhere": "kept"}
    assert back.mend(1, row) == {"a": "new", "b": "", "c": None, "elsewhere": "kept"}
    assert back.mend(2, row) is None
