"""What a scheduler runs: one source up to its staged records, or one run over all that is staged.

Both read their settings from the environment, hold what they work on by locks of the database, and may be killed and
repeated at any point. They return numbers of loads and runs, never data.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from onegrid.database import Actor
from onegrid.errors import without_words
from onegrid.meter import Meter
from onegrid.pipeline import alone, feeds_of, holding, open_hub, run_sync, run_unify
from onegrid.settings import read_settings
from onegrid.stages import STAGES, SYNC, Hub, Progress, Sync
from schemas.sources import read_source, read_sources

ACTOR = Actor("airflow")
PATIENCE_S = 30 * 60  # a sync that takes longer does not hold up what the others have brought
LOOK_S = 1.0
Busy = Callable[[], bool]


def sync_source(file: Path, tell: Progress = print) -> int:
    """Land, check and stage the source that `file` declares; the number of its load.

    Raises what was wrong with the feed (its last good state stands), RunBusy when another process is loading it.
    """
    with without_words():
        source = read_source(file)
        with open_hub(read_settings(), ACTOR, tell) as hub, holding(hub, [source.name]), Meter(STAGES) as meter:
            sync = Sync(source)
            error = run_sync(hub, sync, meter)
            _keep_costs(hub, sync, meter)
        for warning in sync.warnings:
            tell(f"warning: {warning}")
        if error is not None:
            raise type(error)(str(sync.error)) from None
        if sync.landing is None:
            raise RuntimeError("a source that did not fail has landed")
        return sync.landing.load


def _keep_costs(hub: Hub, sync: Sync, meter: Meter) -> None:
    from connectors.loads import set_stages

    if sync.landing is not None:
        costs = {step.__name__: meter.tallies[step.__name__].summary() for step in SYNC}
        with hub.database.session(hub.actor) as connection:
            set_stages(connection, sync.landing.load, costs)


def unify_staged(folder: Path, busy: Busy, tell: Progress = print) -> int | None:
    """Match and publish all that the sources of `folder` have staged; the number of the last run, None for no run.

    busy: whether a sync is under way. Ends at once when nothing new is staged; otherwise waits until no sync is under
    way, and goes on until all is published. The first model is not trained before every source was read once, well or
    badly: until then nothing is published, and the next sync comes back here. Raises RunBusy when another run is at it.
    """
    with without_words():
        declared, errors = read_sources(folder)
        for refused in errors:
            tell(f"left out: {refused}")
        run = None
        with open_hub(read_settings(), ACTOR, tell) as hub:
            while _anything_new(hub):
                _wait(busy, tell)
                with alone(hub), Meter(STAGES) as meter:
                    unread = _unread_before_training(hub, [source.name for source in declared])
                    if unread:
                        tell(f"no model yet, and not read even once: {', '.join(unread)}")
                        return None
                    run_unify(hub, feeds_of(declared), meter)
                    run = _last_run(hub)
        return run


def keep_house(tell: Progress = print) -> int:
    """Back up the registry and end old landed loads; how many of those."""
    from onegrid.upkeep import back_up, forget_landed

    with without_words(), open_hub(read_settings(), ACTOR, tell) as hub:
        back_up(hub)
        return forget_landed(hub)


def _anything_new(hub: Hub) -> bool:
    from registry.read import nothing_new, staged_loads

    with hub.database.session(hub.actor) as connection:
        return bool(staged_loads(connection)) and not nothing_new(connection)


def _wait(busy: Busy, tell: Progress) -> None:
    start = time.monotonic()
    while busy():
        if time.monotonic() - start > PATIENCE_S:
            tell(
                f"a sync is under way for more than {PATIENCE_S // 60} minutes: what it brings comes with the next run"
            )
            return
        time.sleep(LOOK_S)


def _unread_before_training(hub: Hub, names: list[str]) -> list[str]:
    """The sources the first model still waits for; none once there is a model."""
    from connectors.loads import never_read
    from registry.models import has_model

    with hub.database.session(hub.actor) as connection:
        return [] if has_model(connection) else never_read(connection, names)


def _last_run(hub: Hub) -> int | None:
    from registry.runs import last_published

    with hub.database.session(hub.actor) as connection:
        return last_published(connection)
