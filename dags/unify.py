"""The DAG that matches and publishes: when any source has staged, and now and then in case a last one failed to."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable, get_current_context, task

from schemas.sources import read_sources

FOLDER = Path(os.environ.get("ONEGRID_SOURCES", "ONEGRID_SOURCES is not set"))
NAMES = [source.name for source in read_sources(FOLDER)[0]]
SWEEP = CronTriggerTimetable("*/15 * * * *", timezone="UTC")


@task(task_id="unify", retries=3, retry_delay=timedelta(minutes=1))  # type: ignore[untyped-decorator]
def unify() -> int | None:
    """Publish all that is staged, once no sync of this wave runs any more; returns the number of the run."""
    from onegrid.scheduled import unify_staged

    return unify_staged(FOLDER, syncing)


def syncing() -> bool:
    """Whether a sync runs or is about to; one that waits for another try after a failure holds nobody up."""
    ti = get_current_context()["ti"]
    for name in NAMES:
        runs = ti.get_dr_count(f"sync_{name}", states=["queued", "running"])
        if runs and runs > ti.get_ti_count(f"sync_{name}", states=["up_for_retry"]):
            return True
    return False


with DAG(
    "unify",
    dag_display_name="unify 匹配与发布",
    schedule=AssetOrTimeSchedule(timetable=SWEEP, assets=AssetAny(*(Asset(f"staged_{name}") for name in NAMES))),
    catchup=False,
    max_active_runs=1,
    tags=["registry"],
    doc_md="Matches all staged records and publishes the registry in one transaction.",
):
    unify()
