"""What is true, kept apart from the feeds: which row speaks of whom, where, and of what household."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from town.clerks import lived_at
from town.families import AS_OF
from town.feed import Feed
from town.world import World

LABELS = (
    "person",
    "residential_household",
    "registered_household",
    "dwelling",
    "building",
    "estate",
    "place",
    "thing",
    "organization",
    "event",
)


def records(feed: Feed, rows: pd.DataFrame, world: World) -> pd.DataFrame:
    """Labels of the rows a registry should hold: source, key, role, type, then one column for each of LABELS (missing where not applicable)."""
    kept = rows[~rows["_lost"].fillna(False).astype(bool)].drop_duplicates(list(feed.key), keep="last")
    kept = kept[kept[list(feed.key)].notna().all(axis=1)]
    parts = []
    for role in feed.roles:
        suffix = f"_{role}" if role else ""
        columns = [c for c in (*LABELS,) if f"_{c}{suffix}" in kept]
        part = pd.DataFrame(
            {c: pd.to_numeric(kept[f"_{c}{suffix}"]).where(lambda v: v >= 0).astype("Int64") for c in columns}
        )
        part.insert(0, "source", feed.name)
        part.insert(
            1,
            "key",
            kept[list(feed.key)].astype(str).agg("|".join, axis=1)
            if len(feed.key) > 1
            else kept[feed.key[0]].astype(str),
        )
        part.insert(2, "role", role)
        parts.append(part[part[columns[0]].notna()])
    labelled = pd.concat(parts, ignore_index=True)
    return with_households(labelled, world) if "person" in labelled else labelled


def with_households(labelled: pd.DataFrame, world: World) -> pd.DataFrame:
    """The person's own households: missing for those who do not live, or are not registered, here."""
    person = labelled["person"].astype("Int64")
    living = world.people["status"].eq("resident").to_numpy()
    home = pd.Series(np.where(living, world.people["household"], -1)).where(lambda h: h >= 0).astype("Int64")
    book = world.people["book"].where(world.people["book"] >= 0).astype("Int64")
    at = person.to_numpy(dtype=np.int64)
    return labelled.assign(
        residential_household=home.to_numpy()[at] if False else home.iloc[at].array,
        registered_household=book.iloc[at].array,
    )


def write_truth(folder: Path, labelled: list[pd.DataFrame], world: World, day: int) -> None:
    """records, people, households, registered_households and dwellings as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat(labelled, ignore_index=True).reindex(columns=["source", "key", "role", *LABELS])
    table = table.astype({**dict.fromkeys(("source", "key", "role"), "str"), **dict.fromkeys(LABELS, "Int64")})
    table.to_parquet(folder / "records.parquet", index=False)
    for name, frame in _entities(world, day).items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)


def _entities(world: World, day: int) -> dict[str, pd.DataFrame]:
    places, people = world.places, world.people
    today = np.full(len(world.households), AS_OF + np.timedelta64(day, "D"))
    households = world.households[["kind", "size", "resident", "rents"]].rename_axis("household").reset_index()
    households["dwelling"] = lived_at(world, households["household"].to_numpy(), today)
    columns = [
        "name",
        "former_name",
        "sex",
        "birth",
        "id_type",
        "id_number",
        "ethnicity",
        "phone",
        "household",
        "book",
        "relation",
        "status",
    ]
    building = places.buildings.iloc[places.dwellings["building"]]
    estate = places.estates.iloc[building["estate"]]
    dwellings = places.dwellings.assign(
        estate=building["estate"].to_numpy(), number=building["number"].to_numpy(), group=building["group"].to_numpy(),
        grid=places.grids["code"].to_numpy()[building["grid"]], community=places.communities["code"].to_numpy()[estate["community"]],
    )  # fmt: skip
    return {
        "people": people[columns].rename_axis("person").reset_index(),
        "households": households,
        "registered_households": world.books.rename_axis("registered_household").reset_index(),
        "dwellings": dwellings.rename_axis("dwelling").reset_index(),
        "estates": places.estates.rename_axis("estate").reset_index(),
    }
