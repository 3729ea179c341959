"""Searching a published registry: golden cases of misspellings, laws, areas, and what is asked at the door."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from district import PERSONS, District, copy_district, person
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from onegrid.database import Actor, copy_frame
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from registry.runs import finish_run, start_run
from registry.search import Hit, Query, finding, search
from registry.unify import unify

Undone = Callable[[], AbstractContextManager[Connection]]
GOLDEN = Path(__file__).parents[1] / "golden" / "search.tsv"
START = datetime(2026, 1, 1, tzinfo=UTC)
HAN = "张章王李建国淑芬志强浩然雨桐思远佳怡欧阳司马乐单解曾"


@pytest.fixture(scope="module")
def published(make_folder: Callable[[], Path], prepared_home: Path) -> Iterator[District]:
    """A district that was run once."""
    made = copy_district(make_folder(), prepared_home)
    with made.database():
        assert made.run().code == 0
        yield made


@pytest.fixture(scope="module")
def keys(published: District) -> Keyring:
    return Keyring.open(Settings(published.home).master_key)


@pytest.fixture
def district_connection(published: District) -> Iterator[Connection]:
    with published.database() as database, database.session(Actor("test")) as connection:
        yield connection


@pytest.fixture(scope="module")
def codes(published: District) -> dict[int, str]:
    """The code of each person."""
    registry = published.registry()
    return {place: registry.code("population", f"r{place:03}") for place in range(PERSONS)}


def cases() -> list[dict[str, str]]:
    lines = [line for line in GOLDEN.read_text("utf-8").splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def texts(connection: Connection, code: str) -> set[str]:
    rows = connection.exec_driver_sql(
        "SELECT value FROM entity_value WHERE code = %(code)s AND known_to IS NULL AND value IS NOT NULL",
        {"code": code},
    )
    return set(rows.scalars())


@pytest.mark.parametrize("case", cases(), ids=[case["why"] for case in cases()])
def test_golden_cases(
    district_connection: Connection, keys: Keyring, codes: dict[int, str], case: dict[str, str]
) -> None:
    asked = {name: case[name] or None for name in ("type", "name", "phone", "address")}
    hits = search(district_connection, keys, Query(**asked))
    assert hits
    if case["first"].isdigit():
        assert hits[0].code == codes[int(case["first"])]
    else:
        assert case["first"] in texts(district_connection, hits[0].code)


def test_a_misspelt_name_ranks_below_the_right_one(
    district_connection: Connection, keys: Keyring, codes: dict[int, str]
) -> None:
    (exact, *_), (alike, *_) = (
        search(district_connection, keys, Query("person", name)) for name in ("赵建国", "照建国")
    )
    assert exact.code == alike.code == codes[0]
    assert 1 == exact.score > alike.score > 0.8


def test_everybody_is_found_by_name_and_phone(
    district_connection: Connection, keys: Keyring, codes: dict[int, str]
) -> None:
    for place, code in codes.items():
        said = person(place)
        first, *_ = search(district_connection, keys, Query("person", said["name"], said["phone"]))
        assert (first.code, first.score, first.agree) == (code, 1.0, ("phone", "name"))


def test_only_the_area_is_seen(district_connection: Connection, keys: Keyring) -> None:
    everywhere = search(district_connection, keys, Query("person", address="春晖苑402", limit=50))
    assert {hit.division[:6] for hit in everywhere if hit.division} == {"340202"}
    assert search(district_connection, keys, Query("person", address="春晖苑402", area="340203")) == []
    divisions = {hit.division for hit in everywhere if hit.division}
    for division in divisions:
        seen = search(district_connection, keys, Query("person", address="春晖苑402", area=division, limit=50))
        assert {hit.code for hit in seen} == {h.code for h in everywhere if (h.division or "").startswith(division)}


@pytest.mark.parametrize("asked", [{}, {"name": " "}, {"name": "先生"}, {"phone": "无"}, {"address": "（）"}])
def test_nothing_asked_finds_nothing(district_connection: Connection, keys: Keyring, asked: dict[str, str]) -> None:
    assert search(district_connection, keys, Query(**asked)) == []


def test_the_limit_holds(district_connection: Connection, keys: Keyring) -> None:
    assert len(search(district_connection, keys, Query("person", "建国", limit=2))) == 2
    assert search(district_connection, keys, Query("person", "建国", limit=0)) == []


def test_a_type_that_does_not_exist_is_refused(district_connection: Connection, keys: Keyring) -> None:
    with pytest.raises(ValueError, match="no entity type"):
        search(district_connection, keys, Query("dog", "旺财"))


# ---------------------------------------------------------------- laws

names = st.one_of(
    st.text(HAN, min_size=2, max_size=4),
    st.builds(lambda one, two: f"{one}·{two}", st.text(HAN, min_size=2, max_size=5), st.text(HAN, min_size=2, max_size=5)),
    st.sampled_from(["John Smith", "张*国", "王先生", "老李", "张?国", "新生儿", "李四妈"]),
)  # fmt: skip
people = st.lists(names, min_size=1, max_size=8)


def publish(connection: Connection, keyring: Keyring, make: SimpleNamespace, said: list[str]) -> dict[int, str]:
    rows = [
        {"rid": rid, "source": "police", "name": name, "phone": phone_of(rid)} for rid, name in enumerate(said, start=1)
    ]
    number = start_run(connection, "model")
    counts = unify(make.clusters(*({row["rid"]} for row in rows)), make.records(rows), connection, keyring, number)
    finish_run(connection, number, counts)
    found = connection.exec_driver_sql("SELECT record, code FROM membership WHERE known_to IS NULL")
    return {row.record: row.code for row in found}


def phone_of(rid: int) -> str:
    return f"138{55010000 + 37 * rid}"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people)
def test_a_person_is_always_found_by_the_own_name_and_phone(
    undone: Undone, keyring: Keyring, make: SimpleNamespace, said: list[str]
) -> None:
    with undone() as connection:
        for rid, code in publish(connection, keyring, make, said).items():
            first, *_ = search(connection, keyring, Query("person", said[rid - 1], phone_of(rid)))
            assert first.code == code


def test_an_old_name_finds_nobody(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    code = publish(connection, keyring, make, ["张建国", "李秀英"])[1]
    publish(connection, keyring, make, ["王浩然", "李秀英"])
    assert found(connection, keyring, "张建国") == set()
    assert found(connection, keyring, "王浩然") == {code}


def found(connection: Connection, keyring: Keyring, name: str) -> set[str]:
    hits: list[Hit] = search(connection, keyring, Query("person", name))
    return {hit.code for hit in hits}


def test_every_question_is_answered_by_indexes(connection: Connection, keyring: Keyring, make: SimpleNamespace) -> None:
    """Also when a table was just filled and the database has counted nothing yet."""
    publish(connection, keyring, make, ["张建国"])
    many = pd.DataFrame({"token": [f"a:{n % 500}" for n in range(20_000)], "code": [f"L{n}" for n in range(20_000)]})
    copy_frame(connection, "search_key", many)
    steps = finding(Query("person", "张建国", address="春晖路3号402"), keyring)
    question = next(steps)
    for _ in range(3):
        plan = "\n".join(connection.exec_driver_sql("EXPLAIN " + question.sql, question.params).scalars())
        assert "Seq Scan on search_key" not in plan
        assert ("pk_search_key" in plan) == ("search_key" in question.sql)
        rows = connection.exec_driver_sql(question.sql, question.params).mappings().all()
        try:
            question = steps.send(rows)
        except StopIteration:
            break
