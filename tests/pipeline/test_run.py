"""The whole program on small feeds: what comes in comes out, once, and nothing moves that need not."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
from district import PERSONS, ROOT, SOURCES, District, id_number, person, put_resident, whole, write_police

HEAVY = ("great_expectations", "splink", "dlt", "duckdb")
QUIET = """
import sys
from onegrid import cli
code = cli.main(sys.argv[1:])
print(",".join(name for name in {heavy!r} if name in sys.modules) or "light")
sys.exit(code)
"""


def test_every_clean_row_is_a_member_and_the_counts_add_up(district: District) -> None:
    done = district.run()
    assert done.code == 0, done.err
    found = done.summary
    assert set(found["sources"]) == set(SOURCES)
    for source in found["sources"].values():
        assert source["read"] == source["clean"] + source["quarantined"] + source["repeated"]
    registry = district.registry()
    whole(registry)
    for name, source in found["sources"].items():
        assert len(registry.keys(name)) == source["clean"]
    assert found["entities"]["person"] == PERSONS
    assert found["entities"]["place"] == PERSONS // 2
    assert found["changes"]["created"] == sum(found["entities"].values())
    assert (
        registry.code("population", "r025") == registry.code("police", "p025") == registry.code("grid_workers", "g025")
    )
    second_run_changes_nothing(district)
    finds_by_number(district)


def second_run_changes_nothing(district: District) -> None:
    before = district.registry()
    done = district.run()
    assert done.code == 0
    assert set(done.states.values()) == {"unchanged"}
    changes = done.summary["changes"]
    assert changes.pop("untouched") == sum(done.summary["entities"].values())
    assert set(changes.values()) == {0}
    after = district.registry()
    pd.testing.assert_frame_equal(before.members, after.members)
    pd.testing.assert_frame_equal(before.values, after.values)


def finds_by_number(district: District) -> None:
    """A number on standard input leads to its person, drawn without it; one that nobody bears is not found."""
    shown = district.command("show", "-", stdin=id_number(7) + "\n")
    assert shown.code == 0
    assert district.registry().code("population", "r007") in shown.out
    assert id_number(7) not in shown.out + shown.err
    assert district.command("show", "-", stdin="110101190001010014\n").code == 1


def test_a_run_with_nothing_changed_loads_nothing_heavy(district: District) -> None:
    assert district.only("lamps", "shops").run().code == 0
    words = ("run", "--json", "--sources", str(district.sources), "--home", str(district.home))
    began = time.monotonic()
    code = QUIET.format(heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "light"
    assert time.monotonic() - began < 10  # 1.4 s on two idle cores; a heavy import alone is 4 s


def test_a_delta_adds_changes_and_deletes_rows(district: District) -> None:
    district.only("population")
    assert district.run().code == 0
    before = district.registry()
    with sqlite3.connect(district.data("population.sqlite")) as connection:
        put_resident(connection, 40, at="2026-01-06 09:00:00")
        put_resident(connection, 1, at="2026-01-06 09:00:00", lxdh="13955550001", dz=person(9)["address"])
        put_resident(connection, 2, at="2026-01-06 09:00:00", zt="9")
    done = district.run()
    assert done.code == 0, done.err
    counts = done.summary["sources"]["population"]
    assert (counts["read"], counts["clean"], counts["deleted"]) == (3, 3, 1)
    after = district.registry()
    whole(after)
    assert after.keys("population") == before.keys("population") - {"r002"} | {"r040"}
    assert after.code("population", "r001") == before.code("population", "r001")
    assert after.code("population", "r001", "place") == after.code("population", "r009", "place")
    assert after.loads.iloc[-1]["mode"] == "delta"
    changes = done.summary["changes"]
    assert changes["created"] >= 1
    assert changes["retired"] >= 1


def test_rows_gone_from_a_snapshot_leave_and_come_back_under_their_code(district: District) -> None:
    district.only("police")
    assert district.run().code == 0
    before = district.registry()
    write_police(district.data("police.csv"), range(1, 30))
    assert district.run().summary["changes"]["retired"] >= 1
    without = district.registry()
    whole(without)
    assert without.keys("police") == before.keys("police") - {"p000"}
    write_police(district.data("police.csv"))
    assert district.run().code == 0
    again = district.registry()
    assert again.code("police", "p000") == before.code("police", "p000")
    assert again.partition == before.partition


def test_a_load_is_replayed_without_its_source(district: District) -> None:
    district.only("police")
    assert district.run().code == 0
    before = district.registry()
    load = int(before.loads.iloc[-1]["id"])
    district.data("police.csv").unlink()
    done = district.command("replay", str(load), "--sources", str(district.sources))
    assert done.code == 0, done.err
    after = district.registry()
    assert after.loads.iloc[-1][["mode", "state", "read"]].tolist() == ["replay", "staged", 30]
    pd.testing.assert_frame_equal(before.members, after.members)
    missing = district.command("replay", "999", "--sources", str(district.sources))
    assert (missing.code, len(missing.sentences)) == (1, 1)


def test_quarantined_rows_are_listed_exported_corrected_and_flow_on(district: District) -> None:
    district.only("police")
    path = district.data("police.csv")
    path.write_text(path.read_text("utf-8") + "p900,,,,幸福社区9号\n", "utf-8")
    assert district.run().summary["sources"]["police"]["quarantined"] == 1
    assert "p900" in district.command("quarantine", "list").out
    sheet = district.folder / "held.xlsx"
    assert district.command("quarantine", "export", "--out", str(sheet)).code == 0
    assert sheet.stat().st_mode & 0o777 == 0o600
    corrected(sheet, 3, "欧阳娜娜")
    done = district.command("quarantine", "replay", "--from", str(sheet), "--sources", str(district.sources))
    assert done.code == 0, done.err
    assert "1 rows mended, 0 still held back" in done.err
    registry = district.registry()
    whole(registry)
    assert "p900" in registry.keys("police")
    assert len(registry.keys("police")) == 31
    assert district.command("quarantine", "list").out.startswith("nothing to list")


def corrected(path: Path, column: int, text: str) -> None:
    """Writes a cell of the first row of the first sheet, as its owner would."""
    import xlsxwriter
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(path))
    name = book.sheet_names[0]
    rows = book.get_sheet_by_name(name).to_python()
    rows[1][column] = text
    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False}) as changed:
        sheet = changed.add_worksheet(name)
        for place, row in enumerate(rows):
            for at, cell in enumerate(row):
                sheet.write_string(place, at, str(int(cell)) if isinstance(cell, float) else str(cell))


def test_check_prints_what_would_be_and_writes_nothing(district: District) -> None:
    before = contents(district)
    words = [sys.executable, "-m", "onegrid.cli", "check", str(district.sources / "police.yml")]
    done = subprocess.run(
        words, cwd=district.folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert "id_number" in done.stdout
    for place in range(30):
        assert id_number(place) not in done.stdout + done.stderr
    assert contents(district) == before


def contents(district: District) -> dict[Path, int]:
    """Every file beside the server's own, and when it was written."""
    files = [path for path in district.folder.rglob("*") if path.is_file() and "server" not in path.parts]
    return {path: path.stat().st_mtime_ns for path in files}
