"""The meter: seconds, rows and memory by stage, added up over the sources."""

from __future__ import annotations

import time

import pytest

from onegrid.meter import Meter, Tally, resident_mb

MB = 1_000_000


def test_a_stage_adds_up_over_its_calls() -> None:
    with Meter(("land", "check")) as meter:
        for rows in (2, 3):
            with meter.stage("land") as tally:
                tally.rows += rows
                time.sleep(0.02)
    assert meter.tallies["land"].rows == 5
    assert 0.04 <= meter.tallies["land"].seconds < 2
    assert meter.tallies["check"] == Tally()


def test_stages_stand_in_their_declared_order() -> None:
    with Meter(("land", "check", "stage")) as meter, meter.stage("stage"):
        pass
    assert list(meter.tallies) == ["land", "check", "stage"]


def test_a_stage_that_fails_is_counted_too() -> None:
    with Meter(("land",)) as meter, pytest.raises(ValueError, match="broken"):
        breaks(meter)
    assert meter.tallies["land"].seconds >= 0.01


def breaks(meter: Meter) -> None:
    with meter.stage("land"):
        time.sleep(0.01)
        raise ValueError("broken")


def test_memory_that_was_given_back_still_counts() -> None:
    before = resident_mb()
    with Meter(("read",)) as meter, meter.stage("read"):
        held = bytearray(b"x" * (80 * MB))
        time.sleep(0.2)
        del held
    assert meter.tallies["read"].peak_mb >= before + 70


def test_the_summary_is_rounded_and_named() -> None:
    assert Tally(1.23456, 7, 99.96).summary() == {"seconds": 1.235, "rows": 7, "peak_mb": 100.0}
