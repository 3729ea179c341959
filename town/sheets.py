"""Workbooks, written so that the same rows make the same bytes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd


def write_sheet(path: Path, rows: pd.DataFrame, title: str | None = None) -> None:
    """One sheet: an optional title in the first row, then the header, then the rows; missing cells stay empty."""
    from xlsxwriter import Workbook

    book = Workbook(
        str(path),
        {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False},
    )
    book.set_properties({"created": datetime(2025, 10, 31)})  # noqa: DTZ001 - a fixed date, so that the bytes repeat
    sheet = book.add_worksheet("台账")
    top = 0
    if title:
        sheet.write_string(0, 0, title)
        top = 1
    for column, name in enumerate(rows.columns):
        sheet.write_string(top, column, str(name))
    cells = rows.astype(object).where(rows.notna(), None)
    for line, values in enumerate(cells.itertuples(index=False, name=None), start=top + 1):
        for column, value in enumerate(values):
            if value is None:
                continue
            if isinstance(value, str):
                sheet.write_string(line, column, value)
            else:
                sheet.write_number(line, column, value)
    book.close()
