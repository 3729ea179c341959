"""Spark's driver: `python -m matching.spark.driver`, a process of its own that ends with the one that started it.

It takes its Job as JSON on standard input, so that the key is in no argument list, environment or file; what it finds
lies in the job's folder. Standard output and error are Spark's log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING

from matching.spark.prepared import Meeting
from onegrid.errors import ClusterUnavailable, OneGridError, Unforeseen
from onegrid.workers import die_with_parent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

FAILURE = "failure.txt"
WORKER_WAIT = 60.0  # seconds for the master to give at least one worker
ROWS_A_PART = 20_000  # rows and groups a task handles: seconds of work, some tens of megabytes
PAIRS_A_BATCH = 20_000  # pairs that a worker's Python compares at a time


@dataclass(frozen=True)
class Job:
    """What the driver is told: where, how, and the shape of the prepared columns (`meetings`: of blocking)."""

    master: str
    folder: str
    key: str
    program: str
    meetings: list[Meeting]
    rows: int
    nodes: int
    join: float
    parent: int

    def to_json(self) -> str:
        """As the driver reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """The job that `to_json` wrote."""
        raw = json.loads(text)
        return cls(**{**raw, "meetings": list(starmap(Meeting, raw["meetings"]))})


def main() -> int:
    """Read the job, do it; the exit code. A sentence for the person at the keyboard is left in FAILURE."""
    job = Job.from_json(sys.stdin.read())
    die_with_parent(job.parent, signal.SIGKILL)
    try:
        with session(job) as spark:
            link(spark, job)
    except OneGridError as error:
        (Path(job.folder) / FAILURE).write_text(str(error), encoding="utf-8")
        return 1
    except Exception as error:  # noqa: BLE001 - the process's edge: it is told by where it happened
        from matching.spark.scoring import OTHER_PROGRAM

        print(Unforeseen.of(error), file=sys.stderr)
        if OTHER_PROGRAM in str(error):
            (Path(job.folder) / FAILURE).write_text(OTHER_PROGRAM, encoding="utf-8")
        return 1
    return 0


@contextmanager
def session(job: Job) -> Iterator[SparkSession]:
    """A session on the job's cluster, with at least one worker. Raises ClusterUnavailable where none comes."""
    from pyspark.sql import SparkSession

    parts = max(8, job.rows // ROWS_A_PART)
    options = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": str(parts),
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(PAIRS_A_BATCH),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    builder = SparkSession.builder.master(job.master).appName("onegrid")
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)
    try:
        if job.master.startswith("spark://"):
            _wait_for_worker(spark)
        yield spark
    finally:
        spark.stop()


def _wait_for_worker(spark: SparkSession) -> None:
    until = time.monotonic() + WORKER_WAIT
    while spark.sparkContext._jsc.sc().getExecutorMemoryStatus().size() < 2:  # the driver itself is one
        if time.monotonic() > until:
            raise ClusterUnavailable("its master gave no worker: start one, or wait until one is free")
        time.sleep(0.2)


def link(spark: SparkSession, job: Job) -> None:
    """Blocking, scoring and clustering of the prepared columns; leaves EDGES, CLUSTERS and COUNTS in the folder."""
    from matching.spark.pairs import pairs_of
    from matching.spark.prepared import COUNTS, KEYS, ROWS
    from matching.spark.scoring import Scorer, scored

    folder = Path(job.folder)
    steps = [time.monotonic()]
    pairs, hubs = pairs_of(spark.read.parquet(str(folder / KEYS)), job.meetings, job.rows)
    scorer = Scorer(folder, bytes.fromhex(job.key), job.program, job.join)
    every = _kept(scored(pairs, spark.read.parquet(str(folder / ROWS)), scorer), folder / "scored.parquet")
    counts = {"pairs": every.count(), "hubs": hubs}
    steps.append(time.monotonic())
    _cluster(every, folder, job)
    steps.append(time.monotonic())
    seconds = {"score_seconds": steps[1] - steps[0], "cluster_seconds": steps[2] - steps[1]}
    (folder / COUNTS).write_text(json.dumps({**counts, **{name: round(took, 3) for name, took in seconds.items()}}))


def _cluster(every: DataFrame, folder: Path, job: Job) -> None:
    """Cluster what hangs together; leaves EDGES, with the component of each side, and CLUSTERS."""
    from pyspark.sql import functions as sql

    from matching.spark.clustering import clustered
    from matching.spark.components import components
    from matching.spark.prepared import APART, CLUSTERS, EDGE, EDGES, JUDGED, NODES, TOGETHER

    spark = every.sparkSession
    judged = spark.read.parquet(str(folder / JUDGED))
    on_nodes = every.select(
        "a", "b", "weight", "apart", "levels", sql.col("node_a").alias("l"), sql.col("node_b").alias("r")
    )
    firm = on_nodes.where(sql.col("weight") >= job.join).select("l", "r")
    placed = components(
        firm.union(judged.where(sql.col("kind") == TOGETHER).select("a", "b")).toDF("a", "b"), folder / "components"
    )
    ends = [placed.toDF(side, f"component_{side}") for side in ("l", "r")]
    beside = _kept(on_nodes.join(ends[0], "l", "left").join(ends[1], "r", "left"), folder / EDGES)
    inside = sql.col("component_l") == sql.col("component_r")
    held = beside.where(inside)
    said = judged.toDF("l", "r", "kind").join(ends[0], "l").join(ends[1], "r").where(inside)
    lines = [
        frame.select(sql.lit(kind).cast("long").alias("kind"), "l", "r", weight.cast("double"), "component_l")
        for frame, kind, weight in (
            (held, EDGE, sql.col("weight")),
            (held.where("apart"), APART, sql.lit(None)),
            (said.where(sql.col("kind") == APART), APART, sql.lit(None)),
            (said.where(sql.col("kind") == TOGETHER), TOGETHER, sql.lit(None)),
        )
    ]
    every_line = lines[0].union(lines[1]).union(lines[2]).union(lines[3]).toDF("kind", "a", "b", "weight", "component")
    buckets = max(2 * spark.sparkContext.defaultParallelism, job.nodes // ROWS_A_PART)
    nodes = spark.read.parquet(str(folder / NODES))
    _kept(clustered(placed, every_line, nodes, job.join, buckets), folder / CLUSTERS)


def _kept(frame: DataFrame, path: Path) -> DataFrame:
    """The frame written down: what comes after begins there, also when a worker is lost."""
    frame.write.parquet(str(path))
    return frame.sparkSession.read.parquet(str(path))


if __name__ == "__main__":
    sys.exit(main())
