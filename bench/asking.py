"""What a question at the door costs this process, and what Splink's own prediction would cost for the same pairs.

python -m bench.asking --home HOME. Seconds of processor, not of the clock: others use the machine too.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from statistics import median

import numpy as np
import orjson
import pandas as pd

from matching.doorstep import Stacked
from matching.levels import Comparer
from matching.model import predict
from onegrid.asking import meant
from onegrid.comparing import asker_of
from onegrid.database import Actor, read_frame
from onegrid.pipeline import open_hub
from onegrid.printing import say
from onegrid.settings import read_settings
from registry.access import CHECK, RIGHTS
from registry.asking import SEALED_FOR
from registry.asking_sql import MET
from registry.tokens import create_token, digest

SAMPLE = """
    SELECT n.value AS name, a.value AS address FROM entity e
    JOIN entity_value n ON n.code = e.code AND n.property = 'name' AND n.known_to IS NULL
    JOIN entity_value a ON a.code = e.code AND a.property = 'address' AND a.known_to IS NULL
    WHERE e.type = 'person' AND e.status = 'active' ORDER BY md5(e.code) LIMIT %(many)s"""


def main() -> None:
    """Measure and print milliseconds as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home with a published registry")
    parser.add_argument("--questions", type=int, default=1000, help="questions (1000)")
    chosen = parser.parse_args()
    with (
        open_hub(read_settings(chosen.home), Actor("bench"), say) as hub,
        hub.database.session(hub.actor) as connection,
    ):
        asker = asker_of(connection, hub.keyring)
        if asker.evaluator is None:
            raise SystemExit("the registry has no model of this version")
        sample = read_frame(connection, SAMPLE, {"many": chosen.questions})
        _, token = create_token(connection, "officer", "bench", "340202", numbers=False, days=1)
        driver = connection.connection.driver_connection
        roles = [role for role, rights in RIGHTS.items() if CHECK in rights]
        spent: dict[str, list[float]] = {"read": [], "database": [], "weigh": [], "in process": [], "splink": []}
        candidates, off = [], 0.0
        for at, (name, address) in enumerate(zip(sample["name"], sample["address"], strict=True)):
            start = time.process_time()
            asked = asker.read({"name": name, "address": address}, "340202")
            read = time.process_time()
            values = {"hash": digest(token), "roles": roles, "tokens": asked.tokens, "bits": asked.bits}
            clock = time.perf_counter()
            row = driver.execute(MET, values, binary=True).fetchone()  # type: ignore[union-attr]
            database = time.perf_counter() - clock
            codes, bodies = row[2] or [], row[3] or []
            begin = time.process_time()
            meant(asker.weigh(asked, codes, bodies), asked, 3)
            weighed = time.process_time() - begin
            for part, seconds in (("read", read - start), ("database", database), ("weigh", weighed)):
                spent[part].append(seconds)
            spent["in process"].append(read - start + weighed)
            candidates.append(len(codes))
            if at % 50 == 0 and codes:
                records = [line for body in bodies for line in orjson.loads(hub.keyring.unseal(body, SEALED_FOR))]
                rows = Stacked(asked.columns, records)
                a, b = np.zeros(len(records), dtype=np.int64), np.arange(len(records)) + len(asked.columns["id"])
                levels: pd.DataFrame = Comparer(rows, asker.evaluator.model.tables).levels(a, b)
                begin = time.process_time()
                splink = predict(asker.evaluator.model, levels)
                spent["splink"].append(time.process_time() - begin)
                off = max(off, float(np.abs(splink - asker.evaluator.score(rows, a, b)).max()))
        connection.rollback()
    found = {name: {"p50_ms": round(1000 * median(times), 3), "p99_ms": round(1000 * sorted(times)[int(0.99 * len(times))], 3)} for name, times in spent.items()}  # fmt: skip
    print(json.dumps({**found, "candidates": round(float(np.mean(candidates)), 1), "splink_differs_by": off}, indent=1))


if __name__ == "__main__":
    main()
