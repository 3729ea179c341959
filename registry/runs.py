"""The runs of the registry: one at a time, each with its state; what a killed one left is marked by the next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection, text

from onegrid.errors import RunBusy
from registry.changes import ChangeCounts
from registry.read import staged_loads

RUN_LOCK = 0x6F6E6567_72  # "onegr"
PUBLISH_LOCK = 0x6F6E6567_70  # "onegp"
_TAKE = "SELECT pg_try_advisory_lock(:key)"
_LEAVE = "SELECT pg_advisory_unlock(:key)"
_ABANDON = """
    UPDATE run SET state = 'abandoned', finished_at = now(), error = 'The run was cut off before it published.'
    WHERE state = 'running'"""
_START = """
    INSERT INTO run (model, state, loads) VALUES (:model, 'running', CAST(:loads AS jsonb)) RETURNING id"""
_FINISH = """
    UPDATE run SET state = :state, finished_at = clock_timestamp(), counts = CAST(:counts AS jsonb),
        stages = CAST(:stages AS jsonb), error = :error, model = coalesce(:model, model)
    WHERE id = :run"""


def lock_run(connection: Connection) -> None:
    """Takes the registry for one run, for as long as this connection is open: kill -9 lets it go by itself.

    Raises RunBusy at once when another run holds it.
    """
    if not connection.execute(text(_TAKE), {"key": RUN_LOCK}).scalar_one():
        raise RunBusy("Another run holds the registry: wait until it has finished, then run again.")


def unlock_run(connection: Connection) -> None:
    """Lets the registry go, on the connection that took it."""
    connection.execute(text(_LEAVE), {"key": RUN_LOCK})


def publish_in_turn(connection: Connection) -> None:
    """Lets nobody else publish until the caller's transaction has ended: changes are numbered as they are committed.

    The lock of a run may go before its transaction does, when the process is killed while the server still commits.
    """
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": PUBLISH_LOCK})


def start_run(connection: Connection, model: str | None = None) -> int:
    """The number of a new run, holding the lock of `lock_run`; runs that were cut off are marked as abandoned.

    The run remembers the last staged load of each source, by which the next one knows whether anything is new.
    """
    connection.execute(text(_ABANDON))
    loads = json.dumps(staged_loads(connection))
    return int(connection.execute(text(_START), {"model": model, "loads": loads}).scalar_one())


def set_model(connection: Connection, run: int, model: str) -> None:
    """Says which version of the model the run scores with; edges are kept by it."""
    connection.execute(text("UPDATE run SET model = :model WHERE id = :run"), {"run": run, "model": model})


def set_stages(connection: Connection, run: int, stages: Mapping[str, object]) -> None:
    """Says what the stages of a run have cost so far, for those who watch it."""
    connection.execute(
        text("UPDATE run SET stages = CAST(:stages AS jsonb) WHERE id = :run"),
        {"run": run, "stages": json.dumps(dict(stages))},
    )


def finish_run(
    connection: Connection,
    run: int,
    counts: ChangeCounts | None,
    stages: Mapping[str, object] | None = None,
    error: str | None = None,
) -> None:
    """Ends a run: published with its counts, or failed with one sentence when `error` is given."""
    values = {
        "run": run,
        "state": "published" if error is None else "failed",
        "counts": json.dumps(asdict(counts) if counts else {}),
        "stages": json.dumps(dict(stages or {})),
        "error": error,
        "model": None,
    }
    connection.execute(text(_FINISH), values)


def last_published(connection: Connection) -> int | None:
    """The number of the last run that published, None before the first."""
    found = connection.execute(text("SELECT max(id) FROM run WHERE state = 'published'")).scalar()
    return None if found is None else int(found)
