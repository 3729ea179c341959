"""Bounds before publication: what is beyond them is said, what is within is not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import Connection

from onegrid.errors import SettingsError
from onegrid.sealing import Keyring
from registry.groups import Groups
from registry.guard import Bounds, beyond_shares, bounds, over_merged
from registry.origins import Origins
from registry.runs import start_run
from registry.unify import unify

LIMITS = Bounds(
    floor=5, shares={"merged": 0.02, "split": 0.02, "retired": 0.1}, crowds={"person": {"records": 3, "numbers": 2}}
)


@pytest.mark.parametrize(
    ("merged", "before", "held"),
    [(5, 10, False), (6, 10, True), (20, 1000, False), (21, 1000, True), (6, 0, True)],
)
def test_a_share_counts_from_the_floor_on(merged: int, before: int, held: bool) -> None:
    said = beyond_shares({"person": {"merged": merged}}, {"person": before}, LIMITS)
    assert bool(said) == held
    assert all(f"{merged:,} of {before:,} codes of type person would be merged" in sentence for sentence in said)


def test_changes_without_a_bound_never_hold() -> None:
    assert beyond_shares({"person": {"created": 900, "absorbed": 900}}, {"person": 10}, LIMITS) == []


def test_a_crowd_is_told_only_where_the_run_touched_it(make: SimpleNamespace) -> None:
    rows = [{"rid": n, "source": "police", "id_number": f"34020219900101{n:04}"} for n in range(1, 8)]
    records = make.records(rows)
    groups = Groups.of(make.members({1: 1, 2: 1, 3: 1, 4: 1, 5: 5, 6: 5, 7: 7}), Origins.of(records))
    crowd, pair = (int(groups.members.loc[groups.members["rid"] == rid, "group"].iloc[0]) for rid in (1, 5))
    said = over_merged(groups, np.array([crowd, pair]), records, LIMITS)
    assert len(said) == 2
    assert "more than 3 records each, the largest 4" in said[0]
    assert "more than 2 different values of id_number each, the largest 4" in said[1]
    assert over_merged(groups, np.array([pair]), records, LIMITS) == []


def test_the_bounds_in_the_file_name_known_types() -> None:
    assert set(bounds().crowds) == {"person", "household", "place", "thing", "organization", "event"}
    assert all(0 < share < 1 for share in bounds().shares.values())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("flor: 5\n", "the bounds are floor, merged"),
        ("over_merged: {dog: {records: 5}}\n", "of over_merged person"),
        ("merged: much\n", "every bound is a number"),
        ("merged: [\n", "line 2: this is not YAML"),
    ],
)
def test_bounds_of_ones_own_are_read_with_care(tmp_path: Path, said: str, told: str) -> None:
    own = tmp_path / "guard.yml"
    own.write_text(said, "utf-8")
    with pytest.raises(SettingsError, match=told):
        bounds(own)


def test_bounds_of_ones_own_take_the_place_of_the_usual(tmp_path: Path) -> None:
    own = tmp_path / "guard.yml"
    assert bounds(own) == bounds()
    own.write_text("retired: 0.5\nover_merged: {person: {records: 7}}\n", "utf-8")
    found = bounds(own)
    assert (found.shares["retired"], found.shares["merged"]) == (0.5, bounds().shares["merged"])
    assert found.crowds["person"] == {"records": 7}
    assert found.crowds["event"] == bounds().crowds["event"]


def test_a_run_that_joins_a_crowd_of_codes_says_so(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    rows = [{"rid": rid, "source": "police", "name": "张三"} for rid in range(1, 201)]
    apart = make.clusters(*({rid} for rid in range(1, 201)))
    first = unify(apart, make.records(rows), connection, keyring, start_run(connection, "m"))
    assert first.alarms == ()
    assert first.by_type == {"person": {"created": 200}}
    assert first.reasons == {"created": {"new records": 200}}
    pairs = make.clusters(*({rid, rid + 1} for rid in range(1, 201, 2)))
    second = unify(pairs, make.records(rows), connection, keyring, start_run(connection, "m"))
    assert second.alarms == ("100 of 200 codes of type person would be merged (50.0%; the bound is 2.0%)",)
    assert second.reasons["merged"] == {"joined by model": 100}
    assert len(second.examples["merged"]) == 20
