"""The life of codes: random histories of clusters against what a code promises, on a real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from onegrid.database import Actor, Database
from onegrid.sealing import Keyring
from registry.changes import ChangeCounts
from registry.runs import finish_run, start_run
from registry.unify import unify
from schemas.codes import parse, verify
from schemas.records import Matched, Records

Undone = Callable[[], AbstractContextManager[Connection]]
Step = list[tuple[int, str]]
ACTOR = Actor("test")
START = datetime(2026, 1, 1, tzinfo=UTC)
TABLES = ("entity", "entity_value", "membership", "relation", "alias", "change", "edge")

steps = st.lists(
    st.dictionaries(st.integers(1, 7), st.tuples(st.integers(0, 3), st.sampled_from(["张三", "李四"])), max_size=7),
    min_size=1,
    max_size=5,
)


def run(connection: Connection, keyring: Keyring, matched: Matched, records: Records, day: int = 0) -> ChangeCounts:
    number = start_run(connection, "model")
    moment = START + timedelta(days=day)
    outcome = unify(matched, records, connection, keyring, number, moment)
    finish_run(connection, number, outcome, moment=moment)
    return outcome.counts


def people(
    make: SimpleNamespace, parts: list[set[int]], names: dict[int, str] | None = None
) -> tuple[Matched, Records]:
    rows = [
        {"rid": rid, "source": ("police", "grid", "app")[rid % 3], "name": (names or {}).get(rid, "张三")}
        for part in parts
        for rid in part
    ]
    return make.clusters(*parts), make.records(sorted(rows, key=lambda row: row["rid"]))


def membership(connection: Connection) -> dict[int, str]:
    rows = connection.execute(text("SELECT record, code FROM membership WHERE known_to IS NULL AND type = 'person'"))
    return {row.record: row.code for row in rows}


def entities(connection: Connection) -> dict[str, tuple[str, str | None]]:
    rows = connection.execute(text("SELECT code, status, merged_into FROM entity"))
    return {row.code: (row.status, row.merged_into) for row in rows}


def contents(connection: Connection) -> dict[str, list[str]]:
    return {t: sorted(connection.execute(text(f"SELECT t::text FROM {t} t")).scalars()) for t in TABLES}


def kept_by(parts: list[set[int]], before: dict[int, str]) -> dict[str, frozenset[int]]:
    """The definition: take the largest overlap first, then the older code, then the part with the smallest record."""
    pairs = [
        (-len({r for r in part if before.get(r) == code}), parse(code).serial, min(part), code, frozenset(part))
        for part in parts
        for code in {before[r] for r in part if r in before}
    ]
    kept: dict[str, frozenset[int]] = {}
    for *_, code, part in sorted(pairs, key=lambda pair: pair[:3]):
        if code not in kept and part not in kept.values():
            kept[code] = part
    return kept


few = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
many = settings(few, max_examples=100)


@given(steps)
@few
def test_codes_over_random_histories(undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list) -> None:
    live(undone, keyring, make, history)


@pytest.mark.slow
@pytest.mark.timeout(900)
@given(steps)
@many
def test_codes_over_many_histories(undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list) -> None:
    live(undone, keyring, make, history)


def live(undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list) -> None:
    """Each step of a history, with what must hold after it; the same step again changes nothing."""
    with undone() as connection:
        former: dict[int, set[str]] = {}
        for day, step in enumerate(history):
            parts = [{r for r, (c, _) in step.items() if c == cluster} for cluster in {c for c, _ in step.values()}]
            names = {rid: name for rid, (_, name) in step.items()}
            before, known = membership(connection), entities(connection)
            counts = run(connection, keyring, *people(make, parts, names), day)
            now, after = membership(connection), entities(connection)
            check_partition(parts, now)
            check_life(before, known, now, after, parts, former)
            check_counts(counts, before, known, now, after)
            check_golden(connection, parts, names, now)
            for rid, code in now.items():
                former.setdefault(rid, set()).add(code)
            found = contents(connection)
            again = run(connection, keyring, *people(make, parts, names), day)
            assert again.nothing
            assert again.untouched == len(parts)
            assert contents(connection) == found


def check_partition(parts: list[set[int]], now: dict[int, str]) -> None:
    assert set(now) == {rid for part in parts for rid in part}
    assert {frozenset(r for r in now if now[r] == code) for code in now.values()} == {frozenset(part) for part in parts}
    assert all(verify(code) for code in now.values())


def check_life(
    before: dict[int, str],
    known: dict[str, tuple[str, str | None]],
    now: dict[int, str],
    after: dict[str, tuple[str, str | None]],
    parts: list[set[int]],
    former: dict[int, set[str]],
) -> None:
    for code, part in kept_by(parts, before).items():
        assert {now[rid] for rid in part} == {code}
    for code, (status, into) in after.items():
        assert (status == "active") == (code in now.values())
        assert (into is not None) == (status == "merged")
        assert into is None or after[into][0] != "merged"
        held = {rid for rid in before if before[rid] == code}
        if held and status != "active":
            heirs = Counter(now[rid] for rid in held if rid in now)
            assert status == ("merged" if heirs else "retired")
            assert not heirs or heirs[into or ""] == max(heirs.values())
    for code in set(now.values()) & {code for code, (status, _) in known.items() if status != "active"}:
        assert any(code in former[rid] for rid in now if now[rid] == code and rid in former)
    fresh = set(after) - set(known)
    assert all(parse(code).serial > max((parse(old).serial for old in known), default=0) for code in fresh)
    for part in parts:  # a code is issued only where no record ever bore one that is free
        if {now[rid] for rid in part} <= fresh:
            free = {c for rid in part for c in former.get(rid, set()) if known[c][0] != "active"}
            assert free <= set(now.values())


def check_counts(
    counts: ChangeCounts,
    before: dict[int, str],
    known: dict[str, tuple[str, str | None]],
    now: dict[int, str],
    after: dict[str, tuple[str, str | None]],
) -> None:
    old, new = set(before.values()), set(now.values())
    status = Counter(after[code][0] for code in old - new)
    assert (counts.created, counts.merged, counts.retired) == (len(new - old), status["merged"], status["retired"])
    assert counts.moved == sum(before[rid] != now[rid] for rid in before if rid in now)
    same = old & new
    gained = {c for c in same if any(now[r] == c != before.get(r) for r in now)}
    lost = {c for c in same if any(before[r] == c != now.get(r, c) for r in before)}
    split = {c for c in lost if any(before[r] == c and now.get(r) in new - old for r in before)}
    assert (counts.split, counts.absorbed) == (len(split), len(gained - split))
    assert counts.untouched + counts.updated + counts.absorbed + counts.split + counts.created <= len(new)


def check_golden(connection: Connection, parts: list[set[int]], names: dict[int, str], now: dict[int, str]) -> None:
    rows = connection.execute(
        text("SELECT code, value, agree, differ FROM entity_value WHERE known_to IS NULL AND property = 'name'")
    )
    found = {row.code: (row.value, row.agree, row.differ) for row in rows}
    assert len(found) == len(parts)
    for part in parts:
        value, agree, differ = found[now[min(part)]]
        assert (agree, differ) == (sum(names[r] == value for r in part), sum(names[r] != value for r in part))
        best = min(part, key=lambda rid: rid % 3)
        assert value == names[best] or best % 3 == min(rid % 3 for rid in part)


def test_a_merge_redirects_in_one_hop_and_a_split_gives_the_code_back(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    run(connection, keyring, *people(make, [{1, 2}, {3, 4, 5, 7}, {6}]), 1)
    one, two, three = (membership(connection)[rid] for rid in (1, 3, 6))
    assert run(connection, keyring, *people(make, [{1, 2, 6}, {3, 4, 5, 7}]), 2).merged == 1
    counts = run(connection, keyring, *people(make, [{1, 2, 3, 4, 5, 6, 7}]), 3)
    assert (counts.merged, counts.absorbed, counts.moved) == (1, 1, 3)
    assert entities(connection) == {one: ("merged", two), two: ("active", None), three: ("merged", two)}
    counts = run(connection, keyring, *people(make, [{1, 2}, {3, 4, 5, 6, 7}]), 4)
    assert (counts.split, counts.created, counts.moved) == (1, 1, 2)
    assert membership(connection)[1] == one
    diffs = {row.code: (row.change, row.diff) for row in connection.execute(text("SELECT * FROM change WHERE run = 4"))}
    assert diffs == {
        one: ("created", {"from": [two], "returned": True}),
        two: ("split", {"to": [one], "location": ["division"]}),  # the first feed's record went
    }


def test_records_that_come_back_bring_their_code_back(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    run(connection, keyring, *people(make, [{1, 2}]), 1)
    code = membership(connection)[1]
    assert run(connection, keyring, Matched(), make.records([]), 2).retired == 1
    assert entities(connection) == {code: ("retired", None)}
    assert run(connection, keyring, *people(make, [{1}]), 3).created == 1
    assert membership(connection) == {1: code}


def test_only_the_value_that_changed_is_named(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    run(connection, keyring, *people(make, [{1}, {2}]), 1)
    counts = run(connection, keyring, *people(make, [{1}, {2}], {1: "李四"}), 2)
    assert (counts.updated, counts.untouched) == (1, 1)
    code = membership(connection)[1]
    line = connection.execute(text("SELECT code, change, diff, division FROM change WHERE run = 2")).one()
    assert tuple(line) == (code, "updated", {"properties": ["name"]}, "340202004017")
    values = connection.execute(
        text("SELECT value, known_from, known_to FROM entity_value WHERE code = :c ORDER BY known_from"), {"c": code}
    )
    assert [tuple(row) for row in values] == [
        ("张三", START + timedelta(days=1), START + timedelta(days=2)),
        ("李四", START + timedelta(days=2), None),
    ]


def household(make: SimpleNamespace, size: str = "2", home: int = 1) -> tuple[Matched, Records]:
    """Two persons in a dwelling with their household; the number of the first is known."""
    rows = [
        {"rid": 1, "source": "police", "name": "张三", "id_number": "11010519491231002X"},
        {"rid": 2, "source": "app", "name": "李四"},
    ]
    where = {"type": "place", "kind": "dwelling", "cluster": home}
    named = {"type": "household", "kind": "residential", "cluster": 1}
    people = [{"type": "person", "kind": "", "cluster": rid} for rid in (1, 2)]
    relations = [
        *(
            {
                **who,
                "relation": "member_of",
                "to_type": "household",
                "to_kind": "residential",
                "to_cluster": 1,
                "rid": who["cluster"],
            }
            for who in people
        ),
        {**named, "relation": "located_in", "to_type": "place", "to_kind": "dwelling", "to_cluster": home, "rid": 1},
    ]
    matched = Matched(
        members=pd.concat(
            [
                make.members({1: 1, 2: 2}),
                make.members({1: 1, 2: 1}, "household", "residential"),
                make.members({1: home, 2: home}, "place", "dwelling"),
            ],
            ignore_index=True,
        ),
        derived=pd.DataFrame(
            [
                {**named, "property": "size", "value": size, "rid": 1},
                {**where, "property": "room", "value": "501", "rid": 2},
            ]
        ),
        relations=pd.DataFrame(relations),
        edges=pd.DataFrame([{"type": "person", "rid_a": 1, "rid_b": 2, "weight": -3.5}]),
        locations=pd.DataFrame([{**where, "division": "340202004017", "grid": "340202004017003", "basis": "polygon"}]),
    )
    return matched, make.records(rows)


def test_a_person_lies_where_the_household_does(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    run(connection, keyring, *household(make))
    rows = connection.execute(
        text("SELECT type, division, grid, basis, records, sources FROM entity ORDER BY type, code")
    ).all()
    assert [tuple(row) for row in rows] == [
        ("household", "340202004017", "340202004017003", "polygon", 2, 2),
        ("person", "340202004017", "340202004017003", "polygon", 1, 1),
        ("person", "340202004017", "340202004017003", "polygon", 1, 1),
        ("place", "340202004017", "340202004017003", "polygon", 2, 2),
    ]
    issued = connection.execute(text("SELECT code FROM entity WHERE type = 'person' ORDER BY code")).scalars().all()
    assert [code[:7] for code in issued] == ["P340202", "P340202"]


def test_derived_values_relations_edges_and_aliases_are_kept(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    run(connection, keyring, *household(make), 1)
    assert run(connection, keyring, *household(make), 2).nothing
    values = connection.execute(
        text("SELECT property, value FROM entity_value WHERE property IN ('size', 'room') ORDER BY 1")
    )
    assert [tuple(row) for row in values] == [("room", "501"), ("size", "2")]
    count = connection.execute(text("SELECT relation, count(*) FROM relation GROUP BY 1 ORDER BY 1")).all()
    assert [tuple(row) for row in count] == [("located_in", 1), ("member_of", 2)]
    assert connection.execute(text("SELECT record_a, record_b, model, weight FROM edge")).one()[:] == (
        1,
        2,
        "model",
        -3.5,
    )
    alias = connection.execute(text("SELECT scheme, value, blind FROM alias")).one()
    assert (alias.scheme, alias.value) == ("resident_id", None)
    assert bytes(alias.blind) == keyring.blind("11010519491231002X", "alias")
    sealed = connection.execute(text("SELECT value, sealed FROM entity_value WHERE property = 'id_number'")).one()
    assert sealed.value is None
    assert keyring.unseal(bytes(sealed.sealed), "entity_value.sealed") == "11010519491231002X"


def test_moving_house_ends_a_relation(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    matched, records = household(make)
    run(connection, keyring, matched, records, 1)
    apart = Matched(matched.members, matched.derived, matched.relations.iloc[:2], matched.edges, matched.locations)
    assert run(connection, keyring, apart, records, 2).updated == 3
    row = connection.execute(text("SELECT known_from, known_to FROM relation WHERE relation = 'located_in'")).one()
    assert tuple(row) == (START + timedelta(days=1), START + timedelta(days=2))
    basis = connection.execute(text("SELECT basis FROM entity WHERE type = 'household'")).scalar_one()
    assert basis == "feed"


def test_nothing_at_all_is_a_registry_too(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    assert run(connection, keyring, Matched(), make.records([])) == ChangeCounts()


def test_two_entities_of_one_kind_for_a_record_are_refused(
    connection: Connection, keyring: Keyring, make: SimpleNamespace
) -> None:
    matched, records = people(make, [{1}])
    doubled = Matched(pd.concat([matched.members, matched.members.assign(cluster=9)], ignore_index=True))
    with pytest.raises(ValueError, match="two entities"):
        run(connection, keyring, doubled, records)


def test_a_run_cut_off_leaves_what_was_published(database: Database, keyring: Keyring, make: SimpleNamespace) -> None:
    with database.session(make.actor) as connection:
        make.declare(connection)
        run(connection, keyring, *people(make, [{1, 2}, {3}]), 1)
        published, codes = contents(connection), membership(connection)
    with pytest.raises(ZeroDivisionError):
        cut_off(database, keyring, *people(make, [{1}, {2, 3}]))
    with database.session(make.actor) as connection:
        assert contents(connection) == published
        counts = run(connection, keyring, *people(make, [{1, 2, 3}]), 3)
        assert counts.merged == 1
        assert set(membership(connection).values()) == {codes[1]}


def cut_off(database: Database, keyring: Keyring, matched: Matched, records: Records) -> None:
    """A run that fails after all is written, and before it is published."""
    with database.session(ACTOR) as connection:
        run(connection, keyring, matched, records, 2)
        raise ZeroDivisionError
