"""The commands on models: train a version on the records at hand, list and compare versions, take one into use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from onegrid.pipeline import alone

if TYPE_CHECKING:
    from matching.model import Model
    from onegrid.stages import Hub
    from schemas.records import Feed


def train(hub: Hub, feeds: dict[str, Feed], *, use: bool) -> tuple[Model, float]:
    """A new version from all standing records; kept, and taken into use if `use`. With the blocking recall seen.

    Nothing is published: a version in use scores from the next run on, which then compares all anew.
    """
    from matching.evidence import gather
    from matching.people import exact_pass
    from matching.places import match_places
    from matching.training import train_people
    from registry.models import keep_model
    from registry.read import read_records
    from schemas.numbering import Numbering

    with alone(hub), hub.database.session(hub.actor) as connection:
        stored = read_records(connection, hub.keyring, feeds)
        records = Numbering.of(stored).number(stored)
        hub.tell(f"{len(records.frame('person')):,} records of persons")
        places = match_places(records)
        evidence = gather(records, places)
        trained, recall = train_people(evidence, exact_pass(evidence))
        model = replace(trained, atlas=places.atlas.facts)
        keep_model(connection, hub.keyring, model.version, model.to_json(), current=use)
    return model, recall


def difference(one: Model, other: Model) -> pd.DataFrame:
    """The weights of two models level by level, those that differ most first: `comparison`, `level`, both, `change`."""
    sides = [
        pd.DataFrame(
            [(name, level.name, level.weight) for name, ladder in model.comparisons.items() for level in ladder],
            columns=["comparison", "level", model.version],
        )
        for model in (one, other)
    ]
    both = sides[0].merge(sides[1], on=["comparison", "level"], how="outer")
    both["change"] = (both[other.version] - both[one.version]).round(2)
    return both.sort_values("change", key=lambda change: change.abs(), ascending=False, ignore_index=True)
