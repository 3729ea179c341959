"""Whether personal numbers show where none may: ten thousand of a town's id and phone numbers, searched for in every log
and in every cell of Airflow's database.

python -m bench.planted --home HOME --town TOWN, after the town's feeds went through `onegrid up` or `onegrid demo`.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg

from onegrid.database import open_database
from onegrid.settings import read_settings

WANTED = 10_000
NUMBER = re.compile(r"(?<![0-9])(?:[1-9][0-9]{16}[0-9Xx]|1[3-9][0-9]{9})(?![0-9])")


def planted(town: Path) -> set[str]:
    """Id and phone numbers that the feeds of the town hold, as they are written there."""
    data = town / "data"
    texts = [path.read_text("utf-8", "replace") for path in sorted(data.glob("*.jsonl"))]
    with sqlite3.connect(data / "population.sqlite") as feed:
        names = [name for (name,) in feed.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        texts += [str(feed.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names]
    found = sorted({number for text in texts for number in NUMBER.findall(text)})
    return set(random.Random(7).sample(found, min(WANTED, len(found))))


def searched(home: Path) -> Iterator[tuple[str, str]]:
    """Every log of the hub, of Airflow's tasks and of the database, and every column of Airflow's database."""
    for folder in (home / "logs", home / "airflow" / "logs", home / "database" / "server" / "log"):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path.relative_to(home)), path.read_text("utf-8", "replace")
    with open_database(read_settings(home)) as database:
        url = database.airflow_url.set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            columns = connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            ).fetchall()
            for table, column in columns:
                cell = connection.execute(f'SELECT string_agg("{column}"::text, chr(10)) FROM "{table}"').fetchone()
                yield f"{table}.{column}", (cell[0] if cell else None) or ""


def main() -> None:
    """Print how much was searched, and where numbers showed; exit 1 when they did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--town", type=Path, required=True)
    chosen = parser.parse_args()
    numbers = planted(chosen.town)
    places, size, shown = 0, 0, []
    for name, text in searched(chosen.home):
        places, size = places + 1, size + len(text)
        shown += [name] if numbers.intersection(NUMBER.findall(text)) else []
    print(json.dumps({"numbers": len(numbers), "places": places, "characters": size, "shown_in": shown}))
    raise SystemExit(bool(shown))


if __name__ == "__main__":
    main()
