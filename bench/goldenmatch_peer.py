"""GoldenMatch without any configuration, run by the interpreter of its own environment: python goldenmatch_peer.py FOLDER

Reads FOLDER/clean.parquet and writes FOLDER/goldenmatch.json: the seconds and the label of each row. Imports nothing of OneGrid:
that environment holds GoldenMatch alone.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main() -> None:
    """One table in, one file of labels out."""
    import goldenmatch
    import pyarrow.parquet as parquet

    folder = Path(sys.argv[1])
    table = parquet.read_table(folder / "clean.parquet")
    start = time.perf_counter()
    result = goldenmatch.dedupe_df(table)
    labels = list(range(table.num_rows))
    for number, cluster in result.clusters.items():
        for row in cluster["members"]:
            labels[row] = table.num_rows + number
    seconds = time.perf_counter() - start
    (folder / "goldenmatch.json").write_text(json.dumps({"seconds": seconds, "labels": labels}), encoding="utf-8")


if __name__ == "__main__":
    main()
