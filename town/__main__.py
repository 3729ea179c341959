"""`python -m town --scale 1 --seed 7 --out DIR [--day N]`: write the town, a line a feed."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from onegrid.errors import OneGridError
from town.build import build, next_day


def main() -> int:
    """Exit 0 when the town is written."""
    parser = argparse.ArgumentParser(
        prog="python -m town", description="Write X Street: its feeds, their source files, and the truth."
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 is the whole street (132,856 people)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, required=True, help="folder for sources/, data/ and truth/")
    parser.add_argument("--day", type=int, help="the town some days later; without it the first day")
    parser.add_argument("--next", action="store_true", help="take the town that is there to its next day")
    options = parser.parse_args()
    start = time.perf_counter()

    def tell(line: str) -> None:
        print(f"{time.perf_counter() - start:6.1f} s  {line}", flush=True)

    try:
        counts = (
            next_day(options.out, options.day, tell)
            if options.next
            else build(options.scale, options.seed, options.out, options.day or 0, tell)
        )
    except OneGridError as error:
        print(f"onegrid: {error}", file=sys.stderr)
        return 1
    tell(f"{sum(counts.values())} rows in {len(counts)} feeds below {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
