"""One small town for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from town.build import build
from town.world import World, build_world

SCALE, SEED = 0.02, 7


@pytest.fixture(scope="session")
def world() -> World:
    """The truth of a fiftieth of the street."""
    return build_world(SCALE, SEED)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its feeds and truth on the first day; read only."""
    folder = tmp_path_factory.mktemp("town")
    build(SCALE, SEED, folder)
    return folder
