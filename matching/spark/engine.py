"""What the pipeline calls: prepares the columns, runs Spark's driver beside this process, and reads what it found."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from matching.engine import Linked, Work, of_interest
from matching.spark.driver import FAILURE, Job
from matching.spark.java import java_home
from matching.spark.prepared import CLUSTERS, COUNTS, EDGES, prepare, program
from onegrid.errors import ClusterUnavailable, SettingsError

Integers = npt.NDArray[np.int64]
_MASTER = re.compile(r"spark://(?P<hosts>[^\s,:/]+:\d+(,[^\s,:/]+:\d+)*)|local\[(\d+|\*)\]")
_PREFIX = "people-"
ANSWER_SECONDS = 5.0  # within which a master's port must answer


@dataclass(frozen=True)
class Spark:
    """A cluster that compares people. folder: shared with the workers under the same path; log: what Spark says."""

    master: str
    folder: Path
    log: Path

    def check(self) -> None:
        """Raises SettingsError or ClusterUnavailable, with the remedy, where the cluster surely cannot be used."""
        if find_spec("pyspark") is None:
            raise SettingsError(
                "The engine spark needs PySpark, which is not installed: run `make spark` "
                "(or `python -m pip install 'onegrid[spark]'`)."
            )
        met = _MASTER.fullmatch(self.master)
        if met is None:
            raise SettingsError(
                f"--spark-master says {self.master or 'nothing'}: it takes spark://HOST:PORT as the master's own log "
                "names it, or local[N] for N threads of this machine."
            )
        if met["hosts"] and not any(_answers(host) for host in met["hosts"].split(",")):
            raise ClusterUnavailable(
                f"No Spark master answers at {self.master}: start it, or correct --spark-master (ONEGRID_SPARK_MASTER)."
            )

    def __call__(self, work: Work) -> Linked:
        """Compare people on the cluster. Raises ClusterUnavailable when Spark does not finish."""
        self.check()
        with self._room() as room:
            key = secrets.token_bytes(32)
            meetings = prepare(work, room, key)
            nodes = np.unique(work.node)
            job = Job(
                self.master, str(room), key.hex(), program(), meetings, len(work.rows), len(nodes), work.join,
                os.getpid(),
            )  # fmt: skip
            self._run(job, room)
            return _found(room, nodes, work)

    @contextmanager
    def _room(self) -> Iterator[Path]:
        """A folder for one run, gone afterwards; what a killed run left is removed first, since runs are alone."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.folder.glob(f"{_PREFIX}*"):
            shutil.rmtree(left)
        room = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self.folder))
        try:
            yield room
        finally:
            shutil.rmtree(room)

    def _run(self, job: Job, room: Path) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "JAVA_HOME": str(java_home(room))}
        command = [sys.executable, "-m", "matching.spark.driver"]
        with (
            self.log.open("wb") as log,
            subprocess.Popen(  # noqa: S603 - our own module, no shell
                command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=environment, start_new_session=True
            ) as driver,
        ):
            try:
                driver.communicate(job.to_json().encode())
            finally:
                with suppress(ProcessLookupError):  # its Java machine too, so that nothing writes to the room any more
                    os.killpg(driver.pid, signal.SIGKILL)
        if driver.returncode:
            failure = room / FAILURE
            why = failure.read_text("utf-8") if failure.exists() else "its log says why"
            raise ClusterUnavailable(
                f"Spark at {self.master} did not compare the people: {why} ({self.log}). Nothing was published; "
                "run again, or with --engine local."
            )


def _answers(host: str) -> bool:
    name, _, port = host.rpartition(":")
    try:
        with socket.create_connection((name, int(port)), ANSWER_SECONDS):
            return True
    except (OSError, OverflowError):
        return False


def _found(room: Path, nodes: Integers, work: Work) -> Linked:
    possible = (pc.field("weight") >= work.keep) | (pc.field("component_l") == pc.field("component_r"))
    edges = pq.read_table(room / EDGES, columns=["a", "b", "weight", "apart", "levels"], filters=possible).to_pandas()
    found = pq.read_table(room / CLUSTERS)
    clusters = pd.Series(nodes, index=pd.Index(nodes, name="node"), name="cluster")
    clusters.loc[found["node"].to_numpy()] = found["cluster"].to_numpy()
    counts = json.loads((room / COUNTS).read_text("utf-8"))
    return Linked(of_interest(edges.sort_values(["a", "b"]), clusters, work), clusters, counts)
