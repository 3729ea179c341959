"""Back to before a run: the registry says what it said then, in every table, whatever was published since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from onegrid.errors import NotFound
from onegrid.sealing import Keyring
from registry.rollback import roll_back
from registry.runs import finish_run, start_run
from registry.unify import unify
from schemas.records import Matched, Records

NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)  # each example is several runs on a database
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = {  # what the registry says now, without when and by which run it came to say it
    "membership": "record, type, kind, code, how, weight",
    "entity_value": "code, property, value, record, rule, agree, differ",
    "relation": "code, relation, to_code, record",
    "alias": "scheme, value, encode(blind, 'hex'), code",
}
steps = st.lists(
    st.dictionaries(st.integers(1, 6), st.tuples(st.integers(0, 2), st.sampled_from(["张三", "李四"])), max_size=6),
    min_size=2,
    max_size=5,
)


def said(connection: Connection) -> dict[str, list[str]]:
    """The published state."""
    found = {
        table: sorted(map(str, connection.execute(text(f"SELECT {columns} FROM {table} WHERE known_to IS NULL")).all()))
        for table, columns in NOW.items()
    }
    active = "SELECT code, type, division, grid, basis, records, sources FROM entity WHERE status = 'active'"
    found["entity"] = sorted(map(str, connection.execute(text(active)).all()))
    found["search_key"] = sorted(map(str, connection.execute(text("SELECT token, code FROM search_key")).all()))
    return found


def publish(connection: Connection, keyring: Keyring, matched: Matched, records: Records, day: int) -> int:
    number, moment = start_run(connection, "model"), START + timedelta(days=day)
    finish_run(connection, number, unify(matched, records, connection, keyring, number, moment), moment=moment)
    return number


def people(make: SimpleNamespace, step: dict[int, tuple[int, str]]) -> tuple[Matched, Records]:
    parts = [{rid for rid, (c, _) in step.items() if c == cluster} for cluster in {c for c, _ in step.values()}]
    rows = [
        {"rid": rid, "source": ("police", "grid", "app")[rid % 3], "name": name, "id_number": f"34020219900101{rid:04}"}
        for rid, (_, name) in sorted(step.items())
    ]
    return make.clusters(*parts), make.records(rows)


@given(steps, st.data())
@settings(
    max_examples=8, deadline=None, phases=NO_SHRINKING, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_every_state_comes_back(
    undone, keyring: Keyring, make: SimpleNamespace, history: list, data: st.DataObject
) -> None:
    with undone() as connection:
        states, numbers = [said(connection)], []
        for day, step in enumerate(history):
            numbers.append(publish(connection, keyring, *people(make, step), day))
            states.append(said(connection))
        issued = set(connection.execute(text("SELECT code FROM entity")).scalars())
        target = data.draw(st.integers(0, len(numbers) - 1))
        number = start_run(connection, "model")
        outcome = roll_back(connection, keyring, numbers[target], number, "officer")
        finish_run(connection, number, outcome)
        now = said(connection)
        if target == 0:  # the mark of the tokens' version stays; before the first run there was none
            now["search_key"] = [key for key in now["search_key"] if not key.startswith("('version'")]
        assert now == states[target]
        assert set(connection.execute(text("SELECT code FROM entity")).scalars()) == issued
        one_hop(connection)
        follows(connection, number, states[-1], states[target])
        publish(connection, keyring, *people(make, history[-1]), 400)  # what comes next is a run like any other
        one_hop(connection)
        assert groups(said(connection)) == groups(states[-1])


def groups(state: dict[str, list[str]]) -> set[frozenset[str]]:
    """Which records are together, whatever their codes."""
    found: dict[str, set[str]] = {}
    for line in state["membership"]:
        record, _, _, code, *_ = line.split(", ")
        found.setdefault(code, set()).add(record)
    return {frozenset(records) for records in found.values()}


def one_hop(connection: Connection) -> None:
    """A merged code leads to one that is itself no redirect."""
    lost = """
        SELECT count(*) FROM entity e LEFT JOIN entity t ON t.code = e.merged_into
        WHERE e.status = 'merged' AND coalesce(t.status, 'merged') = 'merged'"""
    assert connection.execute(text(lost)).scalar_one() == 0


def follows(connection: Connection, run: int, before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    """Who follows the changes hears of every code that came or went."""
    told = set(connection.execute(text("SELECT code FROM change WHERE run = :run"), {"run": run}).scalars())
    codes = [{line.split("'")[1] for line in state["entity"]} for state in (before, after)]
    assert codes[0] ^ codes[1] <= told


def test_a_wrong_merge_is_taken_back(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    publish(connection, keyring, *people(make, {1: (0, "张三"), 2: (0, "张三"), 3: (1, "李四")}), 0)
    bore = dict(connection.execute(text("SELECT record, code FROM membership WHERE known_to IS NULL")).all())
    wrong = publish(
        connection, keyring, *people(make, {1: (0, "张三"), 2: (0, "张三"), 3: (0, "李四"), 4: (1, "李四")}), 1
    )
    number = start_run(connection, "model")
    outcome = roll_back(connection, keyring, wrong, number, "officer")
    finish_run(connection, number, outcome)
    now = dict(connection.execute(text("SELECT record, code FROM membership WHERE known_to IS NULL")).all())
    assert now == bore
    counts = outcome.counts
    assert (counts.created, counts.retired, counts.merged) == (1, 1, 0)
    kinds = dict(connection.execute(text("SELECT code, change FROM change WHERE run = :run"), {"run": number}).all())
    assert kinds[bore[3]] == "created"
    row = connection.execute(text("SELECT about, by, state FROM run WHERE id = :run"), {"run": number}).one()
    assert tuple(row) == (wrong, "officer", "published")
    assert connection.execute(text("SELECT state FROM run WHERE id = :run"), {"run": wrong}).scalar() == "rolled_back"
    with pytest.raises(NotFound, match=f"Run {wrong} is rolled_back"):
        roll_back(connection, keyring, wrong, start_run(connection), "officer")


def test_the_next_run_with_something_new_is_told_of(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    wrong = publish(connection, keyring, *people(make, {1: (0, "张三")}), 0)
    number = start_run(connection, "model")
    finish_run(connection, number, roll_back(connection, keyring, wrong, number, "officer"))
    again = unify(*people(make, {1: (0, "张三")}), connection, keyring, start_run(connection, "model"))
    assert again.alarms == (f"run {wrong} was rolled back, and this would bring back part of it",)
