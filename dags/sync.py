"""One DAG a source file: it lands, checks and stages the feed on the file's schedule.

A file that cannot be read gives a DAG too: without a schedule, with the sentence of what is wrong in its documentation
and in its task's log.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Asset, ExceptionRetryPolicy, RetryAction, RetryRule, task

from schemas.sources import Source, SourceFileError, read_sources

RETRIES = 3
# A feed that was read and refused is as it is, and so is a source file: only people can mend them.
HOPELESS = ["onegrid.errors.FeedRefused", "onegrid.errors.SourceFileError"]


@task(  # type: ignore[untyped-decorator]
    task_id="sync",
    retries=RETRIES,
    retry_delay=timedelta(seconds=30),
    retry_exponential_backoff=2.0,
    max_retry_delay=timedelta(minutes=10),
    retry_policy=ExceptionRetryPolicy([RetryRule(exception=HOPELESS, action=RetryAction.FAIL)]),
)
def sync(file: str) -> int:
    """Land, check and stage in one process, so that its libraries are loaded once; returns the number of the load."""
    from onegrid.scheduled import sync_source

    return sync_source(Path(file))


def sync_dag(source: Source) -> DAG:
    """The DAG of a source: owner and level as tags, at most one run at a time, its asset says that it has staged."""
    with DAG(
        f"sync_{source.name}",
        dag_display_name=f"{source.name} {source.title}",
        schedule=source.schedule,
        catchup=False,
        max_active_runs=1,
        tags=[source.owner, source.level, "sync"],
        default_args={"owner": source.owner},
        doc_md=f"{source.title}, answered for by {source.owner}; declared in `{source.file.name}`.",
    ) as dag:
        sync.override(outlets=[Asset(f"staged_{source.name}")])(str(source.file))
    return dag


def refused_dag(error: SourceFileError) -> DAG:
    """What stands for a source file that cannot be read."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in Path(error.file).stem)
    with DAG(f"refused_{name}", schedule=None, catchup=False, tags=["refused"], doc_md=str(error)) as dag:
        sync(error.file)
    return dag


SOURCES, ERRORS = read_sources(Path(os.environ.get("ONEGRID_SOURCES", "ONEGRID_SOURCES is not set")))
globals().update({dag.dag_id: dag for dag in [*map(sync_dag, SOURCES), *map(refused_dag, ERRORS)]})
