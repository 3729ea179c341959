"""A list that the API was given is compared in a process beside it, so that questions at the door do not wait."""

from __future__ import annotations

from onegrid.comparing import Comparison, asker_of, compare, lines_of, read_list
from onegrid.database import Actor
from onegrid.errors import OneGridError, Unforeseen
from onegrid.pipeline import open_hub
from onegrid.settings import Settings
from onegrid.stages import Hub
from registry import comparing as registry
from registry import comparisons

ACTOR = Actor("onegrid api")


def run_job(settings: Settings, number: int) -> None:
    """Compares a waiting list; what it discloses is written down in the transaction that keeps the result."""
    with open_hub(settings, ACTOR, lambda _: None) as hub:
        try:
            _run(hub, number)
        except OneGridError as error:
            _fail(hub, number, str(error))
        except Exception as error:  # noqa: BLE001 - this process's edge: the one who waits must hear of it
            _fail(hub, number, str(Unforeseen.of(error)))


def _run(hub: Hub, number: int) -> None:
    with hub.database.session(ACTOR) as connection:
        job = comparisons.take(connection, hub.keyring, number)
    if job is None:
        return
    if job.caller is None:
        _fail(hub, number, "The token that gave the list is no longer valid.")
        return
    spec = job.spec

    def progress(done: int) -> None:
        with hub.database.session(ACTOR) as beside:
            comparisons.moved(beside, number, done)

    listed = read_list(spec["name"], job.content, job.caller.area.ljust(6, "0"), spec["given"])
    with hub.database.session(ACTOR) as connection:
        comparison = Comparison(asker_of(connection, hub.keyring), job.caller, spec["show"])
        result = compare(connection, listed, comparison, progress)
        named = result["code"].dropna()
        registry.tell(connection, job.caller, job.purpose, job.origin, spec["show"], named.tolist())
        counts = {str(verdict): int(rows) for verdict, rows in result["verdict"].value_counts().items()}
        comparisons.finish(connection, hub.keyring, number, lines_of(result, spec["show"]), counts)


def _fail(hub: Hub, number: int, error: str) -> None:
    with hub.database.session(ACTOR) as connection:
        comparisons.fail(connection, number, error)
