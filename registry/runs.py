"""The runs of the registry: one at a time, each with its state; what a killed one left is marked by the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.errors import NotFound, RunBusy
from onegrid.frames import read_frame
from registry.changes import Outcome
from registry.read import staged_loads, staged_since
from schemas.records import Feed

RUN_LOCK = 0x6F6E6567_72  # "onegr"
PUBLISH_LOCK = 0x6F6E6567_70  # "onegp"
_TAKE = "SELECT pg_try_advisory_lock(:key)"
_LEAVE = "SELECT pg_advisory_unlock(:key)"
_ABANDON = """
    UPDATE run SET state = 'abandoned', finished_at = now(), error = 'The run was cut off before it published.'
    WHERE state = 'running'"""
_START = """
    INSERT INTO run (model, state, loads, feeds)
    VALUES (:model, 'running', CAST(:loads AS jsonb), CAST(:feeds AS jsonb)) RETURNING id"""
_FINISH = """
    UPDATE run SET state = :state, finished_at = clock_timestamp(), counts = CAST(:counts AS jsonb),
        stages = CAST(:stages AS jsonb), error = :error, plan = CAST(:plan AS jsonb),
        published_at = CASE WHEN :state = 'published' THEN coalesce(CAST(:moment AS timestamptz), now()) END
    WHERE id = :run"""
_HELD = "SELECT id FROM run WHERE state = 'held' AND id > coalesce(:published, 0) ORDER BY id DESC LIMIT 1"
_RUN = "SELECT id, state, plan, feeds, error, about, published_at FROM run WHERE id = :run"
_ACCEPTED = "UPDATE run SET about = :held, by = :by WHERE id = :run"
_LIST = """
    SELECT id AS run, state, started_at, published_at, model, counts, error, about, by FROM run
    ORDER BY id DESC LIMIT %(number)s"""


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


def start_run(connection: Connection, model: str | None = None, feeds: Iterable[Feed] = ()) -> int:
    """The number of a new run, holding the lock of `lock_run`; runs that were cut off are marked as abandoned.

    The run remembers the last staged load of each source, by which the next one knows whether anything is new, and what
    was known of the feeds, by which a held run can be made again.
    """
    connection.execute(text(_ABANDON))
    values = {
        "model": model,
        "loads": json.dumps(staged_loads(connection)),
        "feeds": json.dumps([asdict(feed) for feed in feeds]),
    }
    return int(connection.execute(text(_START), values).scalar_one())


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
    outcome: Outcome | None,
    stages: Mapping[str, object] | None = None,
    error: str | None = None,
    *,
    state: str | None = None,
    moment: datetime | None = None,
) -> None:
    """Ends a run: published with what it did, or failed with one sentence when `error` is given, or as `state` says.

    moment: since when the hub knows what was published, where it is not the transaction's own time.
    """
    values = {
        "run": run,
        "state": state or ("published" if error is None else "failed"),
        "counts": json.dumps(asdict(outcome.counts) if outcome else {}),
        "plan": json.dumps(_plan(outcome) if outcome else {}),
        "stages": json.dumps(dict(stages or {})),
        "error": error,
        "moment": moment,
    }
    connection.execute(text(_FINISH), values)


def _plan(outcome: Outcome) -> dict[str, object]:
    return {name: value for name, value in asdict(outcome).items() if name != "counts"}


@dataclass(frozen=True)
class Run:
    """A run as it is kept: its state, what it did or would do, and what it knew of the feeds."""

    number: int
    state: str
    plan: Mapping[str, Any]
    feeds: tuple[Feed, ...]
    error: str | None
    about: int | None
    published_at: datetime | None

    @property
    def digest(self) -> str:
        """Of what it did or would do to known codes."""
        return str(self.plan.get("digest", ""))


def find_run(connection: Connection, number: int) -> Run:
    """Raises NotFound."""
    row = connection.execute(text(_RUN), {"run": number}).one_or_none()
    if row is None:
        raise NotFound(f"There is no run {number}: `onegrid runs` lists them.")
    feeds = tuple(Feed(**feed) for feed in row.feeds)
    return Run(row.id, row.state, row.plan, feeds, row.error, row.about, row.published_at)


def standing_hold(connection: Connection) -> Run | None:
    """The held run that still waits for somebody to look: nothing was published or staged since."""
    found = connection.execute(text(_HELD), {"published": last_published(connection)}).scalar()
    if found is None or staged_since(connection, int(found)):
        return None
    return find_run(connection, int(found))


def note_acceptance(connection: Connection, run: int, held: int, by: str) -> None:
    """Says who had what was held published, and in which run."""
    connection.execute(text(_ACCEPTED), {"run": run, "held": held, "by": by})


def list_runs(connection: Connection, number: int) -> pd.DataFrame:
    """The newest runs first: number, state, times, model, counts (JSON text), error, the run it is about, and by whom."""
    return read_frame(connection, _LIST, {"number": number})


def last_published(connection: Connection) -> int | None:
    """The number of the last run that published, None before the first."""
    found = connection.execute(text("SELECT max(id) FROM run WHERE state = 'published'")).scalar()
    return None if found is None else int(found)
