"""Source files written for a test, and a hub to land them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from sqlalchemy import select, update

from connectors.land import Landing, land, read_landed
from onegrid.database import Actor, Database
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from schemas import tables
from schemas.sources import Source, read_source

ACTOR = Actor("test")
MakeSource = Callable[..., Source]


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    """A source file below tmp_path from its `read` and some other parts, read back."""

    def make(read: dict[str, Any], columns: dict[str, Any] | None = None, name: str = "feed", **parts: Any) -> Source:
        spec = {
            "name": name,
            "title": name,
            "owner": "区民政局",
            "level": "district",
            "division": "340202",
            "read": read,
            "maps": {"person": columns or {"name": "姓名"}},
            **parts,
        }
        path = tmp_path / f"{name}.yml"
        path.write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
        return read_source(path)

    return make


@dataclass
class Hub:
    """A database, keys and a landing folder; `take` lands a source and lets the registry take it in."""

    database: Database
    keyring: Keyring
    settings: Settings

    def land(self, source: Source, *, reread: bool = False) -> Landing:
        return land(source, self.database, self.keyring, self.settings, ACTOR, reread=reread)

    def rows(self, landing: Landing) -> pd.DataFrame:
        return read_landed(landing.load, self.database, self.keyring, self.settings).rows

    def take(self, source: Source, *, reread: bool = False) -> Landing:
        landing = self.land(source, reread=reread)
        if landing.state == "landed":
            self.set(landing.load, state="staged", clean=landing.rows, current_rows=landing.rows)
        return landing

    def set(self, load: int, **values: Any) -> None:
        with self.database.session(ACTOR) as connection:
            connection.execute(update(tables.load).where(tables.load.c.id == load).values(**values))

    def loads(self) -> list[dict[str, Any]]:
        with self.database.session(ACTOR) as connection:
            return [dict(row) for row in connection.execute(select(tables.load).order_by(tables.load.c.id)).mappings()]

    def files(self) -> list[str]:
        root = self.settings.home / "landing"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.fixture
def hub(database: Database, keyring: Keyring, tmp_path: Path) -> Hub:
    """An empty hub with its landing below tmp_path."""
    return Hub(database, keyring, Settings(home=tmp_path / "home"))
