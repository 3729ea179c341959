"""Planned, held, accepted, taken back: nothing is published that the bounds or a person stop."""

from __future__ import annotations

import pandas as pd
from district import District, write_grid_workers, write_police, write_population


def test_a_plan_publishes_nothing(district: District) -> None:
    planned = district.run("--plan")
    assert planned.code == 0, planned.err
    assert "planned, not published" in planned.out
    assert planned.summary["changes"]["created"] > 0
    assert district.registry().members.empty
    assert district.query("SELECT state FROM run")["state"].tolist() == ["planned"]
    done = district.run()
    assert done.code == 0, done.err
    assert done.summary["changes"] == planned.summary["changes"]


def test_a_run_beyond_its_bounds_waits_for_a_person(district: District) -> None:
    """Three quarters of two feeds gone at once: more codes would be retired than a run may retire unasked."""
    assert district.run().code == 0
    before = district.registry()
    write_population(district.data("population.sqlite"), range(3))
    write_police(district.data("police.csv"), range(3))
    write_grid_workers(district.data("grid_workers.xlsx"), range(3))
    (district.home / "guard.yml").write_text("floor: 5\n", "utf-8")
    held = district.run("--reread")
    assert held.code == 1
    assert "is held, and nothing of it is published" in held.err
    after = district.registry()
    pd.testing.assert_frame_equal(before.members, after.members)
    pd.testing.assert_frame_equal(before.values, after.values)
    number = int(district.query("SELECT max(id) AS id FROM run WHERE state = 'held'")["id"].iloc[0])
    again = district.run()
    assert again.code == 1
    assert f"Run {number} is held" in again.err
    assert len(district.query("SELECT id FROM run WHERE state = 'held'")) == 1  # it is not made a second time
    looked = district.command("runs", "--run", str(number))
    assert "beyond the bounds" in looked.out
    assert "retired" in looked.out
    assert district.command("publish", str(number)).code == 2
    accepted = district.command("publish", str(number), "--accept")
    assert accepted.code == 0, accepted.err
    assert len(district.registry().members) < len(before.members)
    assert district.command("publish", str(number), "--accept").code == 1
    assert district.run().code == 0


def test_what_is_taken_back_comes_again_only_when_accepted(district: District) -> None:
    assert district.run().code == 0
    before = district.registry()
    write_police(district.data("police.csv"), range(31))
    assert district.run().code == 0
    number = int(district.query("SELECT max(id) AS id FROM run")["id"].iloc[0])
    taken = district.command("rollback", str(number))
    assert taken.code == 0, taken.err
    after = district.registry()
    assert after.partition == before.partition
    assert after.golden == before.golden
    assert district.run().code == 0  # nothing new is staged: the old state stands
    assert district.registry().partition == before.partition
    write_police(district.data("police.csv"), range(32))
    held = district.run()
    assert held.code == 1
    assert f"run {number} was rolled back" in held.err
    waiting = int(district.query("SELECT max(id) AS id FROM run WHERE state = 'held'")["id"].iloc[0])
    assert district.command("publish", str(waiting), "--accept").code == 0
    assert {"p030", "p031"} <= district.registry().keys("police")
    listed = district.command("runs")
    assert "rolled_back" in listed.out
    assert "published" in listed.out
