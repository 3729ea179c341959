"""Landing: what arrives is byte for byte what was delivered, and what must not count leaves the last good state
alone.
"""

from __future__ import annotations

import errno
import json
import pickle
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import select

import connectors.land
import connectors.landing
from connectors.feed import Feed
from connectors.land import land, read_landed, replay_landing
from onegrid.database import Actor
from onegrid.errors import DiskFull, FeedRefused, FeedUnavailable, FeedUnreadable, HomeError, NotFound, SealError
from onegrid.settings import Settings
from schemas import tables

ACTOR = Actor("test")
CSV = {"kind": "files", "path": "feed.csv", "format": "csv", "key": ["编号"]}


def deliver(tmp_path: Path, rows: int, header: str = "编号,姓名", name: str = "feed.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([header, *(f"{n:04},人{n}" for n in range(rows))]) + "\n", encoding="utf-8")
    return path


def test_headers_and_values_land_byte_for_byte(hub, make_source, tmp_path):
    header = ["编号", "姓名", "身份证号", "Xm", "xm", "备注 "]
    row = ["007", "张三", "340202199003074215", "a", "b", " 有 空格 "]
    (tmp_path / "feed.csv").write_text(f"{','.join(header)}\n{','.join(row)}\n", encoding="utf-8")
    landing = hub.land(make_source(CSV))
    assert landing.state == "landed"
    rows = hub.rows(landing)
    assert list(rows.columns) == header
    assert rows.iloc[0].tolist() == row
    assert set(map(str, rows.dtypes)) == {"str"}


def test_missing_and_empty_stay_apart(hub, make_source, tmp_path):
    (tmp_path / "feed.jsonl").write_text('{"编号": "1", "姓名": null}\n{"编号": "2", "姓名": ""}\n', encoding="utf-8")
    rows = hub.rows(hub.land(make_source({"kind": "files", "path": "feed.jsonl", "key": ["编号"]})))
    assert rows["姓名"].isna().tolist() == [True, False]


def test_a_landed_file_is_sealed(hub, make_source, tmp_path):
    deliver(tmp_path, 5)
    landing = hub.land(make_source(CSV))
    path = tmp_path / "home/landing/feed" / f"{landing.load}.parquet"
    content = path.read_bytes()
    assert "人1".encode() not in content
    assert "姓名".encode() not in content
    path.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    with pytest.raises(SealError):
        hub.rows(landing)


def test_the_same_file_again_is_unchanged_and_touching_it_too(hub, make_source, tmp_path):
    path = deliver(tmp_path, 5)
    source = make_source(CSV)
    assert hub.take(source).state == "landed"
    assert hub.take(source).state == "unchanged"
    path.touch()
    assert hub.take(source).state == "unchanged"
    deliver(tmp_path, 6)
    assert hub.take(source).rows == 6
    assert hub.take(source, reread=True).rows == 6


def test_another_meaning_or_reading_of_the_same_file_lands_it_again(hub, make_source, tmp_path):
    deliver(tmp_path, 5)
    hub.take(make_source(CSV))
    assert hub.take(make_source(CSV, {"name": "姓名", "former_name": "姓名"})).state == "landed"
    assert hub.take(make_source(CSV | {"encoding": "gb18030"} | {"encoding": "utf8"})).state == "landed"


def test_a_sql_snapshot_with_the_same_content_is_unchanged(hub, make_source, tmp_path):
    with sqlite3.connect(tmp_path / "feed.db") as db:
        db.execute("create table resident (编号, 姓名)")
        db.executemany("insert into resident values (?, ?)", [("1", "甲"), ("2", "乙")])
    source = make_source({"kind": "sql", "connection": "sqlite:///feed.db", "table": "resident", "key": ["编号"]})
    assert hub.take(source).rows == 2
    assert hub.take(source).state == "unchanged"
    with sqlite3.connect(tmp_path / "feed.db") as db:
        db.execute("update resident set 姓名 = '丙' where 编号 = '2'")
    assert hub.take(source).rows == 2


def test_new_columns_warn_and_gone_ones_stop_the_source(hub, make_source, tmp_path):
    source = make_source(CSV)
    deliver(tmp_path, 5)
    hub.take(source)
    deliver(tmp_path, 5, "编号,姓名,电话")
    assert any("电话" in warning for warning in hub.take(source).warnings)
    deliver(tmp_path, 5, "编号,姓 名")
    with pytest.raises(FeedRefused, match=r"'姓名'.*nearest header is '姓 名'.*last good state"):
        hub.land(source)
    assert [load["state"] for load in hub.loads()] == ["staged", "staged", "failed"]
    assert "姓名" in hub.loads()[-1]["error"]


def test_a_snapshot_below_half_of_the_last_is_refused_unless_reread(hub, make_source, tmp_path):
    source = make_source(CSV)
    deliver(tmp_path, 10)
    hub.take(source)
    deliver(tmp_path, 5)
    assert hub.take(source).rows == 5
    deliver(tmp_path, 2)
    with pytest.raises(FeedRefused, match=r"2 rows, less than half of the 5 before.*--reread"):
        hub.land(source)
    assert hub.take(source, reread=True).rows == 2


def test_an_empty_feed_is_refused_unless_it_may_be_empty(hub, make_source, tmp_path):
    for name in ("feed.csv", "feed.jsonl"):
        (tmp_path / name).write_text("", encoding="utf-8")
        with pytest.raises(FeedRefused, match=r"the feed is empty"):
            hub.land(make_source({"kind": "files", "path": name, "key": ["编号"]}))
    deliver(tmp_path, 0)
    with pytest.raises(FeedRefused, match=r"the feed is empty"):
        hub.land(make_source(CSV))
    landing = hub.land(make_source(CSV, expect={"rows": {"min": 0}}))
    assert (landing.state, landing.rows, list(hub.rows(landing).columns)) == ("landed", 0, ["编号", "姓名"])


def test_rows_below_the_expected_stop_and_above_warn(hub, make_source, tmp_path):
    deliver(tmp_path, 5)
    with pytest.raises(FeedRefused, match=r"5 rows, below expect.rows.min of 6"):
        hub.land(make_source(CSV, expect={"rows": {"min": 6}}))
    assert any(
        "above expect.rows.max of 4" in w for w in hub.land(make_source(CSV, expect={"rows": {"max": 4}})).warnings
    )


def test_cells_beyond_the_header_are_kept_and_told(hub, make_source, tmp_path):
    (tmp_path / "feed.csv").write_text("编号,姓名\n1,甲\n2,乙,幸福路,3号\n3\n", encoding="utf-8")
    landing = hub.land(make_source(CSV))
    rows = hub.rows(landing)
    assert len(rows) == 3
    assert json.loads(rows["_extra_cells"][1]) == ["幸福路", "3号"]
    assert rows["姓名"].isna().tolist() == [False, False, True]
    assert any("1 rows hold more cells" in warning and "row 2" in warning for warning in landing.warnings)


@pytest.mark.parametrize("state", ["landing", "landed", "checked"])
def test_what_a_killed_run_left_is_given_up_and_read_again(hub, make_source, tmp_path, state):
    deliver(tmp_path, 5)
    source = make_source(CSV)
    killed = hub.land(source)
    hub.set(killed.load, state=state, clean=killed.rows)
    (tmp_path / f"home/landing/feed/{killed.load}.parquet.part").write_bytes(b"half")
    again = hub.take(source)
    assert (again.state, again.rows) == ("landed", 5)
    assert [load["state"] for load in hub.loads()] == ["abandoned", "staged"]
    assert hub.files() == [f"feed/{again.load}.parquet"]


def test_a_run_killed_while_reading_leaves_nothing_that_counts(hub, make_source, tmp_path, monkeypatch):
    deliver(tmp_path, 5)
    source = make_source(CSV)

    def killed(*_: object) -> Feed:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(connectors.land, "read_feed", killed)
        with pytest.raises(KeyboardInterrupt):
            hub.land(source)
    assert [load["state"] for load in hub.loads()] == ["landing"]
    assert hub.take(source).rows == 5
    assert [load["state"] for load in hub.loads()] == ["abandoned", "staged"]


KILLED = """
import os, pickle, signal, sys
from pathlib import Path

import connectors.landing
from connectors.land import land
from onegrid.database import Actor, Database
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from schemas.sources import read_source

url, passwords, name, path, home, when = pickle.loads(sys.stdin.buffer.read())
from onegrid.postgres import Server

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

write = connectors.landing.parquet.write_table
def half(rows, file, **options):
    write(rows, file, **options)
    file.flush()
    die()

if when == "writing":
    connectors.landing.parquet.write_table = half
else:
    import connectors.loads
    connectors.loads.finish = die
database = Database(Server(url, passwords), name)
land(read_source(Path(path)), database, Keyring.of(bytes(range(32))), Settings(Path(home)), Actor("test"))
"""


@pytest.mark.parametrize(("when", "left"), [("writing", ".parquet.part"), ("written", ".parquet")])
def test_kill_9_while_landing_then_again(hub, make_source, tmp_path, when, left):
    deliver(tmp_path, 5)
    source = make_source(CSV)
    server = hub.database.server
    told = (server.url, dict(server.passwords), hub.database.name, str(source.file), str(hub.settings.home), when)
    killed = subprocess.run([sys.executable, "-c", KILLED], input=pickle.dumps(told), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [load["state"] for load in hub.loads()] == ["landing"]
    assert [file.endswith(left) for file in hub.files()] == [True]
    again = hub.take(source)
    assert (again.rows, hub.files()) == (5, [f"feed/{again.load}.parquet"])
    assert [load["state"] for load in hub.loads()] == ["abandoned", "staged"]


def test_a_failed_read_is_kept_as_a_sentence_and_the_next_one_completes(hub, make_source, tmp_path):
    source = make_source(CSV)
    with pytest.raises(FeedUnavailable, match=r"feed.csv is not there"):
        hub.land(source)
    (tmp_path / "feed.csv").write_bytes("编号,姓名\n1,张三\n".encode("gb18030"))
    with pytest.raises(FeedUnreadable, match=r"feed.csv, line 1: is not utf-8; declare encoding: gb18030"):
        hub.land(source)
    deliver(tmp_path, 3)
    assert hub.take(source).rows == 3
    assert [load["state"] for load in hub.loads()] == ["failed", "failed", "staged"]
    assert all("张三" not in (load["error"] or "") for load in hub.loads())


def test_several_files_are_one_feed(hub, make_source, tmp_path):
    deliver(tmp_path, 2, "编号,姓名", "a-1.csv")
    deliver(tmp_path, 3, "编号,姓名,电话", "a-2.csv")
    source = make_source(CSV | {"path": "a-*.csv"})
    assert hub.take(source).rows == 5
    (tmp_path / "a-1.csv").unlink()
    assert hub.take(source).rows == 3


def test_a_landing_url_of_another_file_system(database, keyring, make_source, tmp_path):
    deliver(tmp_path, 3)
    settings = Settings(home=tmp_path / "home", landing="memory://landed")
    landing = land(make_source(CSV), database, keyring, settings, Actor("test"))
    assert len(read_landed(landing.load, database, keyring, settings).rows) == 3
    assert not (tmp_path / "home").exists()


def test_a_landing_folder_that_cannot_be_made_is_one_sentence(hub, make_source, tmp_path):
    deliver(tmp_path, 3)
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(HomeError, match=r"cannot be written"):
        hub.land(make_source(CSV))
    assert [load["state"] for load in hub.loads()] == ["failed"]


def test_a_full_disk_leaves_no_half_file(hub, make_source, tmp_path, monkeypatch):
    deliver(tmp_path, 3)

    def full(_: object, file: BinaryIO, **__: object) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(connectors.landing.parquet, "write_table", full)
        with pytest.raises(DiskFull, match="no room left"):
            hub.land(make_source(CSV))
    assert hub.files() == []
    assert hub.take(make_source(CSV)).rows == 3
    assert [load["state"] for load in hub.loads()] == ["failed", "staged"]


def test_a_replay_reads_the_same_rows_without_the_source(hub, make_source, tmp_path):
    path = deliver(tmp_path, 3)
    source = make_source(CSV)
    first = hub.take(source)
    deliver(tmp_path, 4)
    second = hub.take(source)
    path.unlink()
    replay = replay_landing(first.load, hub.database, ACTOR)
    assert (replay.state, replay.mode, replay.rows) == ("landed", "replay", 3)
    assert hub.rows(replay).equals(hub.rows(first))
    hub.set(replay.load, state="staged", clean=3, current_rows=3)
    deliver(tmp_path, 4)
    again = hub.take(source)  # the registry was put back, so the same delivery is news again
    assert (again.state, again.rows) == ("landed", second.rows)
    hub.set(replay.load, state="landed")
    hub.land(source)
    assert f"feed/{first.load}.parquet" in hub.files()  # a replay given up takes no other load's file with it
    with pytest.raises(NotFound, match="Load 99"):
        replay_landing(99, hub.database, ACTOR)


def test_a_load_that_is_not_there(hub):
    with pytest.raises(NotFound, match=r"Load 99"):
        connectors.land.read_landed(99, hub.database, hub.keyring, hub.settings)


def test_what_a_source_file_says_is_declared_without_its_secrets(hub, make_source):
    source = make_source({"kind": "sql", "connection": "postgresql://reader:geheim@localhost:1/x", "table": "t"})
    with pytest.raises(FeedUnavailable) as told:
        hub.land(source)
    with hub.database.session(connectors.land.READER) as connection:
        spec = connection.execute(select(tables.source.c.spec)).scalar_one()
    assert spec["read"]["connection"] == "postgresql://reader:***@localhost:1/x"
    assert "geheim" not in str(told.value) + json.dumps(spec)
