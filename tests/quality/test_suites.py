"""Great Expectations as it is used here: every failing position, nothing raw, nothing out of the process."""

from __future__ import annotations

import socket

import numpy as np
import pandas as pd
import pytest

from quality.library import load
from quality.suites import BROKEN, COLUMNS_A_SUITE, KEPT, Demand, judge, run_suite, validate
from schemas.properties import entity_types


def demand(name: str) -> Demand:
    return Demand(name, "rule", "accuracy", "warn", "a sentence")


def test_every_failing_position_is_found_never_a_sample():
    verdict = np.full(1000, KEPT, dtype=np.float32)
    verdict[::2] = BROKEN
    verdict[1::4] = np.nan
    (found,) = validate({demand("a"): verdict})
    assert found.failed.tolist() == list(range(0, 1000, 2))
    assert found.evaluated == 750


def test_findings_come_in_the_order_of_the_demands():
    verdicts = {demand(f"p{at}"): np.full(3, KEPT if at % 2 else BROKEN, dtype=np.float32) for at in range(30)}
    assert len(verdicts) > 2 * COLUMNS_A_SUITE
    found = validate(verdicts)
    assert [f.demand for f in found] == list(verdicts)
    assert [len(f.failed) for f in found] == [0 if at % 2 else 3 for at in range(30)]


def test_nothing_leaves_the_process(monkeypatch):
    def refused(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    validate({demand("a"): np.array([1, 0], dtype=np.float32)})


def test_nothing_is_printed(capfd, caplog):
    validate({demand("a"): np.array([1, 0], dtype=np.float32)})
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_results_hold_positions_and_counts_but_no_values():
    load()
    from great_expectations import expectations as gxe

    frame = pd.DataFrame({"text": pd.Series(["秘密", None, "x"], dtype="str")})
    (result,) = run_suite(frame, [gxe.ExpectColumnValuesToBeInSet(column="text", value_set=["x"])])
    assert result["unexpected_index_list"] == [0]
    assert "秘密" not in str(result)


@pytest.mark.parametrize(("sex", "broken"), [("男", [0.0]), ("女", [1.0]), ("未知", [np.nan]), (None, [np.nan])])
def test_sex_is_compared_only_where_both_are_known(sex, broken):
    frame = pd.DataFrame({"sex": pd.Series([sex], dtype="str"), "id_number": ["11010519491231002X"]}).astype("str")
    verdicts = judge(frame, entity_types()["person"]).verdicts
    (verdict,) = [word for found, word in verdicts.items() if found.rule == "sex_agrees_with_id"]
    np.testing.assert_array_equal(verdict, np.array(broken, dtype=np.float32))


def test_a_property_may_set_its_own_outcome():
    from dataclasses import replace

    person = entity_types()["person"]
    strict = replace(person.properties["id_number"], checks={"id_check_digit": "reject"})
    kind = replace(person, properties={**person.properties, "id_number": strict}, cross=())
    frame = pd.DataFrame({"id_number": pd.Series(["110105194912310021"], dtype="str")})
    outcomes = {found.rule: found.outcome for found in judge(frame, kind).verdicts}
    assert outcomes["id_check_digit"] == "reject"
    assert outcomes["id_shape"] == "withhold"
