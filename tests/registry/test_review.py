"""Tasks: what is asked, by whom it is answered, and what comes of the answers."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest
from sqlalchemy import Connection, text

from onegrid.errors import NotFound, Refused
from onegrid.sealing import Keyring
from registry.judging import answer, claim, evaluate, undo
from registry.read import judgements
from registry.runs import finish_run, start_run
from registry.unify import unify
from schemas.records import DOUBT_COLUMNS, Matched, Records

OPEN = "SELECT id, kind, code, parts, weight, reason, eyes, state, division, owner FROM review_task ORDER BY id"
ROWS = [{"rid": rid, "source": ("police", "grid", "app")[rid % 3], "name": "张三"} for rid in range(1, 13)]


def asked(*lines: tuple[int, int, float, str]) -> pd.DataFrame:
    """Doubts: cluster, record, weight, reason."""
    made = pd.DataFrame([("person", *line) for line in lines], columns=list(DOUBT_COLUMNS))
    return made.astype({"cluster": "int64", "rid": "int64", "weight": "float64", "reason": "str", "type": "str"})


def publish(
    connection: Connection, keyring: Keyring, make: SimpleNamespace, doubts: pd.DataFrame, *parts: set[int]
) -> int:
    matched = replace(make.clusters(*parts), doubts=doubts)
    return run(connection, keyring, matched, make.records([row for row in ROWS if any(row["rid"] in p for p in parts)]))


def run(connection: Connection, keyring: Keyring, matched: Matched, records: Records) -> int:
    number = start_run(connection, "model")
    finish_run(connection, number, unify(matched, records, connection, keyring, number))
    return number


def tasks(connection: Connection) -> list[SimpleNamespace]:
    return [SimpleNamespace(**row._mapping) for row in connection.execute(text(OPEN))]


def stored(connection: Connection) -> None:
    """The records behind the numbers, which judgements name."""
    for row in ROWS:
        connection.execute(
            text(
                "INSERT INTO record (id, source, key, type, values, hash, load) OVERRIDING SYSTEM VALUE "
                "VALUES (:rid, :source, :key, 'person', '{}', '', 1)"
            ),
            {"rid": row["rid"], "source": row["source"], "key": str(row["rid"])},
        )


def test_one_task_an_entity_with_all_its_candidates(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    doubts = asked((1, 3, 1.5, "weak"), (1, 4, -0.5, "contradicted"), (6, 7, 3.0, "held"))
    publish(connection, keyring, make, doubts, {1, 2, 3}, {4, 5}, {6}, {7})
    (task,) = tasks(connection)  # what a rule keeps apart is no question
    assert task.parts == [[1, 2], [3], [4, 5]]
    assert (task.kind, task.weight, task.eyes, task.state) == ("uncertain", 1.5, 1, "open")
    assert task.division == "340202004017"
    assert task.owner is not None


def test_tasks_follow_the_data_until_somebody_works_on_them(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    parts = ({1, 2, 3}, {4, 5}, {6})
    publish(connection, keyring, make, asked((1, 4, -0.5, "contradicted")), *parts)
    publish(connection, keyring, make, asked((1, 4, -0.4, "contradicted"), (1, 6, -1.0, "contradicted")), *parts)
    (task,) = tasks(connection)
    assert (task.parts, task.weight) == ([[1, 2, 3], [4, 5], [6]], -0.4)
    claim(connection, task.id, "li")
    publish(connection, keyring, make, asked((1, 4, -0.4, "contradicted")), *parts)
    assert tasks(connection)[0].parts == task.parts  # not under the hands of who answers it
    publish(connection, keyring, make, asked(), *parts)
    assert tasks(connection)[0].state == "closed"


def test_a_person_cannot_be_asked_about_more_than_a_share(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    rows = [{"rid": rid, "source": "police", "name": "张三"} for rid in range(1, 2001)]
    doubts = asked(*((rid, rid + 1, 1 - rid / 1000, "contradicted") for rid in range(1, 2001, 2)))
    matched = replace(make.clusters(*({rid} for rid in range(1, 2001))), doubts=doubts)
    run(connection, keyring, matched, make.records(rows))
    found = tasks(connection)
    assert sum(len(part) for task in found for part in task.parts) == 20  # one in a hundred records
    assert sorted(task.weight for task in found)[0] == pytest.approx(1 - 19 / 1000)  # the likeliest


def test_an_answer_becomes_judgements_on_names(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    stored(connection)
    doubts = asked((1, 3, 1.5, "contradicted"), (1, 4, 1.0, "contradicted"), (1, 6, 0.5, "contradicted"))
    publish(connection, keyring, make, doubts, {1, 2}, {3}, {4, 5}, {6})
    (task,) = tasks(connection)
    assert answer(connection, task.id, "li", ["same", "different", "unsure"], "同一人，住址相同") == "settled"
    rows = connection.execute(
        text("SELECT source_a, key_a, source_b, key_b, verdict, by FROM judgement ORDER BY id")
    ).all()
    said = {(row.key_a, row.key_b): row.verdict for row in rows}
    assert said == {
        ("1", "3"): "same", ("2", "3"): "same", ("1", "4"): "different", ("1", "5"): "different",
        ("2", "4"): "different", ("2", "5"): "different", ("3", "4"): "different", ("3", "5"): "different",
    }  # fmt: skip
    read = judgements(connection, make.records(ROWS))
    assert {(a, b) for a, b in zip(read["rid_a"], read["rid_b"], strict=True)} == {(int(a), int(b)) for a, b in said}
    publish(connection, keyring, make, asked((1, 6, 0.5, "contradicted")), {1, 2, 3}, {4, 5}, {6})
    assert [t.state for t in tasks(connection)] == ["settled"]  # what could not be told is not asked again
    undo(connection, task.id, "li")
    assert judgements(connection, make.records(ROWS)).empty
    assert tasks(connection)[0].state == "open"


def test_a_large_entity_needs_two_who_agree(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    stored(connection)
    publish(connection, keyring, make, asked((1, 11, 0.5, "contradicted")), set(range(1, 11)), {11, 12})
    (task,) = tasks(connection)
    assert task.eyes == 2
    assert answer(connection, task.id, "li", ["same"], "一致") == "second"
    with pytest.raises(Refused, match="second pair of eyes"):
        answer(connection, task.id, "li", ["same"], "一致")
    assert answer(connection, task.id, "wang", ["different"], "不同") == "second"
    assert connection.execute(text("SELECT count(*) FROM judgement")).scalar_one() == 0
    assert answer(connection, task.id, "zhao", ["same"], "一致") == "settled"
    assert set(connection.execute(text("SELECT verdict FROM judgement")).scalars()) == {"same"}
    found = evaluate(connection, -2.0)
    assert (found.pairs, found.recall, found.precision) == (6, 0.0, None)  # no score was kept for these
    assert (found.answers, found.agreement) == (3, pytest.approx(1 / 3))


def test_what_is_not_to_be_done_is_refused(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    stored(connection)
    publish(connection, keyring, make, asked((1, 3, 0.5, "contradicted")), {1, 2}, {3})
    (task,) = tasks(connection)
    with pytest.raises(NotFound):
        claim(connection, task.id + 1, "li")
    with pytest.raises(Refused, match="1 candidates"):
        answer(connection, task.id, "li", [], "因为")
    with pytest.raises(Refused, match="reason"):
        answer(connection, task.id, "li", ["same"], " ")
    claim(connection, task.id, "li")
    with pytest.raises(Refused, match="somebody else"):
        answer(connection, task.id, "wang", ["same"], "因为")
    answer(connection, task.id, "li", ["same"], "因为")
    with pytest.raises(Refused, match="settled"):
        claim(connection, task.id, "wang")
    with pytest.raises(NotFound, match="no answer"):
        undo(connection, task.id, "wang")


def test_one_number_under_two_people_is_asked_about(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    rows = [
        {"rid": 1, "source": "police", "name": "张三", "id_number": "34020219900101001X"},
        {"rid": 2, "source": "grid", "name": "李四", "id_number": "34020219900101001X"},
        {"rid": 3, "source": "grid", "name": "王五", "id_number": "340202199001010028"},
    ]
    run(connection, keyring, make.clusters({1}, {2}, {3}), make.records(rows))
    (task,) = tasks(connection)
    assert (task.kind, task.parts, task.reason) == ("one_number", [[1], [2]], "one id_number")
    assert "3402" not in json.dumps(task.parts) + task.reason


def test_rival_values_that_no_rule_decides_are_asked_about(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    rows = [{"rid": rid, "source": "police", "name": name} for rid, name in ((1, "张三"), (2, "李四"), (3, "王五"))]
    run(connection, keyring, make.clusters({1, 2}, {3}), make.records(rows))
    (task,) = tasks(connection)
    assert (task.kind, task.parts, task.reason) == ("rivals", [[1], [2]], "rival values of name")
