"""OneGrid, Splink 5 and GoldenMatch side by side: accuracy, time, memory and the causes of wrong merges, in one table.

python -m bench.accuracy [--scale 0.1 --scale 1] [--real DIR] [--people DIR] [--dir WORK]

On towns (people), on estates that real sites list (`--real`: a folder of cities, each a folder of sources; see `bench.real`) and on
public sets of people (`--people`; see `bench.people_sets`). Each method runs in its own process, one after the other. On towns and
estates OneGrid is the pipeline (its matching stages: from staged records to clusters); `dedupe` is the one call on the
same single table that the peers get. Figures are of this machine and this run.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml

from bench.causes import causes
from bench.contests import write_estates, write_people, write_town
from bench.peers import GOLDENMATCH, Run, install_goldenmatch, run
from bench.people_sets import SETS, read_set
from bench.real import read_sources, with_codes
from bench.score import KEY, pairwise
from bench.town import ONEGRID
from bench.town import run as run_pipeline
from town import build

SEED = 7
STAGES = (
    "read",
    "match_places",
    "match_people",
    "match_households",
)  # from staged records to clusters of homes and people
HEADER = f"{'contest':18}{'method':13}{'F1':>8}{'precision':>11}{'recall':>9}{'seconds':>9}{'peak MB':>9}  wrong merges by cause"


@dataclass(frozen=True)
class Bench:
    """Where the bench works, and where GoldenMatch is installed."""

    work: Path
    venv: Path


def main() -> None:
    """Print the table, a line as soon as it is known."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.accuracy", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--scale", type=float, action="append", help="of the town; may be given again (default: 0.1)")
    parser.add_argument("--real", type=Path, help="a folder of cities with the sources of real estate sites")
    parser.add_argument("--people", type=Path, help="a folder with the public sets of people")
    parser.add_argument("--dir", type=Path, help="work here and keep it; default: a folder thrown away")
    chosen = parser.parse_args()
    work = chosen.dir or Path(tempfile.mkdtemp(prefix="onegrid-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    work.chmod(0o755)
    try:
        bench = Bench(work, work / GOLDENMATCH)
        install_goldenmatch(bench.venv)
        print(HEADER)
        for line in lines(bench, chosen.scale or [0.1], chosen.real, chosen.people):
            print(line, flush=True)
    finally:
        if chosen.dir is None:
            shutil.rmtree(work)


def lines(bench: Bench, scales: list[float], real: Path | None, people: Path | None) -> Iterator[str]:
    """The table's lines, contest by contest."""
    for scale in scales:
        yield from _town(bench, scale)
    for city in cities(real) if real else ():
        yield from _estates(bench, city)
    if people:
        for name in SETS:
            write_people(read_set(people, name), bench.work / name)
            yield from _compared(bench, name, bench.work / name, ("dedupe", "splink_people", GOLDENMATCH))


def cities(real: Path) -> list[Path]:
    """The folders whose sources list places."""
    listing = {
        path.parent
        for path in real.glob("*/*.yml")
        if "place" in yaml.safe_load(path.read_text(encoding="utf-8"))["maps"]
    }
    return sorted(listing)


def _town(bench: Bench, scale: float) -> Iterator[str]:
    name, folder = f"town {scale:g}", bench.work / f"town-{scale:g}"
    town = folder / "town"
    if not (town / "truth").exists():
        build(scale, SEED, town, tell=lambda line: print(line, file=sys.stderr))
    write_town(town, folder)
    pipeline, members = _pipeline(town / "sources", folder)
    rows = pd.read_parquet(folder / "table.parquet")[KEY]
    people = members[members["type"] == "person"].assign(role=members["role"].fillna("")).drop_duplicates(KEY)
    pipeline = Run(pipeline.seconds, pipeline.peak_mb, rows.merge(people[[*KEY, "code"]], on=KEY, how="left")["code"])
    yield line(name, "onegrid", pipeline, folder)
    for method in ("dedupe", "splink_town", GOLDENMATCH):
        found = run(method, folder, bench.venv)
        yield line(name, method, found, folder)
        if method == "splink_town":
            yield f"{name:18}people, dwellings and households by OneGrid take {pipeline.seconds / found.seconds:.2f} of Splink's seconds for people"


def _estates(bench: Bench, city: Path) -> Iterator[str]:
    name, folder = f"estates {city.name}", bench.work / f"estates-{city.name}"
    write_estates(city, folder)
    pipeline, members = _pipeline(city, folder)
    yield line(
        name,
        "onegrid",
        Run(pipeline.seconds, pipeline.peak_mb, with_codes(read_sources(city), members)["code"]),
        folder,
    )
    yield line(name, "equal name", Run(0.0, 0.0, pd.read_parquet(folder / "truth.parquet")["name"]), folder)
    yield from _compared(bench, name, folder, ("splink_estates", GOLDENMATCH))


def _pipeline(sources: Path, folder: Path) -> tuple[Run, pd.DataFrame]:
    """Seconds and peak memory of the matching stages of one run into an empty registry, and the members it found."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    _, summary = run_pipeline(sources, home)
    members = folder / "members.parquet"
    subprocess.run(
        [ONEGRID, "export", "members", "--home", home, "--out", members], check=True, stdout=subprocess.DEVNULL
    )
    stages = [summary["stages"][stage] for stage in STAGES]
    cost = Run(sum(s["seconds"] for s in stages), max(s["peak_mb"] for s in stages), None)
    return cost, pd.read_parquet(members)


def _compared(bench: Bench, name: str, folder: Path, methods: tuple[str, ...]) -> Iterator[str]:
    for method in methods:
        yield line(name, method, run(method, folder, bench.venv), folder)


def line(contest: str, method: str, found: Run, folder: Path) -> str:
    """One line of the table."""
    start = f"{contest:18}{method.partition('_')[0]:13}"
    if found.labels is None:
        return f"{start}{found.why} ({found.seconds:.0f} s, {found.peak_mb:.0f} MB)"
    truth = pd.read_parquet(folder / "truth.parquet")
    score = pairwise(truth["truth"], found.labels)
    figures = f"{score.f1:8.4f}{score.precision:11.4f}{score.recall:9.4f}{found.seconds:9.1f}{found.peak_mb:9.0f}"
    told = causes(truth, truth["truth"], found.labels)
    return f"{start}{figures}  " + (", ".join(f"{cause} {number}" for cause, number in told.items()) or "none")


if __name__ == "__main__":
    main()
