"""Write the town: every feed with its source file, and the truth apart from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import yaml

from onegrid.errors import SettingsError

Progress = Callable[[str], None]


def build(scale: float, seed: int, out: Path, day: int = 0, tell: Progress | None = None) -> dict[str, int]:
    """Write the town of (scale, seed) on a day below `out`: sources/, data/ and truth/. Returns rows by feed.

    scale: 1 is the whole street, 0.01 the smallest that makes sense. day: 0 is the first. Files are rewritten in place.
    """
    from town.draw import stream
    from town.feed import compose
    from town.feeds import FEEDS
    from town.truth import records, write_truth
    from town.world import build_world

    world, sources, data = build_world(scale, seed), out / "sources", out / "data"
    for folder in (sources, data):
        folder.mkdir(parents=True, exist_ok=True)
    counts, labelled = {}, []
    for feed in FEEDS:
        rows = compose(feed, world, day)
        labelled.append(records(feed, rows, world))
        feed.save(rows[[c for c in rows.columns if not c.startswith("_")]], data, stream(seed, feed.name, "save"))
        spec = {"name": feed.name, **feed.spec(world, data)}
        (sources / f"{feed.name}.yml").write_text(
            yaml.safe_dump(spec, allow_unicode=True, sort_keys=False, width=200), encoding="utf-8"
        )
        counts[feed.name] = len(rows)
        if tell:
            tell(f"{feed.name}: {len(rows)} rows")
    write_truth(out / "truth", labelled, world, day)
    (out / "truth" / "town.json").write_text(
        json.dumps({"scale": scale, "seed": seed, "day": day, "rows": counts}), encoding="utf-8"
    )
    return counts


def next_day(out: Path, day: int | None = None, tell: Progress | None = None) -> dict[str, int]:
    """Take the town below `out` to a day (by default the next): about 1 % of the rows changed, added or withdrawn. Returns rows by feed."""
    state = out / "truth" / "town.json"
    if not state.exists():
        raise SettingsError(f"{out} holds no town; make one with python -m town --out {out}")
    known = json.loads(state.read_text(encoding="utf-8"))
    return build(known["scale"], known["seed"], out, known["day"] + 1 if day is None else day, tell)
