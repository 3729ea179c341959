"""A real standalone Spark cluster on the loopback address: a master and two workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

import pytest

from matching.spark.java import java_home

ROOT = Path(__file__).parents[1]
LOOPBACK = "127.0.0.1"
START = 300.0  # seconds that a program may take to answer on a busy machine
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # programs of a minute are not worth compiling well


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs: its URL, and its workers, which may be killed."""

    url: str
    workers: tuple[subprocess.Popen[bytes], ...]

    def kill_worker(self) -> None:
        """End the first worker and its executors, as a machine that loses its power does."""
        os.killpg(self.workers[0].pid, signal.SIGKILL)
        self.workers[0].wait()


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """A master and two workers of one core each; everything they write lies in the folder."""
    spec = find_spec("pyspark")
    assert spec is not None, "PySpark is not installed: make spark"
    home = Path(str(spec.origin)).parent
    own = {"SPARK_LOCAL_IP": LOOPBACK, "JDK_JAVA_OPTIONS": QUICK, "SPARK_HOME": str(home), "PYTHONPATH": str(ROOT)}
    daemons = {"JAVA_HOME": str(java_home(folder)), "SPARK_DAEMON_MEMORY": "256m"}
    port, page = free_port(), free_port()
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())  # Spark's driver, too, keeps to the loopback address
        for name, value in own.items():
            patch.setenv(name, value)
        log = stack.enter_context((folder / "cluster.log").open("ab"))

        def start(*words: str) -> subprocess.Popen[bytes]:
            return stack.enter_context(
                _program([str(home / "bin" / "spark-class"), *words], {**os.environ, **daemons}, log)
            )

        ports = ("--host", LOOPBACK, "--port", str(port), "--webui-port", str(page))
        start("org.apache.spark.deploy.master.Master", *ports)
        await_(lambda: _listens(port))
        url = f"spark://{LOOPBACK}:{port}"
        size = ("--host", LOOPBACK, "--webui-port", "0", "--cores", "1", "--memory", "1g", "--work-dir", str(folder))
        workers = tuple(start("org.apache.spark.deploy.worker.Worker", *size, url) for _ in range(2))
        await_(lambda: (folder / "cluster.log").read_bytes().count(b"Successfully registered with master") == 2)
        yield Cluster(url, workers)


@contextmanager
def _program(command: list[str], environment: Mapping[str, str], log: BinaryIO) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as program:
        try:
            yield program
        finally:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        return int(server.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0


def await_(holds: Callable[[], bool], seconds: float = START) -> None:
    """Wait until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def spark_cluster(make_folder: Callable[[], Path]) -> Iterator[Cluster]:
    """A cluster for the tests of one file."""
    with running(make_folder()) as found:
        yield found
