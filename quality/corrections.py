"""The xlsx that goes to a feed's owner and comes back corrected."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from onegrid.errors import FeedUnreadable

LINE = "隔离编号 line"  # the quarantine line a sheet's row belongs to; always the first column
EXTRA = 2  # columns before the feed's own: the line and its reasons
LONGEST_NAME = 31  # characters of a sheet's name, Excel's limit
MOST_ROWS = 1_000_000  # rows of a sheet below its header; Excel's limit is 1,048,576
LONGEST_CELL = 32_767  # characters, Excel's limit; longer cells stay with us and are put back on the way in
TOO_LONG = "（内容过长，保留原值 kept as it was: too long for a cell）"
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # what a sheet program may take for a formula (OWASP, CSV injection)


@dataclass(frozen=True)
class Corrections:
    """What an exported file says now: {line id: {feed column: text, missing where the cell is empty}}."""

    rows: Mapping[int, Mapping[str, str | None]]

    def mend(self, line: int, row: Mapping[str, str | None]) -> dict[str, str | None] | None:
        """The row with the file's cells; None when the file does not hold it; columns it lacks stay."""
        cells = self.rows.get(line)
        if cells is None:
            return None
        return {name: _mended(text, cells.get(name, text)) for name, text in row.items()}


def _mended(was: str | None, now: str | None) -> str | None:
    if now == TOO_LONG or (now is None and not (was or "").strip()):
        return was
    return now


def sheet_name(source: str, part: str = "") -> str:
    """The name of a source's sheet, within Excel's 31 characters; the same on the way out and in."""
    name = source + part
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(source.encode(), digest_size=4).hexdigest()
    return f"{source[: LONGEST_NAME - len(part) - len(digest) - 1]}~{digest}{part}"


def write_sheets(out: Path, sheets: Mapping[str, pd.DataFrame]) -> None:
    """Write each frame as a sheet of text cells (mode 0600), formulas and links off, long cells replaced by a note.

    A frame longer than a sheet can be goes on in the sheets `NAME.2`, `NAME.3` and so on; no row is left out.
    """
    import xlsxwriter

    os.close(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    out.chmod(0o600)
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(out), options) as book:
        plain = book.add_format({"num_format": "@"})
        quoted = book.add_format({"num_format": "@", "quote_prefix": True})
        for name, frame in sheets.items() or {"empty": pd.DataFrame()}.items():
            for number, first in enumerate(range(0, max(len(frame), 1), MOST_ROWS), start=1):
                sheet = book.add_worksheet(name if number == 1 else f"{name}.{number}")
                sheet.freeze_panes(1, EXTRA)
                _write_rows(sheet, frame.iloc[first : first + MOST_ROWS], (plain, quoted))


def _write_rows(sheet: Any, frame: pd.DataFrame, formats: tuple[Any, Any]) -> None:
    cells = [
        [None if pd.isna(value) else str(value) for value in frame.iloc[:, place]] for place in range(frame.shape[1])
    ]
    for row, texts in enumerate([[str(name) for name in frame.columns], *zip(*cells, strict=True)]):
        for place, cell in enumerate(texts):
            if cell is not None:
                text = cell if len(cell) <= LONGEST_CELL else TOO_LONG
                sheet.write_string(row, place, text, formats[text.startswith(DANGEROUS)])


def read_corrections(path: Path, source: str) -> Corrections:
    """The sheet of `source` in an exported file. FeedUnreadable when it is no such file."""
    from python_calamine import CalamineError, CalamineWorkbook

    name = sheet_name(source)
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [book.get_sheet_by_name(name).to_python()]
        sheets += [book.get_sheet_by_name(other).to_python() for other in book.sheet_names if _goes_on(other, name)]
    except (CalamineError, OSError, ValueError) as error:
        raise FeedUnreadable(
            f"{path}: is no exported quarantine with a sheet {name} ({type(error).__name__}); "
            "export it again with `onegrid quarantine export`, correct its cells and keep the sheet's name."
        ) from None
    rows: dict[int, Mapping[str, str | None]] = {}
    for sheet in sheets:
        rows.update(_rows(path, name, sheet))
    return Corrections(rows)


def _goes_on(name: str, first: str) -> bool:
    return name.startswith(f"{first}.") and name.removeprefix(f"{first}.").isdigit()


def _rows(path: Path, name: str, sheet: list[list[Any]]) -> dict[int, Mapping[str, str | None]]:
    header = [str(cell) for cell in sheet[0]] if sheet else []
    if header[:1] != [LINE]:
        raise FeedUnreadable(f"{path}, sheet {name}, line 1: the first column must be {LINE}, as it was exported.")
    return {
        _line(path, at, cells[0]): dict(zip(header[EXTRA:], map(_text, cells[EXTRA:]), strict=False))
        for at, cells in enumerate(sheet[1:], start=2)
        if _text(cells[0])
    }


def _line(path: Path, at: int, cell: object) -> int:
    try:
        return int(_text(cell) or "")
    except ValueError:
        raise FeedUnreadable(
            f"{path}, line {at}: the column {LINE} must hold the number it was exported with."
        ) from None


def _text(cell: object) -> str | None:
    """The cell as text: whole numbers without a decimal point, missing when empty."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell) if str(cell) != "" else None
