"""One run at a time; what a killed one leaves."""

from __future__ import annotations

import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from sqlalchemy import Connection, NullPool, create_engine, text

from onegrid.database import Database
from onegrid.errors import RunBusy
from registry.changes import ChangeCounts, Outcome
from registry.runs import finish_run, lock_run, set_model, start_run, unlock_run


def states(connection: Connection) -> list[tuple[str, str | None]]:
    return [tuple(row) for row in connection.execute(text("SELECT state, error FROM run ORDER BY id"))]


def test_a_second_run_is_told_that_the_first_is_at_it(database: Database, make: SimpleNamespace) -> None:
    with database.session(make.actor) as first, database.session(make.actor) as second:
        lock_run(first)
        with pytest.raises(RunBusy, match="Another run"):
            lock_run(second)
        unlock_run(first)
        lock_run(second)
        unlock_run(second)


def test_a_lost_connection_lets_the_registry_go(database: Database, make: SimpleNamespace) -> None:
    lost = create_engine(database.app_url, poolclass=NullPool).connect()
    lock_run(lost)
    driver = lost.connection.driver_connection
    assert driver is not None
    driver.close()  # as when the process was killed
    with database.session(make.actor) as next_:
        for _ in range(50):  # the server notices a moment later
            with suppress(RunBusy):
                lock_run(next_)
                break
            time.sleep(0.05)
        unlock_run(next_)
    with database.session(make.actor) as connection:
        lock_run(connection)
        unlock_run(connection)


def test_a_run_that_was_cut_off_is_marked_by_the_next(connection: Connection) -> None:
    start_run(connection, "m1")
    second = start_run(connection)
    set_model(connection, second, "m2")
    finish_run(connection, second, Outcome(ChangeCounts(created=3)), {"read": {"seconds": 1.0}})
    third = start_run(connection)
    finish_run(connection, third, None, error="The disk is full.")
    assert states(connection) == [
        ("abandoned", "The run was cut off before it published."),
        ("published", None),
        ("failed", "The disk is full."),
    ]
    row = connection.execute(text("SELECT model, counts, stages FROM run WHERE id = :id"), {"id": second}).one()
    assert (row.model, row.counts["created"], row.stages) == ("m2", 3, {"read": {"seconds": 1.0}})
