"""Six dimensions from stored counts: weighted by what was judged, the worst cell always shown."""

from __future__ import annotations

import pandas as pd
import pytest
from sqlalchemy import insert

from onegrid.database import Actor, copy_frame
from onegrid.errors import SettingsError
from quality.scores import DIMENSIONS, grade, scores, trend
from schemas import tables


@pytest.fixture
def connection(database):
    with database.session(Actor("tester")) as opened:
        for name, owner in (("police", "公安"), ("grid", "街道")):
            said = {"title": name, "owner": owner, "level": "district", "division": "340202", "spec": {}}
            opened.execute(insert(tables.source).values(name=name, **said))
        yield opened


def load(connection, number, source="police", mode="snapshot", state="staged", day=1):
    columns = {"spec_hash": "", "started_at": f"2026-06-{day:02d}T02:00:00Z", "mode": mode, "state": state}
    connection.execute(insert(tables.load).values(id=number, source=source, **columns))


def counts(connection, number, *lines, source="police"):
    """Lines of (grid, property, dimension, evaluated, failed)."""
    owner = {"police": "公安", "grid": "街道"}[source]
    frame = pd.DataFrame(lines, columns=["grid", "property", "dimension", "evaluated", "failed"])
    fixed = {"load": number, "source": source, "owner": owner, "level": "district", "division": "340202"}
    named = frame.assign(**fixed, type="person", role="", outcome="warn", rule=[f"r{at}" for at in frame.index])
    copy_frame(connection, "quality_result", named)


def test_a_rule_weighs_as_much_as_the_values_it_judged(connection):
    load(connection, 1)
    counts(connection, 1, ("", "phone", "accuracy", 90, 0), ("", "name", "accuracy", 10, 5))
    (line,) = scores(connection, ["owner"]).to_dict("records")
    assert line["accuracy"] == pytest.approx(0.95)
    assert pd.isna(line["consistency"]), "nothing judged is no score, neither 0 nor 1"
    assert line["accessibility"] == 1
    assert line["score"] == pytest.approx((0.95 + 1) / 2)
    assert line["grade"] == "B"


def test_an_average_does_not_hide_a_bad_small_area(connection):
    load(connection, 1)
    counts(connection, 1, ("G1", "phone", "accuracy", 10_000, 10), ("G2", "phone", "accuracy", 10, 9))
    (line,) = scores(connection, ["owner"]).to_dict("records")
    assert line["accuracy"] > 0.99
    assert line["worst"] == pytest.approx(0.1)
    assert line["worst_where"] == "accuracy police 340202 G2 person.phone"


def test_groups_are_sorted_worst_first(connection):
    load(connection, 1)
    load(connection, 2, "grid")
    counts(connection, 1, ("G1", "phone", "accuracy", 10, 0), ("G2", "phone", "accuracy", 10, 5))
    counts(connection, 2, ("G2", "phone", "completeness", 10, 10), source="grid")
    table = scores(connection, ["source", "grid"])
    assert table[["source", "grid"]].values.tolist()[0] == ["grid", "G2"]
    assert len(table) == 5, "three areas, and the sources' own accessibility"


def test_only_the_latest_state_counts_and_the_change_is_shown(connection):
    load(connection, 1)
    load(connection, 2, day=2)
    counts(connection, 1, ("", "phone", "accuracy", 10, 5))
    counts(connection, 2, ("", "phone", "accuracy", 10, 1))
    (line,) = scores(connection, ["property"]).query("property == 'person.phone'").to_dict("records")
    assert line["accuracy"] == pytest.approx(0.9)
    assert line["change"] == pytest.approx(0.4)


def test_deltas_add_to_the_last_full_read(connection):
    load(connection, 1)
    load(connection, 2, mode="delta", day=2)
    counts(connection, 1, ("", "phone", "accuracy", 90, 0))
    counts(connection, 2, ("", "phone", "accuracy", 10, 10))
    assert scores(connection, ["owner"])["accuracy"].tolist() == [pytest.approx(0.9)]


def test_failed_loads_lower_accessibility_and_nothing_else(connection):
    load(connection, 1)
    load(connection, 2, state="failed")
    counts(connection, 1, ("", "phone", "accuracy", 10, 0))
    (line,) = scores(connection, ["source"]).to_dict("records")
    assert (line["accuracy"], line["accessibility"]) == (1, 0.5)


def test_the_trend_has_a_line_a_day_and_group(connection):
    load(connection, 1)
    load(connection, 2, day=2)
    counts(connection, 1, ("", "phone", "accuracy", 10, 5))
    counts(connection, 2, ("", "phone", "accuracy", 10, 0))
    table = trend(connection, ["source"])
    assert table["day"].astype(str).tolist() == ["2026-06-01", "2026-06-02"]
    assert table["accuracy"].tolist() == [0.5, 1]


def test_an_empty_registry_has_no_scores(connection):
    assert scores(connection, ["owner"]).empty
    assert list(scores(connection, ["owner"]).columns[2:8]) == list(DIMENSIONS)
    assert trend(connection, ["owner"]).empty


def test_an_unknown_group_is_refused(connection):
    with pytest.raises(SettingsError, match="colour"):
        scores(connection, ["colour"])


@pytest.mark.parametrize(("score", "letter"), [(1, "A"), (0.98, "A"), (0.979, "B"), (0.9, "C"), (0.8, "D"), (0, "E")])
def test_grades(score, letter):
    assert grade(score) == letter
