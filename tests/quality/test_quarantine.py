"""Kept sealed, listed without values, corrected in a file, replayed without undoing anything newer."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from onegrid.database import Actor, read_frame
from onegrid.errors import FeedUnreadable
from quality.check import check
from quality.corrections import write_sheets
from quality.quarantine import (
    export_quarantine,
    list_quarantine,
    mark,
    rows_to_replay,
    settle_replay,
)
from registry.quarantine import keep_outcomes
from schemas.records import Checked, Landed

ME = Actor("tester")
NAMELESS = {"id": "1", "dh": "13812345678"}
GOOD = {"id": "2", "sfzh": "11010519491231002X", "xm": "张三"}
BAD_PHONE = GOOD | {"dh": "=1+2"}


@pytest.fixture
def connection(database):
    with database.session(ME) as opened:
        opened.execute(
            text("INSERT INTO source (name, title, owner, level, division, spec) VALUES ('feed', '', '', '', '', '{}')")
        )
        yield opened


@pytest.fixture
def checked(declare, landed):
    def made(rows, load=1, mode="snapshot") -> Checked:
        feed = landed(rows, mode=mode)
        return check(Landed(load, "feed", mode, feed.rows), declare())

    return made


def states(connection) -> list[str]:
    return read_frame(connection, "SELECT state FROM quarantine ORDER BY id")["state"].tolist()


def test_what_is_kept_is_sealed_and_what_is_listed_has_no_values(connection, keyring, checked):
    keep_outcomes(connection, checked([NAMELESS, BAD_PHONE]), keyring)
    listed = list_quarantine(connection, "feed")
    assert listed[["scope", "rules", "state"]].values.tolist() == [
        ["row", "unusable", "open"],
        ["value", "phone_shape", "open"],
    ]
    assert "13812345678" not in listed.to_csv()
    stored = connection.execute(text("SELECT quarantine::text FROM quarantine")).scalars().all()
    assert not any("13812345678" in line or "=1+2" in line for line in stored)


def test_rows_come_back_as_they_were_landed(connection, keyring, checked):
    keep_outcomes(connection, checked([NAMELESS, GOOD]), keyring)
    ids, rows = rows_to_replay(connection, keyring, "feed")
    assert len(ids) == 1
    assert rows.loc[0, ["id", "dh"]].tolist() == ["1", "13812345678"]
    assert rows.drop(columns=["id", "dh"]).isna().all(axis=None)
    assert set(rows.dtypes.astype(str)) == {"str"}


def test_a_replaced_row_is_not_replayed_over_the_newer_one(connection, keyring, checked):
    keep_outcomes(connection, checked([GOOD | {"xm": "旧名"}, GOOD]), keyring)
    assert states(connection) == ["open"]
    assert rows_to_replay(connection, keyring, "feed")[0] == []


def test_a_corrected_file_flows_on(connection, keyring, checked, tmp_path: Path):
    keep_outcomes(connection, checked([NAMELESS, {"id": "3", "dh": "13912345678"}]), keyring)
    out = tmp_path / "q.xlsx"
    assert export_quarantine(connection, keyring, out, "feed") == 2
    header, *rows = CalamineWorkbook.from_path(str(out)).get_sheet_by_name("feed").to_python()
    rows[0][header.index("xm")] = "李四"
    write_sheets(out, {"feed": pd.DataFrame(rows, columns=header)})
    ids, mended = rows_to_replay(connection, keyring, "feed", out)
    assert mended["xm"][0] == "李四"
    assert mended["dh"].tolist() == ["13812345678", "13912345678"]
    settle_replay(connection, ids, checked([NAMELESS | {"xm": "李四"}, {"id": "3", "dh": "13912345678"}], 9, "delta"))
    assert states(connection) == ["mended", "closed"]


def test_the_export_is_text_that_no_sheet_program_runs(connection, keyring, checked, tmp_path: Path):
    keep_outcomes(connection, checked([NAMELESS | {"dz": "=HYPERLINK(1)", "gxsj": "+1"}, BAD_PHONE]), keyring)
    out = tmp_path / "q.xlsx"
    export_quarantine(connection, keyring, out)
    assert out.stat().st_mode & 0o777 == 0o600
    book = CalamineWorkbook.from_path(str(out))
    cells = dict(zip(*book.get_sheet_by_name("feed").to_python(), strict=True))
    assert cells["dz"] == "=HYPERLINK(1)"
    assert "=1+2" in book.get_sheet_by_name("feed.values").to_python()[1]
    import zipfile

    with zipfile.ZipFile(out) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if "worksheets/sheet" in name]
    assert not any(b"<f>" in sheet for sheet in sheets)


def test_a_cell_too_long_for_a_sheet_is_kept_by_us(connection, keyring, checked, tmp_path: Path):
    long = "长" * 40_000
    keep_outcomes(connection, checked([NAMELESS | {"dz": long}]), keyring)
    out = tmp_path / "q.xlsx"
    export_quarantine(connection, keyring, out, "feed")
    assert rows_to_replay(connection, keyring, "feed", out)[1]["dz"].tolist() == [long]


def test_a_file_that_was_not_exported_is_refused(connection, keyring, checked, tmp_path: Path):
    other = tmp_path / "x.xlsx"
    other.write_bytes(b"no workbook")
    with pytest.raises(FeedUnreadable, match="export it again"):
        rows_to_replay(connection, keyring, "feed", other)


def test_marking(connection, keyring, checked):
    keep_outcomes(connection, checked([NAMELESS]), keyring)
    (line,) = list_quarantine(connection)["id"]
    mark(connection, [line], "closed")
    assert list_quarantine(connection).empty
    assert list_quarantine(connection, state="closed")["id"].tolist() == [line]
    with pytest.raises(ValueError, match="no state"):
        mark(connection, [line], "gone")


def test_a_line_keeps_missing_keys_apart_from_empty_ones(connection, keyring, checked):
    keep_outcomes(connection, checked([GOOD | {"id": None}]), keyring)
    assert pd.isna(list_quarantine(connection)["key"][0])


def test_a_correction_in_the_source_file_lets_the_row_flow_without_re_delivery(
    connection, keyring, checked, declare, landed
):
    body = (Path(__file__).parent / "residents.yml").read_text(encoding="utf-8")
    keep_outcomes(connection, checked([{"id": "1", "xm": "无", "dh": "13812345678"}]), keyring)
    ids, rows = rows_to_replay(connection, keyring, "feed")
    again = check(Landed(2, "feed", "delta", rows), declare(body + 'lookups: {xm: {"无": "吴"}}'))
    assert again.records["person"]["name"].tolist() == ["吴"]
    keep_outcomes(connection, again, keyring)
    settle_replay(connection, ids, again)
    assert list_quarantine(connection, state=None)["state"].tolist() == ["mended"]
