"""Each named mistake does what it says, at its rate."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from town.clerks import write_people
from town.draw import Rates, stream
from town.feed import rates_of
from town.misnaming import NAME_SLIPS, homophones
from town.numbers import DATE_STYLES, ID_SLIPS, PHONE_SLIPS, mishaps
from town.world import World

ID = "340202198503124517"
SHAPES = {
    "wrong_digit": r"\d{17}[\dX]", "transposed": r"\d{18}", "dropped": r"\d{17}", "masked": r"\d{3}[\d*]{11}[\d*]{2}\d{2}",
    "old15": r"340202850312451", "scientific": r"3\.40202E\+17", "rounded": r"340202198503124000", "lower_x": ID, "full_width": r"[０-９]{18}",
    "spaced": r"340202 19850312 4517", "apostrophe": f"'{ID}",
}  # fmt: skip


@pytest.mark.parametrize("name", ID_SLIPS)
def test_an_id_slip_has_its_shape(name: str) -> None:
    rng = stream(1, name)
    written = [ID_SLIPS[name](rng, ID) for _ in range(50)]
    assert all(re.fullmatch(SHAPES[name], number) for number in written)
    if name not in ("lower_x", "transposed"):  # no X in it; two like digits change nothing
        assert ID not in written


def test_wrong_digit_is_one_digit_off() -> None:
    rng = stream(1, "digits")
    assert all(sum(a != b for a, b in zip(ID, ID_SLIPS["wrong_digit"](rng, ID), strict=True)) == 1 for _ in range(200))


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("compact", "19900105"),
        ("dotted", "1990.1.5"),
        ("slashed", "1990/1/5"),
        ("chinese", "1990年1月5日"),
        ("iso", "1990-01-05"),
    ],
)
def test_dates_in_each_style(style: str, written: str) -> None:
    assert DATE_STYLES[style]("1990-01-05") == written


def test_homophones_sound_alike_and_differ() -> None:
    assert "炜" in homophones()["伟"]
    assert all(letter not in others for letter, others in homophones().items())


def test_at_most_one_mishap_befalls_a_row_at_its_rate() -> None:
    fate = pd.Series(mishaps(stream(1, "fate"), 100_000, {"a": 0.02, "b": 0.3, "c": 0.0}))
    assert fate.value_counts(normalize=True).round(2).to_dict() == {"": 0.68, "b": 0.3, "a": 0.02}


def only(feed: str, kind: str, name: str) -> Rates:
    """A feed's rates with every mishap off but one, which befalls every row."""
    rates = rates_of(feed)
    still = {key: 0.0 for key, value in rates.items() if isinstance(value, float)}
    off = {table: dict.fromkeys(rates[table], 0.0) for table in ("id", "name", "birth", "phone")}
    off[kind][name] = 1.0
    return {**rates, **still, **off}


@pytest.mark.parametrize("name", [*NAME_SLIPS, "former"])
def test_a_name_slip_changes_names_and_nothing_else(world: World, name: str) -> None:
    person = np.arange(400)
    clean = write_people(world, person, only("policing", "birth", "missing"), stream(2, "x"))
    slipped = write_people(world, person, only("policing", "name", name), stream(2, "x"))
    assert (clean["name"].to_numpy() == world.people["name"].to_numpy()[person]).all()
    assert clean["birth"].isna().all()
    assert (slipped["id_number"].to_numpy() == world.people["id_number"].to_numpy()[person]).all()
    changed = (slipped["name"].to_numpy() != clean["name"].to_numpy()).mean()
    assert changed > (0.005 if name == "former" else 0.2)


@pytest.mark.parametrize("name", [*PHONE_SLIPS, "old", "missing"])
def test_a_phone_slip_changes_phones(world: World, name: str) -> None:
    written = write_people(world, np.arange(200), only("policing", "phone", name), stream(3, "x"))["phone"]
    assert (written.fillna("").to_numpy() != world.people["phone"].to_numpy()[:200]).mean() > 0.8


def test_a_parents_id_stands_on_the_childs_row(world: World) -> None:
    children = np.flatnonzero((world.people["parent"] >= 0) & (world.people["birth"] > pd.Timestamp("2015-01-01")))
    written = write_people(world, children, only("policing", "id", "parents"), stream(4, "x"))["id_number"]
    parents = world.people["id_number"].to_numpy()[world.people["parent"].to_numpy()[children]]
    assert (written.to_numpy() == parents).all()


def test_every_feed_of_people_names_the_same_mishaps() -> None:
    known = {
        "id": {*ID_SLIPS, "missing", "parents", "others", "placeholder"},
        "name": {*NAME_SLIPS, "former", "rare_lost", "unnamed", "dots"},
    }
    for feed in ("population", "policing", "app", "gridlist"):
        for kind, names in known.items():
            assert set(rates_of(feed)[kind]) == names, f"{feed}.{kind}"
            assert all(0 <= rate <= 1 for rate in rates_of(feed)[kind].values())
