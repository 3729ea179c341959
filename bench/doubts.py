"""How sure the matching of people is: what certain pairs and each score are worth, and what review is asked.

`python -m bench.doubts HOME SOURCES TRUTH` matches the standing records of a registry's home anew (nothing is written)
and holds them against the town's truth. Certain are the records that the exact pass placed or whose best score with the
rest of their entity is at least `matching.doubt.SURE`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from bench.score import KEY, Scores, pairwise
from matching.doubt import SURE
from schemas.records import Matched

STEPS = (0.0, 2.0, 4.0, 6.0, 7.0, 8.0, 10.0, 12.0)


def certain(members: pd.DataFrame, person: pd.Series) -> Scores:
    """The agreement of the certain records alone. members: of type person; person: true labels by `rid`."""
    sure = members[~(members["weight"] < SURE)]
    return pairwise(sure["rid"].map(person), sure["cluster"])


def by_score(edges: pd.DataFrame, person: pd.Series) -> pd.DataFrame:
    """Of the scored pairs at or above each of STEPS: `pairs` and the share `right`, index the step."""
    one, two = (edges[side].map(person) for side in ("rid_a", "rid_b"))
    known = (one.notna() & two.notna()).to_numpy()
    same, weight = (one == two).to_numpy()[known], edges["weight"].to_numpy()[known]
    lines = [(int((weight >= step).sum()), float(same[weight >= step].mean())) for step in STEPS]
    return pd.DataFrame(lines, columns=["pairs", "right"], index=list(STEPS))


def review(matched: Matched, person: pd.Series) -> pd.DataFrame:
    """By reason: `lines`, their share of all `records`, and the share where the answer is yes."""
    members = matched.members.assign(person=matched.members["rid"].map(person))
    main = members.groupby(["cluster", "person"]).size().sort_values(kind="stable").reset_index()
    entity = main.drop_duplicates("cluster", keep="last").set_index("cluster")["person"]
    lines = matched.doubts
    yes = np.asarray(lines["rid"].map(person) == lines["cluster"].map(entity))
    found = lines.assign(yes=yes).groupby("reason")["yes"].agg(["size", "mean"])
    found.columns = pd.Index(["lines", "yes"])
    return found.assign(records=found["lines"] / max(len(members), 1))


def report(matched: Matched, person: pd.Series) -> str:
    """The lines the program prints."""
    sure, every = (
        certain(matched.members, person),
        pairwise(matched.members["rid"].map(person), matched.members["cluster"]),
    )
    asked = review(matched, person)
    return "\n".join(
        [
            f"all pairs      {every.right / max(every.found, 1):.4f} of {every.found:,} right, F1 {every.f1:.4f}",
            f"certain pairs  {sure.precision:.4f} of {sure.found:,} right (records at {SURE:g} and above)",
            f"review         {asked['lines'].sum():,} lines, {asked['records'].sum():.2%} of the records",
            asked.to_string(),
            by_score(matched.edges, person).to_string(),
        ]
    )


def main() -> None:
    """Match a home's records anew and print the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.doubts", description="How sure the matching of people is.")
    for name in ("home", "sources", "truth"):
        parser.add_argument(name, type=Path)
    print(_measured(**vars(parser.parse_args())))


def _measured(home: Path, sources: Path, truth: Path) -> str:
    from matching.people import match_people
    from matching.places import match_places
    from onegrid.pipeline import feeds_of, open_hub
    from onegrid.printing import say
    from onegrid.settings import read_settings
    from onegrid.synchronising import ACTOR
    from registry.read import read_records
    from schemas.numbering import Numbering
    from schemas.sources import read_sources

    declared, _ = read_sources(sources)
    with open_hub(read_settings(home), ACTOR, say) as hub, hub.database.session(hub.actor) as connection:
        stored = read_records(connection, hub.keyring, feeds_of(declared))
    records = Numbering.of(stored).number(stored)
    matched = match_people(records, match_places(records)).matched
    labels = pd.read_parquet(truth / "records.parquet", columns=[*KEY, "person"]).fillna({"role": ""})
    rows = records.frame("person")[["rid", *KEY]].fillna({"role": ""}).merge(labels, on=KEY)
    return report(matched, rows.set_index("rid")["person"])


if __name__ == "__main__":
    main()
