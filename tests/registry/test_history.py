"""As-of reads against full snapshots kept day by day in plain Python, for every pair of dates of random histories."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from onegrid.sealing import Keyring
from registry.history import When, found_at, members_at, relations_at, values_at
from registry.runs import finish_run, start_run
from registry.unify import unify
from schemas.records import Matched, Records

Undone = Callable[[], AbstractContextManager[Connection]]
START, FIRST = datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)
NAMES, HOMES, DAYS = ("张三", "李四"), (101, 102, 103), 5
# record -> (cluster, name, the day its source dates it or none, home); a record that is not there was withdrawn
Said = tuple[int, int, int | None, int]
Series = tuple[str, Any, str]  # value | home | member; of what; the property, relation or type
Row = tuple[Any, int, str]  # what it says, the record that gives it, and how it won
said = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.one_of(st.none(), st.integers(0, DAYS)), st.sampled_from(HOMES)
)
histories = st.lists(st.dictionaries(st.integers(1, 4), said, max_size=4), min_size=2, max_size=DAYS)


@dataclass(frozen=True)
class Layer:
    """What a series said, from when and, once over, until when; `wrong` when it turned out never to have been so."""

    content: Any
    record: int
    begin: date | None
    end: date | None = None
    wrong: bool = False

    def covers(self, day: date) -> bool:
        after = self.begin is None or self.begin <= day
        return not self.wrong and after and (self.end is None or day < self.end)


def dated(day: int | None) -> date | None:
    return None if day is None else FIRST + timedelta(days=day)


def matched(make: SimpleNamespace, step: dict[int, Said]) -> tuple[Matched, Records]:
    """Persons in their clusters, each living where its first record says; three dwellings that feeds list."""
    rows = [
        {"rid": rid, "source": "police", "name": NAMES[name], "updated_at": None if day is None else f"{dated(day)}"}
        for rid, (_, name, day, _) in sorted(step.items())
    ]
    people = make.records(rows).frames
    places = pd.DataFrame({"rid": HOMES, "source": "grid", "key": [str(h) for h in HOMES], "role": ""})
    places = places.assign(name=[f"{h}室" for h in HOMES]).astype({"source": "str", "role": "str", "name": "str"})
    parts = [make.members({home: home for home in HOMES}, "place", "dwelling")]
    first = {cluster: min(r for r, s in step.items() if s[0] == cluster) for cluster, *_ in step.values()}
    found = pd.DataFrame()
    if step:
        parts.append(make.members({rid: first[s[0]] for rid, s in step.items()}))
        homes = {rid: step[rid][3] for rid in first.values()}
        found = pd.DataFrame({"cluster": list(homes), "to_cluster": list(homes.values()), "rid": list(homes)})
        found = found.assign(type="person", kind="", relation="lives_at", to_type="place", to_kind="dwelling")
    more = {"relations": found} if len(found) else {}
    return Matched(members=pd.concat(parts, ignore_index=True), **more), Records(
        {**people, "place": places}, make.feeds
    )


RECORD = """
    INSERT INTO record (id, source, key, type, "values", hash, load, known_from)
    VALUES (:id, 'police', :id, 'person', '{}', '', 1, :at)"""
PRESENT = {
    "value": "SELECT code, property AS part, value AS content, record, (rule, agree, differ)::text AS how FROM entity_value WHERE known_to IS NULL",
    "home": "SELECT code, relation AS part, to_code AS content, record, '' AS how FROM relation WHERE known_to IS NULL",
    "member": "SELECT record AS code, type AS part, code AS content, record, '' AS how FROM membership WHERE known_to IS NULL",
}


def snapshot(connection: Connection) -> dict[Series, Row]:
    """All that is present: what each series says."""
    found = {}
    for sort, query in PRESENT.items():
        for row in connection.execute(text(query)):
            found[sort, row.code, row.part] = (row.content, row.record, row.how)
    return found


def holder(series: Series, content: Any) -> str:
    """The code that a series is of: a record's own is the one it belongs to."""
    return content if series[0] == "member" else series[1]


class Oracle:
    """The layers of every series, and what they said at each moment of knowing."""

    def __init__(self) -> None:
        self.layers: dict[Series, list[Layer]] = {}
        self.before: dict[Series, Row] = {}
        self.known: list[dict[date, dict[Series, Any]]] = []

    def learn(self, day: int, step: dict[int, Said], now: dict[Series, Row]) -> None:
        dates = {**{rid: dated(s[2]) for rid, s in step.items()}, **dict.fromkeys(HOMES)}
        belongs = {(s[1], content) for s, (content, *_) in now.items() if s[0] == "member"}
        for series in {*self.before, *now}:
            if self.before.get(series) == now.get(series):
                continue
            if series in self.before:
                self.close(series, day, dates, belongs, now)
            if series in now:
                content, record, _ = now[series]
                self.layers.setdefault(series, []).append(Layer(content, record, dates[record]))
        self.before = now
        days = [FIRST + timedelta(days=n) for n in range(-1, DAYS)]
        self.known.append({d: {s: found for s in self.layers if (found := self.at(s, d)) is not None} for d in days})

    def close(self, series: Series, day: int, dates: dict[int, Any], belongs: set[Any], now: dict[Any, Any]) -> None:
        old = self.layers[series][-1]
        until = dates[now[series][1]] if series in now else dates.get(old.record, FIRST + timedelta(days=day))
        moved = (
            series[0] != "member"
            and old.record in dates
            and not any(record == old.record and code == holder(series, old.content) for record, code in belongs)
        )
        over = until is not None and not moved and (old.begin is None or until > old.begin)
        self.layers[series][-1] = replace(old, end=until) if over else replace(old, wrong=True)

    def at(self, series: Series, day: date) -> Any:
        found = [layer.content for layer in self.layers[series] if layer.covers(day)]
        return found[-1] if found else None


def check(connection: Connection, code: str, when: When, told: dict[Series, Any]) -> None:
    values = {line["property"]: line["value"] for line in values_at(connection, code, when)}
    assert values == {s[2]: content for s, content in told.items() if s[:2] == ("value", code)}
    links = relations_at(connection, code, when)
    out = {line["relation"]: line["code"] for line in links if line["direction"] == "out"}
    assert out == {s[2]: content for s, content in told.items() if s[:2] == ("home", code)}
    residents = {line["code"] for line in links if line["direction"] == "in"}
    assert residents == {s[1] for s, content in told.items() if s[0] == "home" and content == code}
    members = {line["id"] for line in members_at(connection, code, when)}
    assert members == {s[1] for s, content in told.items() if s[0] == "member" and content == code}


def live(undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list[dict[int, Said]]) -> None:
    with undone() as connection:
        oracle, snapshots, status = Oracle(), [], []
        for record in (*range(1, 5), *HOMES):
            connection.execute(text(RECORD), {"id": record, "at": START})
        for day, step in enumerate(history):
            number = start_run(connection, "model")
            found, records = matched(make, step)
            counts = unify(found, records, connection, keyring, number, START + timedelta(days=day))
            finish_run(connection, number, counts)
            now = snapshot(connection)
            oracle.learn(day, step, now)
            snapshots.append({series: content for series, (content, *_) in now.items()})
            status.append(dict(connection.execute(text("SELECT code, status FROM entity")).all()))
        for day in range(len(history)):
            moment = START + timedelta(days=day, hours=1)
            for code in status[-1]:
                seen = found_at(connection, code, When(None, moment))
                assert (seen["status"] if seen else None) == status[day].get(code)
                if code in status[day]:
                    check(connection, code, When(None, moment), snapshots[day])
                    for valid, told in oracle.known[day].items():
                        check(connection, code, When(valid, moment), told)
        assert found_at(connection, code, When(None, START - timedelta(days=1))) is None


# 1 moves on day 1 and is misdated on day 3; 2 is found to be 1 and not any more; 3 is withdrawn, and comes back
STORY: list[dict[int, Said]] = [
    {1: (0, 0, 0, 101), 2: (1, 0, None, 102), 3: (2, 1, 0, 101)},
    {1: (0, 0, 1, 102), 2: (0, 1, None, 102), 3: (2, 1, 1, 103)},
    {1: (0, 1, 3, 103), 2: (0, 1, 2, 102)},
    {1: (0, 1, 2, 101), 2: (1, 1, 2, 103), 3: (2, 0, 3, 101), 4: (2, 0, 3, 101)},
]


def test_a_story_is_read_as_the_snapshots_say(undone: Undone, keyring: Keyring, make: SimpleNamespace) -> None:
    live(undone, keyring, make, STORY)


def test_who_moved_lived_where_it_was_before(undone: Undone, keyring: Keyring, make: SimpleNamespace) -> None:
    """On 1 January, as known on each day: nobody knew yet, lives at 101, and still lived at 101 after the move."""
    with undone() as connection:
        for day, step in enumerate(({1: (0, 0, 0, 101)}, {1: (0, 0, 1, 102)})):
            number = start_run(connection, "model")
            counts = unify(*matched(make, step), connection, keyring, number, START + timedelta(days=day))
            finish_run(connection, number, counts)
        person, old, new = (
            connection.execute(text("SELECT code FROM membership WHERE record = :r"), {"r": r}).scalars().first()
            for r in (1, 101, 102)
        )
        seen = {}
        for known in (0, 1):
            for valid in (0, 1):
                when = When(FIRST + timedelta(days=valid), START + timedelta(days=known, hours=1))
                (line,) = relations_at(connection, person, when)
                seen[known, valid] = line["code"], line["valid_from"], line["valid_to"]
        one, two = FIRST, FIRST + timedelta(days=1)
        assert seen == {
            (0, 0): (old, one, None), (0, 1): (old, one, None), (1, 0): (old, one, two), (1, 1): (new, two, None),
        }  # fmt: skip


@pytest.mark.slow
@pytest.mark.timeout(1200)
@given(histories)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_histories_are_read_as_the_snapshots_say(
    undone: Undone, keyring: Keyring, make: SimpleNamespace, history: list[dict[int, Said]]
) -> None:
    live(undone, keyring, make, history)
