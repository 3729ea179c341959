"""Keeping house: back-ups that can be brought back, and landed loads that end when nothing needs them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from district import ACTOR, District, write_police

from onegrid.cluster import Cluster
from onegrid.pipeline import open_hub
from onegrid.settings import Settings
from onegrid.upkeep import BACKUPS_KEPT, LANDED_FOR, back_up, forget_landed


def test_a_back_up_holds_the_registry_and_no_number(district: District, tmp_path: Path) -> None:
    assert district.only("police").run().code == 0
    with open_hub(Settings(district.home), ACTOR, lambda _: None) as hub:
        path = back_up(hub)
    assert path is not None
    assert path.stat().st_mode & 0o077 == 0
    program = Cluster.below(district.home).programs / "pg_restore"
    told = subprocess.run([str(program), "--file=-", str(path)], capture_output=True, text=True, check=True).stdout
    members = told.split("COPY public.membership ", 1)[1].split("\n\\.", 1)[0]
    assert members.count("\n") == len(district.query("SELECT record FROM membership"))
    assert "34020219500" not in told


def test_the_newest_few_back_ups_are_kept(district: District) -> None:
    folder = district.home / "backups"
    folder.mkdir()
    for day in range(BACKUPS_KEPT + 3):
        (folder / f"registry-2026-01-{day + 1:02}T000000.dump").write_text("old")
    with open_hub(Settings(district.home), ACTOR, lambda _: None) as hub:
        newest = back_up(hub)
    left = sorted(folder.iterdir())
    assert len(left) == BACKUPS_KEPT
    assert left[-1] == newest


def test_a_failed_back_up_leaves_the_last_one_and_says_why(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_hub(Settings(district.home), ACTOR, lambda _: None) as hub:
        first = back_up(hub)
        monkeypatch.setenv("PGOPTIONS", "-c no_such_option=1")
        with pytest.raises(Exception, match=r"pg_dump ended with 1 \(pg_dump: error.*the last back-up stands"):
            back_up(hub)
    assert list((district.home / "backups").iterdir()) == [first]


def test_old_landed_loads_end_but_not_those_that_are_needed(district: District) -> None:
    police = district.only("police").data("police.csv")
    for places in (range(28), range(29), range(30)):
        write_police(police, places)
        assert district.run().code == 0
    later = datetime.now(UTC) + LANDED_FOR + timedelta(days=1)
    folder = district.home / "landing" / "police"
    with open_hub(Settings(district.home), ACTOR, lambda _: None) as hub:
        assert forget_landed(hub) == 0
        assert len(list(folder.glob("*.parquet"))) == 3
        assert forget_landed(hub, later) == 2
        assert forget_landed(hub, later) == 0
    loads = district.query("SELECT id, path, wrapped_key FROM load ORDER BY id")
    assert loads["wrapped_key"].notna().tolist() == [False, False, True]
    assert [path.stem for path in folder.glob("*.parquet")] == [str(loads["id"].iloc[-1])]
    again = district.run()
    assert again.summary["sources"]["police"]["state"] == "unchanged"
