"""A run from feeds to registry: every source through its stages, then all records through theirs, once at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onegrid.database import Actor, open_database
from onegrid.errors import DatabaseError, FeedError, NotFound, OneGridError, RunHeld
from onegrid.meter import Meter, Tally
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from onegrid.stages import (
    CHANGES,
    STAGES,
    SYNC,
    UNIFY,
    Hub,
    Progress,
    Sync,
    SyncStage,
    Unification,
    check,
    held_error,
    land,
    stage,
)
from onegrid.workers import cores, workers
from schemas.properties import entity_types
from schemas.sources import LEVELS, Source

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from registry.changes import Outcome
    from registry.runs import Run
    from schemas.records import Feed

SIDE_BY_SIDE_FROM = 40_000  # rows landed: below, starting processes costs more than it saves
CheckedBeside = tuple[
    Sync, dict[str, Tally], list[str]
]  # from another process: the source's work, its cost, what it told


@dataclass(frozen=True)
class Summary:
    """What a run did: `sources`, `entities`, `changes`, `stages` as the contract names them, and the sentences of what failed."""

    sources: dict[str, dict[str, object]]
    entities: dict[str, int]
    changes: dict[str, int]
    stages: dict[str, dict[str, float | int]]
    errors: tuple[str, ...] = ()
    outcome: Outcome | None = None


@contextmanager
def open_hub(settings: Settings, actor: Actor, tell: Progress) -> Iterator[Hub]:
    """The hub on its database, migrated, with its keys."""
    from schemas.migrations import migrate

    with open_database(settings) as database:
        migrate(database)
        yield Hub(settings, database, Keyring.open(settings.master_key), actor, tell)


def run_sync(hub: Hub, sync: Sync, meter: Meter, steps: tuple[SyncStage, ...] = SYNC) -> OneGridError | None:
    """Take one source through its stages; what is wrong with the feed is kept as its error, and the others go on.

    Returns that error, None when all went well.
    """
    for step in steps:
        with meter.stage(step.__name__) as tally:
            try:
                rows = step(hub, sync)
            except (FeedError, DatabaseError) as error:
                if not _is_the_feeds(error):
                    raise
                sync.state, sync.error = "failed", _named(sync.source, error)
                _keep_failure(hub, sync)
                return error
            tally.rows += rows
            if rows:
                hub.tell(f"{step.__name__:<7}{sync.source.name:<24}{rows:>10,} rows")
    return None


def _is_the_feeds(error: OneGridError) -> bool:
    """Whether an error is of one feed: a statement the database refused is one, a full disk or a lost server is not."""
    return isinstance(error, FeedError) or type(error) is DatabaseError


def _named(source: Source, error: OneGridError) -> str:
    """The error's sentence, beginning with the source it is about."""
    said = str(error)
    return said if said.startswith(f"{source.name}:") else f"{source.name}: {said}"


def run_syncs(hub: Hub, syncs: Sequence[Sync], meter: Meter) -> None:
    """Land all sources one after the other; from many rows on, other processes check and stage what has landed meanwhile."""
    with ExitStack() as stack:
        pool: ProcessPoolExecutor | None = None
        waiting: dict[Future[CheckedBeside], Sync] = {}
        held: list[Sync] = []
        for sync in syncs:
            run_sync(hub, sync, meter, (land,))
            held += [sync] if sync.state == "landed" else []
            if pool is None and len(held) > 1 and cores() > 1 and _landed_rows(held) >= SIDE_BY_SIDE_FROM:
                stack.enter_context(meter.side_by_side())
                pool = stack.enter_context(workers())
            if pool is not None:
                waiting |= {pool.submit(_check_and_stage, hub.settings, hub.actor, ready): ready for ready in held}
                held = []
        for sync in held:
            run_sync(hub, sync, meter, (check, stage))
        for done in as_completed(waiting):
            found, tallies, told = done.result()
            vars(waiting[done]).update(vars(found))
            meter.add(tallies)
            for line in told:
                hub.tell(line)


def _landed_rows(syncs: Sequence[Sync]) -> int:
    return sum(sync.landing.rows for sync in syncs if sync.landing)


def _check_and_stage(settings: Settings, actor: Actor, sync: Sync) -> CheckedBeside:
    """In a process of its own: check and stage one landed load."""
    told: list[str] = []
    with open_hub(settings, actor, told.append) as hub, Meter(STAGES) as meter:
        run_sync(hub, sync, meter, (check, stage))
    return sync, meter.tallies, told


def _keep_failure(hub: Hub, sync: Sync) -> None:
    """A load that failed after it landed is marked so; landing marks its own failures."""
    from connectors.loads import finish

    if sync.landing is not None:
        with hub.database.session(hub.actor) as connection:
            finish(connection, sync.landing.load, "failed", error=sync.error)


def run_unify(
    hub: Hub, feeds: dict[str, Feed], meter: Meter, *, plan: bool = False, accepted: Run | None = None
) -> Outcome:
    """Match and publish all that is staged. Nothing new staged: nothing is done.

    plan: say what would be done, and publish nothing. accepted: the held run to publish. Raises RunHeld when the run is
    beyond the bounds; as long as nothing else is staged, a run that is held is not made a second time.
    """
    from registry.changes import ChangeCounts, Outcome
    from registry.figures import entity_counts
    from registry.read import nothing_new
    from registry.runs import finish_run, standing_hold, start_run

    with hub.database.session(hub.actor) as connection:
        if nothing_new(connection):
            return Outcome(ChangeCounts(untouched=sum(entity_counts(connection).values())))
        waiting = standing_hold(connection)
        if waiting is not None and accepted is None and not plan:
            raise held_error(waiting.number, waiting.plan["alarms"])
        run = start_run(connection, feeds=feeds.values())
    work = Unification(feeds, run, plan_only=plan, accepted=accepted)
    try:
        for step in UNIFY:
            with meter.stage(step.__name__) as tally:
                rows = step(hub, work)
                tally.rows += rows
            work.stages[step.__name__] = tally.summary()
            _keep_costs(hub, work)
            hub.tell(f"{step.__name__:<18}{rows:>23,} rows {tally.seconds:8.1f} s")
    except RunHeld:
        raise
    except OneGridError as error:
        with hub.database.session(hub.actor) as connection:
            finish_run(connection, run, None, work.stages, str(error))
        raise
    if work.outcome is None:
        raise RuntimeError("the last stage publishes")
    return work.outcome


def _keep_costs(hub: Hub, work: Unification) -> None:
    from registry.runs import set_stages

    with hub.database.session(hub.actor) as connection:
        set_stages(connection, work.run, work.stages)


def feeds_of(sources: Iterable[Source]) -> dict[str, Feed]:
    """What matching may know of the sources; the wider the level, the more a feed's word weighs."""
    from schemas.records import Feed

    return {s.name: Feed(s.name, s.level, s.division, s.owner, LEVELS.index(s.level)) for s in sources}


def run(hub: Hub, sources: Sequence[Source], *, reread: bool = False, plan: bool = False) -> Summary:
    """Land, check, match and publish every source once, in this process. Raises RunBusy when another run is at it.

    plan: everything but the publication. A run that is held counts as an error of the summary.
    """
    with alone(hub), holding(hub, [source.name for source in sources]), Meter(STAGES) as meter:
        syncs = [Sync(source, reread) for source in sources]
        run_syncs(hub, syncs, meter)
        try:
            outcome = run_unify(hub, feeds_of(sources), meter, plan=plan)
        except RunHeld as held:
            return _summary(hub, syncs, None, meter, str(held))
        return _summary(hub, syncs, outcome, meter)


def publish_held(hub: Hub, number: int) -> Outcome:
    """Publish what run `number` was held for, now that a person has looked at it.

    Raises NotFound for a run that is not held, RunHeld when something else would be published by now.
    """
    from registry.runs import find_run, standing_hold

    with alone(hub), Meter(STAGES) as meter:
        with hub.database.session(hub.actor) as connection:
            held, waiting = find_run(connection, number), standing_hold(connection)
        if waiting is None or waiting.number != number:
            raise NotFound(
                f"Run {number} waits for nobody: it is {held.state}, or something newer is staged or published."
            )
        return run_unify(hub, {feed.name: feed for feed in held.feeds}, meter, accepted=held)


def roll_back(hub: Hub, number: int) -> Outcome:
    """Bring back what was published before run `number`, as a run of its own. Raises NotFound, RunBusy."""
    from registry.models import current_version
    from registry.rollback import roll_back as restore
    from registry.runs import finish_run, set_model, start_run

    with alone(hub), hub.database.session(hub.actor) as connection:
        run = start_run(connection)
        if (model := current_version(connection)) is not None:
            set_model(connection, run, model)
        outcome = restore(connection, hub.keyring, number, run, hub.actor.name)
        finish_run(connection, run, outcome)
        return outcome


def _summary(
    hub: Hub, syncs: Sequence[Sync], outcome: Outcome | None, meter: Meter, held: str | None = None
) -> Summary:
    from registry.figures import entity_counts, standing_counts

    with hub.database.session(hub.actor) as connection:
        standing, entities = standing_counts(connection), entity_counts(connection)
    return Summary(
        sources={s.source.name: _outcome(s, standing) for s in syncs},
        entities=entities,
        changes={name: int(getattr(outcome.counts, name)) if outcome else 0 for name in CHANGES},
        stages={name: tally.summary() for name, tally in meter.tallies.items()},
        errors=tuple(error for error in (*(s.error for s in syncs), held) if error),
        outcome=outcome,
    )


@contextmanager
def alone(hub: Hub) -> Iterator[None]:
    """Hold the registry for one run, on a connection that is open as long as the run is."""
    from registry.runs import lock_run, unlock_run

    with hub.database.session(hub.actor) as connection:
        lock_run(connection)
        try:
            yield
        finally:
            unlock_run(connection)


@contextmanager
def holding(hub: Hub, sources: Iterable[str]) -> Iterator[None]:
    """Hold sources for one load each, on a connection that is open as long as that takes; RunBusy when one is held."""
    from connectors.loads import lock_source, unlock_source

    with hub.database.session(hub.actor) as connection, ExitStack() as held:
        for name in sources:
            lock_source(connection, name)
            held.callback(unlock_source, connection, name)
        yield


def _outcome(sync: Sync, standing: dict[str, dict[str, int]]) -> dict[str, object]:
    """A source's line of the summary: this load's counts, or those of the load that still stands."""
    zero = dict.fromkeys(("read", "clean", "quarantined", "repeated", "deleted", "withheld"), 0)
    counts = sync.counts or standing.get(sync.source.name, zero)
    return {**counts, "state": sync.state, "warnings": list(sync.warnings), "error": sync.error}


def replay(hub: Hub, sources: Sequence[Source], load: int) -> Summary:
    """Check and stage a landed load again, without its source, and publish. Raises NotFound when it is not in landing."""
    from connectors.land import read_landed, replay_landing

    landing = replay_landing(load, hub.database, hub.actor)
    name = read_landed(landing.load, hub.database, hub.keyring, hub.settings).source
    source = next((found for found in sources if found.name == name), None)
    if source is None:
        raise NotFound(f"Load {load} is of the source {name}, which is not declared in the folder of sources.")
    with alone(hub), holding(hub, [name]), Meter(STAGES) as meter:
        sync = Sync(source, landing=landing, state="landed")
        for step in (check, stage):
            with meter.stage(step.__name__) as tally:
                tally.rows += step(hub, sync)
        outcome = run_unify(hub, feeds_of(sources), meter)
        return _summary(hub, [sync], outcome, meter)


def _known_of_feed(connection: Connection, source: Source) -> dict[str, object]:
    """What the last good load knew of the feed, if by the same source file: mended rows are no reason to read it anew."""
    from connectors.loads import last_good

    last = last_good(connection, source.name)
    if last is None or not last.by(source):
        return {}
    return {"cursor": last.cursor, "fingerprints": dict(last.fingerprints), "columns": list(last.columns)}


def replay_quarantine(hub: Hub, source: Source, corrected: Path | None = None) -> tuple[int, int]:
    """Check a source's quarantined rows again, as its file and the kinds now say, and stage those that are mended.

    corrected: an exported file whose cells were corrected; then only its rows. Returns rows mended and rows still held.
    """
    from connectors.loads import begin, finish
    from quality.check import check as check_rows
    from quality.quarantine import rows_to_replay, settle_replay
    from registry.stage import stage as stage_records
    from schemas.records import Landed

    with alone(hub), holding(hub, [source.name]), hub.database.session(hub.actor) as connection:
        ids, rows = rows_to_replay(connection, hub.keyring, source.name, corrected)
        if not ids:
            return 0, 0
        load = begin(connection, source, "delta", b"", full=False)
        checked = check_rows(Landed(load, source.name, "delta", rows), source)
        finish(connection, load, "landed", path=None, wrapped_key=None, **_known_of_feed(connection, source))
        stage_records(checked, connection, hub.keyring, entity_types())
        settle_replay(connection, ids, checked)
    return checked.counts.clean, checked.counts.quarantined
