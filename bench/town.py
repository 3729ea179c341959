"""The sample town through `onegrid run`, measured: time, rows and peak memory by stage, and the result against the truth.

`python -m bench.town --scale 1` builds the town where it is missing, runs its feeds into an empty registry, runs them
again with nothing changed, exports the members and scores them. Figures are of this machine and this run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.score import report_files
from town import build

ONEGRID = Path(sys.executable).parent / "onegrid"


def main() -> None:
    """Build, run twice, score, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--dir", type=Path, help="keep the town and the registry here; default: a folder thrown away")
    arguments = parser.parse_args()
    folder = arguments.dir or Path(tempfile.mkdtemp(prefix="onegrid-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    try:
        measure(arguments.scale, arguments.seed, folder)
    finally:
        if arguments.dir is None:
            shutil.rmtree(folder)


def measure(scale: float, seed: int, folder: Path) -> None:
    """One town of a scale and seed in `folder`: two runs, the stages of both, the scores."""
    town, home = folder / "town", folder / "home"
    if not (town / "truth").exists():
        build(scale, seed, town, tell=lambda line: print(line, file=sys.stderr))
    shutil.rmtree(home, ignore_errors=True)
    for title in ("first run", "second run, nothing changed"):
        seconds, summary = run(town / "sources", home)
        print(f"\n{title}: {seconds:.1f} s\n{stages(summary)}\nchanges {summary['changes']}")
        if title == "first run":
            print(sources(summary), f"\nentities {summary['entities']}")
    members = folder / "members.parquet"
    subprocess.run([ONEGRID, "export", "members", "--home", home, "--out", members], check=True)
    print(report_files(members, town / "truth"))


def run(feeds: Path, home: Path) -> tuple[float, dict[str, Any]]:
    """Wall seconds of the whole process, and its summary."""
    start = time.perf_counter()
    done = subprocess.run(
        [ONEGRID, "run", "--json", "--sources", feeds, "--home", home], check=True, stdout=subprocess.PIPE, text=True
    )
    return time.perf_counter() - start, json.loads(done.stdout.splitlines()[-1])


def stages(summary: dict[str, Any]) -> str:
    """A line a stage."""
    lines = [f"  {'stage':<18}{'seconds':>9}{'rows':>12}{'peak MB':>10}"]
    lines += [
        f"  {name:<18}{s['seconds']:>9.1f}{s['rows']:>12,}{s['peak_mb']:>10,.0f}"
        for name, s in summary["stages"].items()
    ]
    return "\n".join(lines)


def sources(summary: dict[str, Any]) -> str:
    """A line a source, and their sum."""
    names = ("read", "clean", "quarantined", "repeated", "withheld")
    found = {**summary["sources"], "all": {n: sum(s[n] for s in summary["sources"].values()) for n in names}}
    lines = ["  " + f"{'source':<22}" + "".join(f"{n:>13}" for n in names)]
    lines += [f"  {name:<22}" + "".join(f"{s[n]:>13,}" for n in names) for name, s in found.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
