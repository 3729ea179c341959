"""What Airflow adds: the same feeds by `onegrid run`, and through the scheduler of `onegrid up`, each into a new home.

python -m bench.hub SOURCES --homes DIR
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

from onegrid.pipeline import open_hub
from onegrid.printing import say
from onegrid.settings import read_settings
from onegrid.synchronising import ACTOR, synchronise
from onegrid.up import Ports, hub_up
from schemas.sources import read_sources

PORTS = Ports("127.0.0.1", 18100, 18180)


def by_run(sources: Path, home: Path) -> dict[str, object]:
    """`onegrid run` as a process, from its start to its end."""
    words = [sys.executable, "-m", "onegrid.cli", "run", "--json", "--sources", str(sources), "--home", str(home)]
    start = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - start
    found = json.loads(done.stdout.splitlines()[-1])
    return {"seconds": round(seconds, 1), "stages": _stages(found["stages"]), "entities": found["entities"]}


def by_airflow(sources: Path, home: Path) -> dict[str, object]:
    """All syncs triggered in a hub that is up, until the registry is published and nothing is under way."""
    settings = read_settings(home)
    names = [source.name for source in read_sources(sources)[0]]
    with hub_up(settings, sources, PORTS, say) as up, open_hub(settings, ACTOR, say) as hub:
        start = time.monotonic()
        summary = synchronise(up, hub, names)
        seconds = time.monotonic() - start
    return {"seconds": round(seconds, 1), "stages": _stages(summary.stages), "entities": summary.entities}


def _stages(stages: dict[str, dict[str, float | int]]) -> dict[str, float]:
    return {name: round(float(cost["seconds"]), 1) for name, cost in stages.items()}


def main() -> None:
    """Print both and their difference as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--homes", type=Path, required=True, help="an empty folder for the two homes")
    chosen = parser.parse_args()
    alone = by_run(chosen.sources, chosen.homes / "run")
    through = by_airflow(chosen.sources, chosen.homes / "airflow")
    more = float(str(through["seconds"])) - float(str(alone["seconds"]))
    print(json.dumps({"run": alone, "airflow": through, "airflow_takes_more": round(more, 1)}, ensure_ascii=False))


if __name__ == "__main__":
    main()
