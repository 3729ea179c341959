"""Who follows the change feed misses nothing, however many publish and read at once."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from onegrid.database import Database
from onegrid.sealing import Keyring
from registry import changes_out
from registry.changes_out import PAGE, Page, Wanted, page_of
from registry.runs import start_run
from registry.unify import unify

RUNS, PUBLISHERS, READERS = 3, 2, 2


def read(database: Database, make: SimpleNamespace, since: int, limit: int, **wanted: Any) -> Page:
    with database.session(make.actor) as connection:
        asked = {"since": since, "limit": limit, "area": "", **Wanted(**wanted).values()}
        rows = connection.exec_driver_sql(PAGE, asked).mappings().all()
    return page_of(rows, since, limit)


def publish(database: Database, keyring: Keyring, make: SimpleNamespace, seed: int, pause: float = 0.0) -> None:
    """One run over a few persons, thrown together at random; it commits a while after it is written."""
    chance = random.Random(seed)
    parts: dict[int, set[int]] = {}
    for rid in chance.sample(range(1, 9), 6):
        parts.setdefault(chance.randrange(3), set()).add(rid)
    rows = [{"rid": rid, "source": "police", "name": chance.choice("张李")} for part in parts.values() for rid in part]
    with database.session(make.actor) as connection:
        run = start_run(connection, "model")
        unify(
            make.clusters(*parts.values()),
            make.records(sorted(rows, key=lambda row: row["rid"])),
            connection,
            keyring,
            run,
        )
        time.sleep(pause)


def test_readers_miss_nothing_while_several_publish(
    database: Database, keyring: Keyring, make: SimpleNamespace
) -> None:
    with database.session(make.actor) as connection:
        make.declare(connection)
    done = threading.Event()
    seen: list[list[int]] = [[] for _ in range(READERS)]

    def follow(found: list[int]) -> None:
        since, last = 0, False
        while not last:
            last = done.is_set()
            more = True
            while more:
                page = read(database, make, since, 3)
                found += [item["sequence"] for item in page.items]
                since, more = page.next, page.more

    def publishing(first: int) -> None:
        for number in range(RUNS):
            publish(database, keyring, make, first * 100 + number, pause=0.2)

    with ThreadPoolExecutor(READERS + PUBLISHERS) as pool:
        readers = [pool.submit(follow, found) for found in seen]
        try:
            for published in [pool.submit(publishing, number) for number in range(PUBLISHERS)]:
                published.result()
        finally:
            done.set()
        for reading in readers:
            reading.result()
    with database.session(make.actor) as connection:
        every = connection.exec_driver_sql("SELECT sequence FROM change ORDER BY 1").scalars().all()
    assert len(every) > RUNS * PUBLISHERS
    for found in seen:
        assert found == every


def test_a_run_that_failed_leaves_no_hole_to_wait_at(
    database: Database, keyring: Keyring, make: SimpleNamespace
) -> None:
    with database.session(make.actor) as connection:
        make.declare(connection)
    publish(database, keyring, make, 1)
    with database.session(make.actor) as connection:
        connection.exec_driver_sql("INSERT INTO change (run, code, type, change) VALUES (0, 'x', 'person', 'moved')")
        connection.rollback()
    publish(database, keyring, make, 2)
    numbers = [item["sequence"] for item in read(database, make, 0, 1000).items]
    assert numbers[-1] - numbers[0] >= len(numbers)
    assert "x" not in {item["code"] for item in read(database, make, 0, 1000).items}


def test_a_page_looks_through_no_more_than_its_window(
    database: Database, make: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.session(make.actor) as connection:
        connection.exec_driver_sql(
            "INSERT INTO change (run, code, type, change, division) "
            "SELECT 1, n::text, CASE WHEN n = 25 THEN 'event' ELSE 'person' END, 'created', '340202' "
            "FROM generate_series(1, 30) n"
        )
    narrow = PAGE.replace(str(changes_out.WINDOW), "10")
    assert narrow != PAGE
    monkeypatch.setattr(changes_out, "WINDOW", 10)
    asked = {"limit": 5, "area": "340202", **Wanted(types=["event"]).values()}
    steps = []
    since, more = 0, True
    while more:
        with database.session(make.actor) as connection:
            rows = connection.exec_driver_sql(narrow, {"since": since, **asked}).mappings().all()
        page = page_of(rows, since, 5)
        steps.append((page.next, [item["code"] for item in page.items], page.more))
        since, more = page.next, page.more
    assert steps == [(10, [], True), (20, [], True), (30, ["25"], False)]
