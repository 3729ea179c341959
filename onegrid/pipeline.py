"""The stages in order: a feed becomes a load, checked records, clusters, and one published registry.

`SYNC` runs once a source, so that one broken feed does not hold up the others; `UNIFY` runs once over all that is staged.
Every stage is a function of one shape: it takes the hub and the work so far, adds to the work, and returns how many
rows it handled. State lies in the database and in landing alone: any stage can be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from onegrid.database import Actor, Database, open_database
from onegrid.errors import DatabaseError, FeedError, NotFound, OneGridError
from onegrid.meter import Meter, Tally
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from onegrid.workers import cores, workers
from schemas.properties import entity_types
from schemas.sources import LEVELS, Source

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import Connection

    from connectors.land import Landing
    from matching.places import Places
    from schemas.records import Checked, Counts, Feed, Matched, Records

Progress = Callable[[str], None]
SIDE_BY_SIDE_FROM = 40_000  # rows landed: below, starting processes costs more than it saves
CHANGES = ("created", "absorbed", "merged", "split", "moved", "retired", "untouched")


@dataclass(frozen=True)
class Hub:
    """What every stage needs: where the registry is, the keys, who runs, and where progress is told."""

    settings: Settings
    database: Database
    keyring: Keyring
    actor: Actor
    tell: Progress


@dataclass
class Sync:
    """One source on its way from feed to staged records."""

    source: Source
    reread: bool = False
    landing: Landing | None = None
    checked: Checked | None = None
    state: str = "waiting"
    error: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass
class Unification:
    """All staged records on their way to one published registry."""

    feeds: dict[str, Feed]
    run: int = 0
    records: Records | None = None
    judgements: pd.DataFrame | None = None
    places: Places | None = None
    matched: Matched | None = None
    stages: dict[str, object] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """What a run did: `sources`, `entities`, `changes`, `stages` as the contract names them, and the sentences of what failed."""

    sources: dict[str, dict[str, object]]
    entities: dict[str, int]
    changes: dict[str, int]
    stages: dict[str, dict[str, float | int]]
    errors: tuple[str, ...] = ()


# ---------------------------------------------------------------- one source


def land(hub: Hub, sync: Sync) -> int:
    """Read the feed into one immutable landed load, unless nothing changed since the last good one."""
    from connectors.land import land as land_feed

    sync.landing = land_feed(sync.source, hub.database, hub.keyring, hub.settings, hub.actor, reread=sync.reread)
    sync.state, sync.warnings = sync.landing.state, sync.landing.warnings
    return sync.landing.rows


def check(hub: Hub, sync: Sync) -> int:
    """Judge every landed row: clean, quarantined or repeated, and which values are withheld."""
    if sync.landing is None or sync.state != "landed":
        return 0
    from connectors.land import read_landed
    from quality.check import check as check_rows

    landed = read_landed(sync.landing.load, hub.database, hub.keyring, hub.settings)
    sync.checked = check_rows(landed, sync.source)
    return sync.checked.counts.read


def stage(hub: Hub, sync: Sync) -> int:
    """Store the clean records, what was held back and why, in one transaction; too few rows undo it."""
    if sync.checked is None:
        return 0
    from connectors.guards import check_rows
    from registry.stage import stage as stage_records

    with hub.database.session(hub.actor) as connection:
        report = stage_records(sync.checked, connection, hub.keyring, entity_types())
        bounds = check_rows(sync.source, report.current_rows)
    sync.state, sync.counts = "staged", count_dict(sync.checked.counts)
    sync.warnings = tuple(dict.fromkeys((*sync.warnings, *sync.checked.warnings, *bounds)))
    staged = sum(len(frame) for frame in sync.checked.records.values())
    sync.checked = None
    return staged


SyncStage = Callable[[Hub, Sync], int]
SYNC: tuple[SyncStage, ...] = (land, check, stage)


def count_dict(counts: Counts) -> dict[str, int]:
    """The counts of a load by name."""
    names = ("read", "clean", "quarantined", "repeated", "deleted", "withheld")
    return {name: int(getattr(counts, name)) for name in names}


# ---------------------------------------------------------------- all staged records


def read(hub: Hub, work: Unification) -> int:
    """Read the standing records and judgements back from the database."""
    from registry.read import judgements, read_records

    with hub.database.session(hub.actor) as connection:
        work.records = read_records(connection, hub.keyring, work.feeds)
        work.judgements = judgements(connection, work.records)
    return sum(len(frame) for frame in work.records.frames.values())


def match_places(_: Hub, work: Unification) -> int:
    """Which records mean the same dwelling, building, estate, grid."""
    from matching.places import match_places as places_of

    work.places = places_of(_records(work))
    work.matched = work.places.matched
    return len(work.matched.members)


def match_people(hub: Hub, work: Unification) -> int:
    """Which records speak of the same person. The first model is trained here and kept; later runs use it."""
    from matching.model import Model
    from matching.people import match_people as people_of
    from registry.models import current_model, keep_model
    from registry.runs import set_model

    records = _records(work)
    if records.frame("person").empty:
        return 0
    with hub.database.session(hub.actor) as connection:
        kept = current_model(connection, hub.keyring)
    model = None if kept is None else Model.from_json(kept)
    found = people_of(records, _places(work), work.judgements, model)
    with hub.database.session(hub.actor) as connection:
        if kept is None:
            keep_model(connection, hub.keyring, found.model.version, found.model.to_json())
        set_model(connection, work.run, found.model.version)
    _add(work, found.matched)
    return len(found.matched.members)


def match_households(_: Hub, work: Unification) -> int:
    """Who lives together, and who stands in one hukou book."""
    from matching.households import match_households as households_of

    records, members = _records(work), _matched(work).members
    if records.frame("person").empty:
        return 0
    people = members.loc[members["type"] == "person", ["rid", "cluster"]]
    found = households_of(records, _places(work), people)
    _add(work, found)
    return len(found.members)


def match_rest(_: Hub, work: Unification) -> int:
    """Organizations, things and events, each by its kind; then everything's area."""
    from matching.events import match_events
    from matching.organizations import match_organizations
    from matching.things import match_things

    rows = 0
    for step in (match_organizations, match_things, match_events):
        found = step(_records(work), _places(work))
        _add(work, found)
        rows += len(found.members)
    return rows


def publish(hub: Hub, work: Unification) -> int:
    """Give every cluster its code and golden values, and publish all differences in one transaction."""
    from registry.runs import finish_run
    from registry.unify import unify

    with hub.database.session(hub.actor) as connection:
        changes = unify(_matched(work), _records(work), connection, hub.keyring, work.run)
        finish_run(connection, work.run, changes, work.stages)
    work.changes = {name: int(getattr(changes, name)) for name in CHANGES}
    return sum(work.changes.values())


UnifyStage = Callable[[Hub, Unification], int]
UNIFY: tuple[UnifyStage, ...] = (read, match_places, match_people, match_households, match_rest, publish)
STAGES = tuple(step.__name__ for step in (*SYNC, *UNIFY))


def _records(work: Unification) -> Records:
    if work.records is None:
        raise RuntimeError("records are read before they are matched")
    return work.records


def _places(work: Unification) -> Places:
    if work.places is None:
        raise RuntimeError("places are matched first")
    return work.places


def _matched(work: Unification) -> Matched:
    if work.matched is None:
        raise RuntimeError("places are matched first")
    return work.matched


def _add(work: Unification, found: Matched) -> None:
    work.matched = _matched(work) + found


# ---------------------------------------------------------------- the whole


@contextmanager
def open_hub(settings: Settings, actor: Actor, tell: Progress) -> Iterator[Hub]:
    """The hub on its database, migrated, with its keys."""
    from schemas.migrations import migrate

    with open_database(settings) as database:
        migrate(database)
        yield Hub(settings, database, Keyring.open(settings.master_key), actor, tell)


def run_sync(hub: Hub, sync: Sync, meter: Meter, steps: tuple[SyncStage, ...] = SYNC) -> None:
    """Take one source through its stages; what is wrong with the feed is kept as its error, and the others go on."""
    for step in steps:
        with meter.stage(step.__name__) as tally:
            try:
                rows = step(hub, sync)
            except (FeedError, DatabaseError) as error:
                if not _is_the_feeds(error):
                    raise
                sync.state, sync.error = "failed", _named(sync.source, error)
                _keep_failure(hub, sync)
                return
            tally.rows += rows
            if rows:
                hub.tell(f"{step.__name__:<7}{sync.source.name:<24}{rows:>10,} rows")


def _is_the_feeds(error: OneGridError) -> bool:
    """Whether an error is of one feed: a statement the database refused is one, a full disk or a lost server is not."""
    return isinstance(error, FeedError) or type(error) is DatabaseError


def _named(source: Source, error: OneGridError) -> str:
    """The error's sentence, beginning with the source it is about."""
    said = str(error)
    return said if said.startswith(f"{source.name}:") else f"{source.name}: {said}"


def run_syncs(hub: Hub, syncs: Sequence[Sync], meter: Meter) -> None:
    """Take all sources through their stages: landed one after the other, the large ones checked and staged side by side."""
    for sync in syncs:
        run_sync(hub, sync, meter, (land,))
    landed = [sync for sync in syncs if sync.state == "landed"]
    rows = [sync.landing.rows for sync in landed if sync.landing]
    if len(landed) < 2 or sum(rows) < SIDE_BY_SIDE_FROM or cores() < 2:
        for sync in landed:
            run_sync(hub, sync, meter, (check, stage))
        return
    order = sorted(landed, key=lambda sync: -sync.landing.rows if sync.landing else 0)
    with workers(min(cores(), len(order))) as pool, meter.side_by_side():
        waiting = {pool.submit(_check_and_stage, hub.settings, hub.actor, sync): sync for sync in order}
        for done in as_completed(waiting):
            found, tallies, told = done.result()
            vars(waiting[done]).update(vars(found))
            meter.add(tallies)
            for line in told:
                hub.tell(line)


def _check_and_stage(settings: Settings, actor: Actor, sync: Sync) -> tuple[Sync, dict[str, Tally], list[str]]:
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


def run_unify(hub: Hub, feeds: dict[str, Feed], meter: Meter) -> dict[str, int]:
    """Match and publish all that is staged; returns the changes. Nothing staged: nothing is done."""
    from registry.figures import entity_counts
    from registry.read import nothing_new
    from registry.runs import finish_run, start_run

    with hub.database.session(hub.actor) as connection:
        if nothing_new(connection):
            return {**dict.fromkeys(CHANGES, 0), "untouched": sum(entity_counts(connection).values())}
        run = start_run(connection)
    work = Unification(feeds, run)
    try:
        for step in UNIFY:
            with meter.stage(step.__name__) as tally:
                rows = step(hub, work)
                tally.rows += rows
            work.stages[step.__name__] = tally.summary()
            hub.tell(f"{step.__name__:<18}{rows:>23,} rows {tally.seconds:8.1f} s")
    except OneGridError as error:
        with hub.database.session(hub.actor) as connection:
            finish_run(connection, run, None, work.stages, str(error))
        raise
    return work.changes


def feeds_of(sources: Iterable[Source]) -> dict[str, Feed]:
    """What matching may know of the sources; the wider the level, the more a feed's word weighs."""
    from schemas.records import Feed

    return {s.name: Feed(s.name, s.level, s.division, s.owner, LEVELS.index(s.level)) for s in sources}


def run(hub: Hub, sources: Sequence[Source], *, reread: bool = False) -> Summary:
    """Land, check, match and publish every source once, in this process. Raises RunBusy when another run is at it."""
    with alone(hub), Meter(STAGES) as meter:
        syncs = [Sync(source, reread) for source in sources]
        run_syncs(hub, syncs, meter)
        changes = run_unify(hub, feeds_of(sources), meter)
        return _summary(hub, syncs, changes, meter)


def _summary(hub: Hub, syncs: Sequence[Sync], changes: dict[str, int], meter: Meter) -> Summary:
    from registry.figures import entity_counts, standing_counts

    with hub.database.session(hub.actor) as connection:
        standing, entities = standing_counts(connection), entity_counts(connection)
    return Summary(
        sources={s.source.name: _outcome(s, standing) for s in syncs},
        entities=entities,
        changes=changes,
        stages={name: tally.summary() for name, tally in meter.tallies.items()},
        errors=tuple(s.error for s in syncs if s.error),
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
    with alone(hub), Meter(STAGES) as meter:
        sync = Sync(source, landing=landing, state="landed")
        for step in (check, stage):
            with meter.stage(step.__name__) as tally:
                tally.rows += step(hub, sync)
        changes = run_unify(hub, feeds_of(sources), meter)
        return _summary(hub, [sync], changes, meter)


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

    with alone(hub), hub.database.session(hub.actor) as connection:
        ids, rows = rows_to_replay(connection, hub.keyring, source.name, corrected)
        if not ids:
            return 0, 0
        load = begin(connection, source, "delta", b"", full=False)
        checked = check_rows(Landed(load, source.name, "delta", rows), source)
        finish(connection, load, "landed", path=None, wrapped_key=None, **_known_of_feed(connection, source))
        stage_records(checked, connection, hub.keyring, entity_types())
        settle_replay(connection, ids, checked)
    return checked.counts.clean, checked.counts.quarantined
