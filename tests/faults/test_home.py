"""Bad days of the home and the database: one sentence, a non-zero exit, and the next run goes on from there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from district import District, whole, write_shops

ROOT = os.geteuid() == 0


def fails(district: District, code: int, *words: str) -> None:
    done = district.run()
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    (sentence,) = done.sentences
    for word in words:
        assert word in sentence


def test_the_database_is_missing(make_district: Callable[[], District]) -> None:
    district = make_district()
    district.environ["ONEGRID_DATABASE_URL"] = f"postgresql+psycopg://someone:secret@/postgres?host={district.folder}"
    fails(district, 3, "does not answer")


def test_the_database_refuses_the_password(district: District) -> None:
    with district.database() as database:
        url = database.server.url.set(password="notthis")
        district.environ["ONEGRID_DATABASE_URL"] = url.render_as_string(hide_password=False)
        elsewhere = District(district.folder, district.folder / "other", district.environ)
        done = elsewhere.run()
    assert done.code == 3
    (sentence,) = done.sentences
    assert "refuses the role or its password" in sentence
    assert "ONEGRID_DATABASE_URL" in sentence
    assert "notthis" not in sentence


def test_the_home_is_a_file(make_district: Callable[[], District]) -> None:
    district = make_district()
    district.home = district.data("shops.jsonl")
    fails(district, 2, "cannot be used", "--home")


def test_the_home_cannot_be_written(make_district: Callable[[], District]) -> None:
    district = make_district()
    closed = district.folder / "closed"
    closed.mkdir(mode=0o555)
    district.home = (Path("/sys") if ROOT else closed) / "home"
    fails(district, 2, "cannot be used", "--home")


@pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")
def test_the_home_cannot_be_reached_by_the_servers_user(make_district: Callable[[], District]) -> None:
    district = make_district()
    closed = district.folder / "closed"
    closed.mkdir(mode=0o700)
    district.home = closed / "home"
    fails(district, 2, str(closed), "chmod o+x")
    assert closed.stat().st_mode & 0o777 == 0o700


def test_landing_cannot_be_written(district: District) -> None:
    """The whole run stops, for every source lands there; what was published stands, and the next run goes on."""
    district.only("lamps", "shops")
    assert district.run().code == 0
    write_shops(district.data("shops.jsonl"), 21)
    shutil.move(district.home / "landing", district.home / "away")
    (district.home / "landing").write_text("no folder")
    fails(district, 2, "landing", "cannot be written")
    assert len(district.registry().keys("shops")) == 20
    (district.home / "landing").unlink()
    shutil.move(district.home / "away", district.home / "landing")
    assert district.run().code == 0
    registry = district.registry()
    whole(registry)
    assert len(registry.keys("shops")) == 21


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 4 MB."""
    path = Path(tempfile.mkdtemp(prefix="onegrid-test-"))
    if not ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(path)], check=False).returncode:
        path.rmdir()
        pytest.skip("this user may not mount a small disk")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
    path.rmdir()


def test_the_disk_of_landing_is_full(district: District, small_disk: Path) -> None:
    district.only("lamps", "shops").environ["ONEGRID_LANDING"] = str(small_disk)
    assert district.run().code == 0
    write_shops(district.data("shops.jsonl"), 21)
    (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
    fails(district, 3, "no room left", str(small_disk))
    assert len(district.registry().keys("shops")) == 20
    assert not list(small_disk.rglob("*.part"))
    (small_disk / "ballast").unlink()
    assert district.run().code == 0
    registry = district.registry()
    whole(registry)
    assert len(registry.keys("shops")) == 21
