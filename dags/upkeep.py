"""The DAG that keeps house once a day: a back-up of the registry, and an end to landed loads that nothing needs."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, task


@task(task_id="upkeep", retries=2, retry_delay=timedelta(minutes=5))  # type: ignore[untyped-decorator]
def upkeep() -> int:
    """Back up and tidy up; returns how many landed loads were ended."""
    from onegrid.scheduled import keep_house

    return keep_house()


with DAG(
    "upkeep",
    dag_display_name="upkeep 维护",
    schedule="30 4 * * *",
    catchup=False,
    max_active_runs=1,
    tags=["registry"],
    doc_md="Backs up the embedded database and ends landed loads older than 90 days.",
):
    upkeep()
