"""Spreadsheets by python-calamine: cells as text, a typed cell as it means (3.0 is 3, dates are ISO text)."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from connectors.opened import FeedFile
from connectors.text import checked_header, table_of_rows
from onegrid.errors import FeedUnreadable
from schemas.sources import nearest

EXACT = 2**53  # whole numbers a double holds without loss; longer ones are taken from the file's own text
CELL = re.compile(rb'<c r="([A-Z]+)([0-9]+)"[^>]*>\s*<v>([0-9]{16,})</v>')


def xlsx_table(file: FeedFile, sheet: str | int, header: int) -> pa.Table | None:
    """The rows of one sheet below the header row (from 1); None when the sheet is empty.

    Rows in which no cell holds anything are no rows. FeedUnreadable when the file is cut off, locked, or lacks the
    sheet.
    """
    with file.open() as raw:
        content = raw.read()
    try:
        page = _sheet(CalamineWorkbook.from_filelike(io.BytesIO(content)), file.name, sheet)
        rows = page.to_python(skip_empty_area=False)
    except PasswordError:
        raise FeedUnreadable(f"{file.name}: is locked by a password; deliver it without one") from None
    except CalamineError:
        raise FeedUnreadable(
            f"{file.name}: is no whole xlsx file, it may have been cut off; deliver it again"
        ) from None
    if not rows:
        return None
    if len(rows) < header:
        raise FeedUnreadable(f"{file.name}: has {len(rows)} rows, so none is number {header}; correct read.header")
    _restore_long_numbers(rows, content, page.name)
    names = checked_header(rows[header - 1], file.name)
    filled = [
        [None if cell == "" else cell for cell in row] for row in rows[header:] if any(cell != "" for cell in row)
    ]
    return table_of_rows(names, filled)


def _sheet(book: CalamineWorkbook, file: str, sheet: str | int) -> CalamineSheet:
    names = book.sheet_names
    if isinstance(sheet, int) and sheet < len(names):
        return book.get_sheet_by_index(sheet)
    if isinstance(sheet, str) and sheet in names:
        return book.get_sheet_by_name(sheet)
    near = nearest(str(sheet), names)
    hint = f"; did you mean {near}?" if near else ""
    raise FeedUnreadable(f"{file}: has no sheet {sheet}{hint} It has {', '.join(names)}; correct read.sheet")


def _restore_long_numbers(rows: list[list[Any]], content: bytes, sheet: str) -> None:
    """Puts back numbers of 16 and more digits that the file holds in full but a double cannot: ids typed as numbers."""
    if not any(type(cell) is float and abs(cell) >= EXACT for row in rows for cell in row):
        return
    for column, row, digits in CELL.findall(_sheet_xml(content, sheet)):
        place = _column_number(column)
        if int(row) <= len(rows) and place < len(rows[int(row) - 1]) and type(rows[int(row) - 1][place]) is float:
            rows[int(row) - 1][place] = digits.decode()


def _sheet_xml(content: bytes, sheet: str) -> bytes:
    """The XML of one sheet, by the workbook's list of sheets and its relations (ECMA-376 part 1, 18.2.20)."""
    from xml.sax.saxutils import escape

    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        listed = parts.read("xl/workbook.xml").decode("utf-8", "replace")
        found = re.search(
            rf'<sheet [^>]*name="{re.escape(escape(sheet, {chr(34): "&quot;"}))}"[^>]*r:id="([^"]+)"', listed
        )
        relations = parts.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        for relation in re.findall(r"<Relationship [^>]*>", relations):
            target = re.search(r'Target="/?(?:xl/)?([^"]+)"', relation)
            if found and target and f'Id="{found[1]}"' in relation:
                return parts.read(f"xl/{target[1]}")
    return b""


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
