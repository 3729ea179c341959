"""The town on a day is a pure function of scale, seed and day, and every day changes little."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from bench.feeds import read_feed, read_people
from onegrid.errors import SettingsError
from schemas.source_yaml import read_yaml
from schemas.sources import read_sources
from town import build, next_day

SCALE, SEED = 0.02, 7


def digests(folder: Path) -> dict[str, str]:
    files = [path for part in ("data", "truth") for path in sorted((folder / part).rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_scale_and_seed_make_the_same_bytes(town: Path, tmp_path: Path) -> None:
    build(SCALE, SEED, tmp_path)
    assert digests(tmp_path) == digests(town)


def test_another_seed_makes_another_town(town: Path, tmp_path: Path) -> None:
    build(SCALE, SEED + 1, tmp_path)
    assert digests(tmp_path)["data/app_users.csv"] != digests(town)["data/app_users.csv"]


def test_walking_to_a_day_equals_building_it(tmp_path: Path) -> None:
    walked, built = tmp_path / "walked", tmp_path / "built"
    build(SCALE, SEED, walked)
    next_day(walked)
    next_day(walked)
    build(SCALE, SEED, built, day=2)
    assert digests(walked) == digests(built)


def test_a_day_changes_about_one_row_in_a_hundred(town: Path, tmp_path: Path) -> None:
    build(SCALE, SEED, tmp_path, day=1)
    before, after = (
        set(read_people(folder).fillna("").itertuples(index=False, name=None)) for folder in (town, tmp_path)
    )
    touched = len(before - after) + len(after - before)
    assert 0.005 * len(before) < touched < 0.03 * len(before)
    keys = [{row[:3] for row in rows} for rows in (before, after)]
    assert keys[0] - keys[1], "some rows are withdrawn"
    assert keys[1] - keys[0], "some are added"


def test_a_changed_row_of_the_population_is_newer(town: Path, tmp_path: Path) -> None:
    build(SCALE, SEED, tmp_path, day=1)
    frames = []
    for folder in (town, tmp_path):
        read = read_yaml(folder / "sources" / "population.yml").plain()["read"]
        frames.append(read_feed(read, folder / "sources").drop_duplicates("rid").set_index("rid"))
    before, after = frames
    both = before.index.intersection(after.index)
    changed = (before.loc[both].fillna("") != after.loc[both].fillna("")).any(axis=1)
    assert changed.any()
    assert (after.loc[both].loc[changed, "updated_at"] > before.loc[both].loc[changed, "updated_at"]).all()


def test_every_source_file_is_understood(town: Path) -> None:
    sources, errors = read_sources(town / "sources")
    assert not errors
    assert {source.level for source in sources} == {"district", "street", "community", "grid"}
    assert {source.read.kind for source in sources} == {"sql", "files"}


def test_a_folder_without_a_town_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no town"):
        next_day(tmp_path)


def test_the_truth_has_a_line_for_every_person_row_that_says_something(town: Path) -> None:
    truth = pd.read_parquet(town / "truth" / "records.parquet")
    truth = truth[truth["person"].notna()]
    keys = ["source", "key", "role"]
    assert not truth.duplicated(keys).any()
    people = read_people(town)
    joined = people.merge(truth[keys], on=keys, how="outer", indicator=True)
    unlabelled = joined[joined["_merge"] == "left_only"]
    assert not (joined["_merge"] == "right_only").any()
    assert set(unlabelled["source"]) <= {"population"}, "only rows marked deleted have no truth"
