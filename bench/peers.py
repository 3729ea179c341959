"""One method on one contest, each in its own process: seconds, peak memory, labels. `python -m bench.peers METHOD FOLDER` is that process.

Seconds run from the table in memory to its clusters. Peak memory is the largest resident set of the process or of one it
started. A method that has not finished within the limit is stopped, with all it started, and said to be not finished.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

LIMIT = 600.0  # seconds a method may take
POLL = 0.05  # seconds between two looks at whether it is done
KILOBYTES = 1024  # ru_maxrss of Linux counts in these
GOLDENMATCH = "goldenmatch"


@dataclass(frozen=True)
class Run:
    """What one method made of one contest; without labels it did not finish, and `why` tells."""

    seconds: float
    peak_mb: float
    labels: pd.Series | None
    why: str = ""


def run(method: str, folder: Path, venv: Path, limit: float = LIMIT) -> Run:
    """Run a method on the contest in `folder`. venv: the environment that holds GoldenMatch."""
    out = folder / f"{method}.json"
    out.unlink(missing_ok=True)
    script = Path(__file__).with_name("goldenmatch_peer.py")
    own = (
        [str(venv / "bin" / "python"), str(script)]
        if method == GOLDENMATCH
        else [sys.executable, "-m", "bench.peers", method]
    )
    code, seconds, peak = watch([*own, str(folder)], folder / f"{method}.log", limit)
    if code is None:
        return Run(seconds, peak, None, f"not finished in {limit:.0f} s")
    if code or not out.exists():
        return Run(seconds, peak, None, f"failed (see {method}.log)")
    found = json.loads(out.read_text(encoding="utf-8"))
    return Run(found["seconds"], peak, pd.Series(found["labels"]))


def watch(command: Sequence[str], log: Path, limit: float) -> tuple[int | None, float, float]:
    """Exit code (None: stopped at the limit), wall seconds and peak MB of a command, its output in `log`."""
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    stopped = False
    while True:
        number, status, usage = os.wait4(process.pid, os.WNOHANG)
        if number:
            break
        if not stopped and time.perf_counter() - start > limit:
            os.killpg(process.pid, signal.SIGKILL)
            stopped = True
        time.sleep(POLL)
    process.returncode = os.waitstatus_to_exitcode(status)  # or Popen would warn of a child it never saw end
    peak = usage.ru_maxrss * KILOBYTES / 1e6
    return None if stopped else process.returncode, time.perf_counter() - start, peak


def install_goldenmatch(venv: Path) -> None:
    """GoldenMatch in an environment of its own, by pip as it is set up on this machine; once."""
    if (venv / "ready").exists():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, GOLDENMATCH], check=True)
    (venv / "ready").touch()


# ---------------------------------------------------------------- inside the process


def _dedupe(folder: Path) -> pd.Series:
    from matching import dedupe

    kinds = json.loads((folder / "kinds.json").read_text(encoding="utf-8"))
    return dedupe(pd.read_parquet(folder / "table.parquet"), kinds)


def _splink_people(folder: Path) -> pd.Series:
    from bench.splink_peer import clusters_of, people_script

    clean = pd.read_parquet(folder / "clean.parquet")
    return clusters_of(clean, people_script(list(clean.columns)))


def _splink_town(folder: Path) -> pd.Series:
    from bench.baselines import clean, plain_splink

    return plain_splink(clean(pd.read_parquet(folder / "table.parquet")))


def _splink_estates(folder: Path) -> pd.Series:
    from bench.splink_peer import clusters_of, estate_script

    return clusters_of(pd.read_parquet(folder / "clean.parquet"), estate_script())


METHODS: Mapping[str, Callable[[Path], pd.Series]] = {
    "dedupe": _dedupe, "splink_people": _splink_people, "splink_town": _splink_town, "splink_estates": _splink_estates,
}  # fmt: skip


def main() -> None:
    """Run one of METHODS and leave seconds and labels behind."""
    method, folder = sys.argv[1], Path(sys.argv[2])
    start = time.perf_counter()
    labels = pd.factorize(METHODS[method](folder))[0].tolist()
    seconds = time.perf_counter() - start
    (folder / f"{method}.json").write_text(json.dumps({"seconds": seconds, "labels": labels}), encoding="utf-8")


if __name__ == "__main__":
    main()
