"""One synchronisation of all sources through Airflow, watched: started, told about, and summed up at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from onegrid.airflow_client import AirflowClient
from onegrid.database import Actor
from onegrid.pipeline import Summary
from onegrid.stages import CHANGES, STAGES, Hub
from onegrid.up import Up
from registry.figures import COUNTS, entity_counts, last_loads, published_since

ACTOR = Actor("onegrid demo")
LOOK_S = 0.5
UNIFY = "unify"
SHOWN = (*COUNTS, "state", "warnings", "error")
_ENDED = """
    SELECT id, source, state, read, quarantined, error FROM load
    WHERE id > :load AND state IN ('staged', 'unchanged', 'failed') ORDER BY finished_at, id"""
_LATEST = "SELECT coalesce((SELECT max(id) FROM load), 0) AS load, coalesce((SELECT max(id) FROM run), 0) AS run"
_STAGES = """
    SELECT run.id, stage.key AS name, stage.value AS cost FROM run, jsonb_each(run.stages) AS stage
    WHERE run.id > :run ORDER BY run.id"""


@dataclass(frozen=True)
class Before:
    """Where loads and runs stood before the synchronisation."""

    load: int
    run: int


def synchronise(up: Up, hub: Hub, names: Sequence[str]) -> Summary:
    """Starts every sync, follows loads and stages as the database tells of them, and returns what it all came to."""
    client = AirflowClient(up.airflow)
    try:
        dags = [f"sync_{name}" for name in names]
        while missing := {*dags, UNIFY} - client.dags():
            up.crew.check()
            hub.tell(f"Airflow reads the DAGs: {len(missing)} to come")
            time.sleep(2 * LOOK_S)
        before = _before(hub)
        runs = {dag: client.trigger(dag) for dag in dags}
        hub.tell(f"{len(runs)} sources are being synchronised")
        _follow(up, hub, client, dags, before)
        tried = Counter({dag: client.tries(dag, run) for dag, run in runs.items()})
    finally:
        client.close()
    hub.tell(f"tasks tried again: {+tried if +tried else 'none'}")
    return summary_since(hub, names, before)


def _before(hub: Hub) -> Before:
    with hub.database.session(hub.actor) as connection:
        row = connection.execute(text(_LATEST)).one()
    return Before(int(row.load), int(row.run))


def _follow(up: Up, hub: Hub, client: AirflowClient, dags: list[str], before: Before) -> None:
    """Tells of every load and stage once; returns when nothing is under way and all that is staged is published."""
    told: set[tuple[int, str]] = set()
    while True:
        up.crew.check()
        done = not client.under_way([*dags, UNIFY]) and _all_published(hub)
        _tell_news(hub, before, told)
        if done:
            return
        time.sleep(LOOK_S)


def _tell_news(hub: Hub, before: Before, told: set[tuple[int, str]]) -> None:
    with hub.database.session(hub.actor) as connection:
        loads = connection.execute(text(_ENDED), {"load": before.load}).all()
        stages = {(row.id, row.name): row.cost for row in connection.execute(text(_STAGES), {"run": before.run})}
    for row in loads:
        if (row.id, row.source) not in told:
            told.add((row.id, row.source))
            what = row.error or f"{row.read:>9,} rows, {row.quarantined:,} quarantined"
            hub.tell(f"{row.state:<10}{row.source:<18}{what}")
    for run, name in sorted(stages.keys() - told, key=lambda found: (found[0], STAGES.index(found[1]))):
        told.add((run, name))
        cost = stages[run, name]
        hub.tell(f"{name:<18}{cost['rows']:>10,} rows {cost['seconds']:8.1f} s")


def _all_published(hub: Hub) -> bool:
    """Whether no run is still to come for what has been staged; nothing staged is published too."""
    from registry.read import nothing_new, staged_loads

    with hub.database.session(hub.actor) as connection:
        return not staged_loads(connection) or nothing_new(connection)


def summary_since(hub: Hub, names: Sequence[str], before: Before) -> Summary:
    """What loads and runs did since, and how the registry stands, in the form of a run's summary."""
    with hub.database.session(hub.actor) as connection:
        loads = {name: found for name, found in last_loads(connection).items() if name in names}
        runs = published_since(connection, before.run)
        entities = entity_counts(connection)
    costs = [found["stages"] for found in loads.values() if found["load"] > before.load] + [cost for _, cost in runs]
    changes = Counter(dict.fromkeys(CHANGES, 0))
    for counts, _ in runs:
        changes.update({name: counts[name] for name in CHANGES})
    return Summary(
        sources={name: {key: found[key] for key in SHOWN} for name, found in loads.items()},
        entities=entities,
        changes=dict(changes),
        stages={name: _sum(name, costs) for name in STAGES},
        errors=tuple(str(found["error"]) for found in loads.values() if found["error"]),
    )


def _sum(stage: str, costs: Sequence[dict[str, dict[str, float]]]) -> dict[str, float | int]:
    """What a stage cost in all: seconds and rows added up, the largest memory. Syncs beside each other count both."""
    mine = [cost[stage] for cost in costs if stage in cost]
    return {
        "seconds": round(sum(cost["seconds"] for cost in mine), 3),
        "rows": int(sum(cost["rows"] for cost in mine)),
        "peak_mb": max((cost["peak_mb"] for cost in mine), default=0.0),
    }
