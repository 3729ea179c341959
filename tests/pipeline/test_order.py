"""The law of order: the same feeds, delivered in another order, end in the same entities up to the naming of codes.

Values may differ: where a record bears no date of its own, the feed that was delivered last is the newest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from district import District

from town import build

SCALE = 0.01  # errors enough that matching has ties to break


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    build(SCALE, 7, folder)
    return folder


def turned_round(town: Path) -> Path:
    """The town's source files under names that sort the other way round: sources are read in the order of their files."""
    other = town / "turned"
    shutil.copytree(town / "sources", other)
    files = sorted(other.iterdir())
    for place, path in enumerate(files):
        path.rename(other / f"{len(files) - place:02}_{path.name}")
    return other


@pytest.mark.slow
def test_the_order_of_delivery_changes_nothing_but_codes(town: Path, make_district: Callable[[], District]) -> None:
    found = []
    for sources in (town / "sources", turned_round(town)):
        district = make_district()
        done = district.command("run", "--json", "--sources", str(sources))
        assert done.code == 0, done.err
        found.append(district.registry())
    assert found[0].partition == found[1].partition
