"""Loads staged one after the other into a real database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from onegrid.sealing import Keyring
from registry.read import judgements, nothing_new, read_records, staged_since
from registry.runs import finish_run, start_run
from registry.stage import StageReport, stage
from schemas.properties import entity_types
from schemas.records import Checked

Undone = Callable[[], AbstractContextManager[Connection]]
TYPES = entity_types()
ZHANG = {"name": '张"三\\', "id_number": "11010519491231002X", "phone": "13812345678"}
LI = {"name": "李四", "id_number.withheld": "110105194912310021"}


def staged(connection: Connection, keyring: Keyring, load: Checked) -> StageReport:
    return stage(load, connection, keyring, TYPES)


def standing(connection: Connection, keyring: Keyring) -> dict[str, dict[str, str]]:
    """{key: properties} of the persons that stand."""
    frame = read_records(connection, keyring, {}).frame("person")
    rows = frame.drop(columns=["rid", "source", "role"]).to_dict("records")
    return {row.pop("key"): {k: v for k, v in row.items() if not pd.isna(v)} for row in rows}


def rows_of(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


contents = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["张三", "李四", "王五"]), max_size=4)
loads = st.lists(
    st.tuples(st.sampled_from(["snapshot", "delta"]), contents, st.sets(st.sampled_from("abcd"))), max_size=5
)


@given(loads)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_stands_is_what_the_loads_said(
    undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list
) -> None:
    expected: dict[str, str] = {}
    with undone() as connection:
        for number, (mode, rows, gone) in enumerate(history, 1):
            said = {key: {"name": name} for key, name in rows.items()}
            deleted = gone - set(rows) if mode == "delta" else set()
            load = make.checked(number, said, mode=mode, deleted=pd.Series(sorted(deleted), dtype="str"))
            before = dict(expected)
            expected = {**({} if mode == "snapshot" else expected), **rows}
            expected = {key: name for key, name in expected.items() if key not in deleted}
            report = staged(connection, keyring, load)
            assert (report.deleted, report.current_rows) == (len(set(before) - set(expected)), len(expected))
            assert report.added + report.changed + report.unchanged == len(rows)
            assert report.unchanged == sum(before.get(key) == name for key, name in rows.items())
            again = staged(connection, keyring, load)
            assert (again.added, again.changed, again.deleted) == (0, 0, 0)
        found = {key: row["name"] for key, row in standing(connection, keyring).items()}
        assert found == expected


def test_values_come_back_as_they_were_and_numbers_lie_sealed(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    staged(connection, keyring, make.checked(1, {"a": ZHANG, "b": LI}))
    assert standing(connection, keyring) == {"a": ZHANG, "b": LI}
    plain = connection.execute(text("SELECT string_agg(record::text, ' ') FROM record")).scalar_one()
    assert "张" in plain
    assert not any(secret in plain for secret in ("11010519491231002", "13812345678"))


def test_a_change_keeps_the_number_and_the_old_version(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    staged(connection, keyring, make.checked(1, {"a": ZHANG, "b": LI}))
    number = connection.execute(text("SELECT id FROM record WHERE key = 'a'")).scalar_one()
    staged(connection, keyring, make.checked(2, {"a": {"name": "张三丰"}}))
    row = connection.execute(text("SELECT id, load, deleted FROM record WHERE key = 'a'")).one()
    assert tuple(row) == (number, 2, False)
    kept = connection.execute(
        text("SELECT v.load, r.key FROM record_version v JOIN record r ON r.id = v.record ORDER BY 2")
    ).all()
    assert [tuple(line) for line in kept] == [(1, "a"), (1, "b")]
    staged(connection, keyring, make.checked(3, {"a": ZHANG, "b": LI}))
    assert standing(connection, keyring) == {"a": ZHANG, "b": LI}
    assert rows_of(connection, "record") == 2


def test_a_role_that_a_row_no_longer_yields_is_gone(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    load = make.checked(1, {"a": {"name": "张三"}}, mode="delta")
    lord = make.frame([{"key": "a", "role": "landlord", "name": "李四"}], ("key", "role", "name"))
    both = Checked(
        **{**vars(load), "records": {"person": pd.concat([load.records["person"], lord], ignore_index=True)}}
    )
    assert staged(connection, keyring, both).added == 2
    report = staged(connection, keyring, make.checked(2, {"a": {"name": "张三"}}, mode="delta"))
    assert (report.unchanged, report.deleted, report.current_rows) == (1, 1, 1)


def test_a_quarantined_row_leaves_the_last_good_version(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    staged(connection, keyring, make.checked(1, {"a": ZHANG, "b": LI}))
    bad = make.lines([{"key": "b", "scope": "row", "raw": '{"姓名": "李四"}'}])
    seen = pd.Series(["a", "b"], dtype="str")
    report = staged(connection, keyring, make.checked(2, {"a": ZHANG}, seen=seen, quarantine=bad))
    assert (report.deleted, report.current_rows) == (0, 2)
    raw = connection.execute(text("SELECT sealed FROM quarantine")).scalar_one()
    assert keyring.unseal(bytes(raw), "quarantine.sealed") == '{"姓名": "李四"}'


@pytest.mark.parametrize(
    ("rows", "again", "state"),
    [
        ({"a": LI}, [], "mended"),
        ({"a": LI}, [{"key": "a", "scope": "value", "type": "person", "role": "", "property": "phone"}], "closed"),
        ({}, [{"key": "a", "scope": "row"}], "closed"),
        ({}, [], "closed"),
    ],
)
def test_what_becomes_of_an_open_line(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, rows: dict, again: list, state: str
) -> None:
    line = {"key": "a", "scope": "value", "type": "person", "role": "", "property": "phone"}
    staged(connection, keyring, make.checked(1, {"a": LI}, quarantine=make.lines([line])))
    seen = pd.Series([*rows, *(line["key"] for line in again)], dtype="str")
    staged(connection, keyring, make.checked(2, rows, seen=seen, quarantine=make.lines(again)))
    assert connection.execute(text("SELECT state FROM quarantine WHERE load = 1")).scalar_one() == state


def test_staging_a_load_twice_doubles_nothing(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    results = make.results(
        [
            {
                "type": "person",
                "property": "name",
                "rule": "lost",
                "dimension": "accuracy",
                "outcome": "warn",
                "evaluated": 2,
                "failed": 1,
            }
        ]
    )
    load = make.checked(
        1,
        {"a": ZHANG},
        quarantine=make.lines([{"key": None, "scope": "row"}]),
        results=results,
        warnings=("a new column",),
    )
    tables = ("record", "record_version", "quarantine", "quality_result")
    counts = [
        (staged(connection, keyring, load), [rows_of(connection, table) for table in tables])[1] for _ in range(2)
    ]
    assert counts[0] == counts[1] == [1, 0, 1, 1]
    row = connection.execute(text("SELECT state, warnings, current_rows, clean FROM load WHERE id = 1")).one()
    assert tuple(row) == ("staged", ["a new column"], 1, 1)
    assert connection.execute(text("SELECT division, owner FROM quality_result")).one()[:] == ("340202", "公安")


def test_a_run_knows_whether_anything_was_staged_since(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    assert not nothing_new(connection)
    staged(connection, keyring, make.checked(1, {"a": ZHANG}))
    run = start_run(connection)
    finish_run(connection, run, None)
    assert nothing_new(connection)
    staged(connection, keyring, make.checked(2, {"a": ZHANG}))
    assert nothing_new(connection)
    staged(connection, keyring, make.checked(3, {"a": LI}))
    assert staged_since(connection, run)
    assert not nothing_new(connection)


def test_the_last_judgement_on_two_standing_records_counts(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    staged(connection, keyring, make.checked(1, {"a": ZHANG, "b": LI}))
    for one, two, verdict in (("a", "b", "same"), ("b", "a", "different"), ("a", "gone", "same")):
        connection.execute(
            text(
                "INSERT INTO judgement (type, source_a, key_a, source_b, key_b, verdict, by, reason) "
                "VALUES ('person', 'police', :one, 'police', :two, :verdict, 'x', 'y')"
            ),
            {"one": one, "two": two, "verdict": verdict},
        )
    found = judgements(connection, read_records(connection, keyring, make.feeds))
    assert found["verdict"].tolist() == ["different"]
    assert (found["rid_a"] < found["rid_b"]).all()
