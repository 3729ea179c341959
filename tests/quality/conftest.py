"""Source files and landed frames small enough to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from schemas.records import Landed
from schemas.sources import Source, read_source

HEAD = """
name: feed
title: a feed
owner: 区公安分局
level: district
division: "340202004"
"""
RESIDENTS = (Path(__file__).parent / "residents.yml").read_text(encoding="utf-8")
COLUMNS = ("id", "sfzh", "xm", "xb", "csrq", "dh", "dz", "gxsj", "fdxm", "fddh")


@pytest.fixture
def declare(tmp_path: Path) -> Callable[[str], Source]:
    """A source of the given read, maps and bounds."""

    def made(body: str = RESIDENTS) -> Source:
        path = tmp_path / "feed.yml"
        path.write_text(HEAD + body, encoding="utf-8")
        return read_source(path)

    return made


def landed(rows: list[dict[str, str | None]], mode: str = "snapshot", columns: tuple[str, ...] = COLUMNS) -> Landed:
    """A load of the given rows; columns a row leaves out are missing."""
    frame = pd.DataFrame(rows, columns=list(columns)).astype("str")
    return Landed(load=1, source="feed", mode=mode, rows=frame)


@pytest.fixture(name="landed")
def landed_fixture() -> Callable[..., Landed]:
    """`landed` above, for tests that cannot import this file."""
    return landed
