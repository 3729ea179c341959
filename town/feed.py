"""A feed: the entries a department has made, written down, changed day by day, and saved in the department's own form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from town.draw import Mask, Rates, Rng, stream, words
from town.families import AS_OF
from town.world import World

Spec = dict[str, Any]


@dataclass(frozen=True)
class Feed:
    """One source. entries: what there is to write, a row each, with `when` (the day of the entry) and the key's columns.

    write: the rows as the department holds them; columns that begin with _ are the truth (`_person`, `_dwelling`, ...;
    `_lost` marks rows that say nothing). save: the file or table below the folder. spec: the source file.
    """

    name: str
    key: tuple[str, ...]
    entries: Callable[[World, Rates, Rng], pd.DataFrame]
    write: Callable[[World, pd.DataFrame, Rates, Rng], pd.DataFrame]
    save: Callable[[pd.DataFrame, Path, Rng], None]
    spec: Callable[[World, Path], Spec]
    roles: tuple[str, ...] = field(default=("",))
    lasting: bool = False
    """True: rows are never withdrawn or added (grids, communities)."""
    keyed_blanks: bool = False
    """True: a row with nothing in it still has a key."""


def rates_of(name: str) -> Rates:
    """The named rates of one feed."""
    rates: Rates = words("errors.yml").get(name, {})
    return rates


def compose(feed: Feed, world: World, day: int) -> pd.DataFrame:
    """The feed's rows on a day: those of the first day, without the withdrawn, with the added, the changed written anew."""
    rates = rates_of(feed.name)
    entries = feed.entries(world, rates, stream(world.seed, feed.name, "entries")).reset_index(drop=True)
    edition, present = _calendar(feed, world, entries, day)
    rows = feed.write(world, entries, rates, stream(world.seed, feed.name, "rows")).astype(object)
    for number in np.unique(edition[(edition > 0) & present]).tolist():
        here = np.flatnonzero((edition == number) & present)
        again = entries.iloc[here].assign(when=AS_OF + np.timedelta64(number, "D"))
        fresh = feed.write(world, again.reset_index(drop=True), rates, stream(world.seed, feed.name, "day", number))
        rows.iloc[here] = fresh.to_numpy()
    return _litter(feed, world, rows, present, rates)


def _litter(feed: Feed, world: World, rows: pd.DataFrame, present: np.ndarray, rates: Rates) -> pd.DataFrame:
    """Rows repeated exactly, and rows with nothing in them, strewn between the others (the same ones every day)."""
    fate = stream(world.seed, feed.name, "litter").random(len(rows))
    times = np.where(fate < rates.get("copies", 0), 2, 1) * present
    blank = np.flatnonzero((fate > 1 - rates.get("blank", 0)) & present)
    empty = pd.DataFrame(None, index=rows.index[blank] + 0.5, columns=rows.columns, dtype=object).assign(_lost=True)
    if feed.keyed_blanks:
        empty[list(feed.key)] = (rows.loc[blank, list(feed.key)] + "B").to_numpy()
    kept = rows.loc[np.repeat(np.arange(len(rows)), times)]
    return (
        pd.concat([kept, empty]).sort_index(kind="stable").reset_index(drop=True)
        if len(blank)
        else kept.reset_index(drop=True)
    )


def _calendar(feed: Feed, world: World, entries: pd.DataFrame, day: int) -> tuple[np.ndarray, np.ndarray]:
    """The day each entry was last written (0: before the first) and whether it is in the feed on the day."""
    rates, size = rates_of("days"), len(entries)
    reserve = 0 if feed.lasting else int(size * rates["reserve"])
    if "reserve" in entries:
        reserve = int(entries["reserve"].sum())
    began = np.zeros(size, dtype=np.int64)
    if reserve:
        began[-reserve:] = 1 + np.arange(reserve) // max(1, round((size - reserve) * rates["added"]))
    edition, gone = began.copy(), np.full(size, 1 << 30)
    for number in range(1, day + 1):
        rng = stream(world.seed, feed.name, "calendar", number)
        fate = rng.random(size)
        changed = (fate < rates["changed"]) | _movers(world, entries, number) & (rng.random(size) < 0.6)
        edition = np.where(changed & (began < number), number, edition)
        if not feed.lasting:
            gone = np.where((fate > 1 - rates["withdrawn"]) & (began < number), np.minimum(gone, number), gone)
    return edition, (began <= day) & (gone > day)


def _movers(world: World, entries: pd.DataFrame, day: int) -> Mask:
    """Entries of people whose household moves on the day."""
    if "household" not in entries:
        return np.zeros(len(entries), dtype=bool)
    household = entries["household"].to_numpy()
    moves = world.households["later_at"].to_numpy()[np.maximum(household, 0)] == AS_OF + np.timedelta64(day, "D")
    moving: Mask = moves & (household >= 0)
    return moving
