"""Settings: what the command line and the environment say, and in which order."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from onegrid.errors import SettingsError
from onegrid.settings import default_home, read_settings

URL = "postgresql://setup:secret@db.example/postgres"


def test_nothing_set_means_the_embedded_database() -> None:
    found = read_settings(Path("/srv/hub"), {})
    assert found.database_url is None
    assert found.landing_url == "/srv/hub/landing"
    assert found.master_key == Path("/srv/hub/keys/master.key")


def test_the_command_line_comes_before_the_environment() -> None:
    assert read_settings(Path("/srv/one"), {"ONEGRID_HOME": "/srv/two"}).home == Path("/srv/one")
    assert read_settings(None, {"ONEGRID_HOME": "/srv/two"}).home == Path("/srv/two")


def test_a_relative_home_does_not_follow_later_changes_of_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_settings(Path("hub"), {}).home == tmp_path / "hub"


def test_landing_and_key_may_lie_elsewhere() -> None:
    found = read_settings(Path("/srv/hub"), {"ONEGRID_LANDING": "s3://bucket/landed", "ONEGRID_KEY_FILE": "/run/key"})
    assert found.landing_url == "s3://bucket/landed"
    assert found.master_key == Path("/run/key")


def test_the_home_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_home({}) == Path("/var/lib/onegrid")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert default_home({"XDG_DATA_HOME": "/data/me"}) == Path("/data/me/onegrid")


def test_the_database_from_the_environment_or_from_a_secret_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(f"{URL}\n")
    assert read_settings(tmp_path, {"ONEGRID_DATABASE_URL": URL}).database_url == URL
    assert read_settings(tmp_path, {"ONEGRID_DATABASE_URL_FILE": str(secret)}).database_url == URL
    assert read_settings(tmp_path, {"ONEGRID_DATABASE_URL": "", "ONEGRID_DATABASE_URL_FILE": ""}).database_url is None


def test_two_ways_to_name_the_database_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text(URL)
    with pytest.raises(SettingsError, match="both set") as refused:
        read_settings(tmp_path, {"ONEGRID_DATABASE_URL": URL, "ONEGRID_DATABASE_URL_FILE": str(secret)})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_a_secret_file_that_is_missing_empty_or_no_text_is_named(tmp_path: Path, content: bytes | None) -> None:
    secret = tmp_path / "url"
    if content is not None:
        secret.write_bytes(content)
    with pytest.raises(SettingsError, match=str(secret)):
        read_settings(tmp_path, {"ONEGRID_DATABASE_URL_FILE": str(secret)})


def test_people_are_compared_here_unless_a_cluster_is_named() -> None:
    assert read_settings(Path("/srv/hub"), {}).engine == "local"
    found = read_settings(
        None,
        {"ONEGRID_ENGINE": "spark", "ONEGRID_SPARK_MASTER": "spark://m:7077", "ONEGRID_SPARK_FOLDER": "/mnt/shared"},
    )
    assert (found.engine, found.spark_master, found.spark_folder) == ("spark", "spark://m:7077", Path("/mnt/shared"))


def test_an_engine_there_is_none_of_is_refused() -> None:
    with pytest.raises(SettingsError, match="local, spark"):
        read_settings(None, {"ONEGRID_ENGINE": "flink"})
