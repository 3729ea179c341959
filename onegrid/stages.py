"""The stages in order: a feed becomes a load, checked records, clusters, and one published registry.

`SYNC` runs once a source, so that one broken feed does not hold up the others; `UNIFY` runs once over all that is staged.
Every stage is a function of one shape: it takes the hub and the work so far, adds to the work, and returns how many
rows it handled. State lies in the database and in landing alone: any stage can be run again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onegrid.database import Actor, Database
from onegrid.errors import RunHeld
from onegrid.sealing import Keyring
from onegrid.settings import Settings
from schemas.properties import entity_types
from schemas.sources import Source

if TYPE_CHECKING:
    import pandas as pd

    from connectors.land import Landing
    from matching.engine import Engine
    from matching.model import Model
    from matching.places import Places
    from registry.changes import Outcome
    from registry.runs import Run
    from schemas.numbering import Numbering
    from schemas.records import Checked, Counts, Feed, Matched, Records

Progress = Callable[[str], None]
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
    """All staged records on their way to one published registry.

    stored: the records under the database's numbers; records, judgements and what is matched: under those of `numbering`.
    plan_only: nothing is published. accepted: the held run that a person has looked at.
    """

    feeds: dict[str, Feed]
    run: int = 0
    plan_only: bool = False
    accepted: Run | None = None
    stored: Records | None = None
    numbering: Numbering | None = None
    records: Records | None = None
    judgements: pd.DataFrame | None = None
    model: Model | None = None
    places: Places | None = None
    evidence: pd.DataFrame | None = None
    matched: Matched | None = None
    stages: dict[str, object] = field(default_factory=dict)
    outcome: Outcome | None = None


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
    sync.warnings = tuple(dict.fromkeys((*sync.warnings, *sync.checked.warnings, *report.warnings, *bounds)))
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
    import pandas as pd

    from registry.claims import claimed_pairs
    from registry.read import judgements, read_records
    from schemas.numbering import Numbering

    with hub.database.session(hub.actor) as connection:
        work.stored = read_records(connection, hub.keyring, work.feeds)
        judged = pd.concat([claimed_pairs(connection, work.stored), judgements(connection, work.stored)])
    judged = judged.drop_duplicates(["rid_a", "rid_b"], keep="last", ignore_index=True)  # people's word stands
    work.numbering = Numbering.of(work.stored)
    work.records, work.judgements = work.numbering.number(work.stored), work.numbering.number_pairs(judged)
    return sum(len(frame) for frame in work.records.frames.values())


def match_places(hub: Hub, work: Unification) -> int:
    """Which records mean the same dwelling, building, estate, grid. Addresses are read by what the model in use learned of
    them; without one it is learned here.
    """
    from matching.atlas import Atlas
    from matching.places import match_places as places_of

    work.model = _model_in_use(hub)
    work.places = places_of(_records(work), Atlas.of(work.model.atlas) if work.model else None)
    work.matched = work.places.matched
    return len(work.matched.members)


def match_people(hub: Hub, work: Unification) -> int:
    """Which records speak of the same person. The first model is trained here and kept; later runs use it, until a
    version of the program compares otherwise.
    """
    from dataclasses import replace

    from matching.people import match_people as people_of
    from registry.models import keep_model
    from registry.runs import set_model

    records, model = _records(work), work.model
    if records.frame("person").empty:
        return 0
    found = people_of(records, _places(work), work.judgements, model, engine_of(hub.settings))
    with hub.database.session(hub.actor) as connection:
        if model is None:
            model = replace(found.model, atlas=_places(work).atlas.facts)
            keep_model(connection, hub.keyring, model.version, model.to_json())
        set_model(connection, work.run, model.version)
    work.evidence = found.evidence
    _add(work, found.matched)
    return len(found.matched.members)


def _model_in_use(hub: Hub) -> Model | None:
    """The model that was trained and compares as this version of the program does; None where one must be trained."""
    from matching.levels import LEVELS
    from matching.model import Model
    from registry.models import current_model

    with hub.database.session(hub.actor) as connection:
        kept = current_model(connection, hub.keyring)
    model = None if kept is None else Model.from_json(kept)
    if model is None or model.fits(LEVELS):
        return model
    hub.tell("this version compares otherwise than the one that trained the model: a new one is trained")
    return None


def engine_of(settings: Settings) -> Engine:
    """What compares people. Raises SettingsError or ClusterUnavailable where a Spark cluster surely cannot be used."""
    if settings.engine == "local":
        from matching.engine import in_process

        return in_process
    from matching.spark.engine import Spark

    folder = settings.spark_folder or settings.home / "spark"
    spark = Spark(settings.spark_master or "", folder, settings.home / "logs" / "spark.log")
    spark.check()
    return spark


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
    """Give every cluster its code and golden values, and publish all differences in one transaction.

    What is beyond the bounds, or only planned, is not committed: the run keeps what it would have done.
    Raises RunHeld for the former.
    """
    from matching.doorstep import VERSION, Kept, kept_of
    from registry.asking import keep, secret_of
    from registry.guard import bounds
    from registry.runs import finish_run, note_acceptance
    from registry.unify import unify

    if work.numbering is None or work.stored is None:
        raise RuntimeError("records are read before they are published")
    matched, limits = work.numbering.restore(_matched(work)), bounds(hub.settings.home / "guard.yml")
    with hub.database.session(hub.actor) as connection:
        found = unify(matched, work.stored, connection, hub.keyring, work.run, limits=limits)
        work.outcome = found
        held = bool(found.alarms) and (work.accepted is None or work.accepted.digest != found.digest)
        if held or work.plan_only:
            connection.rollback()
        else:
            told = work.evidence
            kept = Kept.nothing() if told is None else kept_of(told, _places(work), secret_of(hub.keyring))
            keep(connection, hub.keyring, kept.renumbered(work.numbering.ids), VERSION, work.run)
            finish_run(connection, work.run, found, work.stages)
            if work.accepted is not None:
                note_acceptance(connection, work.run, work.accepted.number, hub.actor.name)
    if work.plan_only or held:
        with hub.database.session(hub.actor) as connection:
            finish_run(connection, work.run, found, work.stages, state="planned" if work.plan_only else "held")
    if held and not work.plan_only:
        raise held_error(work.run, found.alarms)
    return sum(int(getattr(found.counts, name)) for name in CHANGES)


def held_error(run: int, alarms: Sequence[str]) -> RunHeld:
    """What is said of a held run."""
    return RunHeld(
        f"Run {run} is held, and nothing of it is published: {'; '.join(alarms)}. Look at it with `onegrid runs --run {run}`; "
        f"if it is right, `onegrid publish {run} --accept`."
    )


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
