"""How far the registry's grouping of records agrees with the truth: pairwise precision, recall and F1.

`python -m bench.score --home-export members.parquet --truth DIR/truth` prints one line for each kind of entity, and how much
of the truth's rows the export holds at all. A pair is two rows with a true label; it is right when the registry gives both
the same code and the truth gives both the same label. A row that the export lacks stands alone. Pairs are counted from
the sizes of groups, never listed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

KEY = ["source", "key", "role"]
# what is scored: the truth's column, and the export's type and kind ("" for any)
SCORED: dict[str, tuple[str, str, str]] = {
    "people": ("person", "person", ""),
    "dwellings": ("dwelling", "place", "dwelling"),
    "residential households": ("residential_household", "household", "residential"),
    "registered households": ("registered_household", "household", "registered"),
    "estates": ("estate", "place", "estate"),
    "buildings": ("building", "place", "building"),
    "grids and communities": ("place", "place", ""),
    "things": ("thing", "thing", ""),
    "organizations": ("organization", "organization", ""),
    "events": ("event", "event", ""),
}


@dataclass(frozen=True)
class Scores:
    """Agreement of two partitions. pairs: true pairs; found: predicted pairs; right: both; rows: rows compared."""

    rows: int
    pairs: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        """Share of predicted pairs that are true; 1 when none is predicted."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that are predicted; 1 when there is none."""
        return self.right / self.pairs if self.pairs else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.pairs + self.found
        return 2 * self.right / total if total else 1.0


def pairwise(truth: pd.Series, predicted: pd.Series) -> Scores:
    """Compare two labelings of the same rows (aligned by position).

    Rows without a true label are left out; rows without a predicted one stand alone. Labels of any type.
    """
    known = truth.notna().to_numpy()
    true = pd.factorize(truth[known])[0].astype(np.int64)
    found = pd.factorize(predicted[known])[0].astype(np.int64)
    alone = found < 0
    found[alone] = found.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    both = true * (int(found.max(initial=0)) + 1) + found
    return Scores(len(true), _pairs(true), _pairs(found), _pairs(both))


def _pairs(labels: np.ndarray) -> int:
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def score(truth: pd.DataFrame, members: pd.DataFrame) -> dict[str, Scores]:
    """Every line of SCORED that the truth has labels for.

    truth: records.parquet (source, key, role, a column of labels each). members: the export (source, key, role, type, kind, code).
    """
    members = members.assign(role=members["role"].fillna(""), kind=members["kind"].fillna(""))
    scores = {}
    for name, (column, kind_of_thing, kind) in SCORED.items():
        labelled = truth[truth[column].notna()] if column in truth else truth[:0]
        if labelled.empty:
            continue
        lines = members[members["type"] == kind_of_thing]
        lines = lines[lines["kind"] == kind] if kind else lines
        codes = lines.drop_duplicates(KEY)[[*KEY, "code"]]
        joined = labelled[[*KEY, column]].merge(codes, on=KEY, how="left")
        scores[name] = pairwise(joined[column], joined["code"])
    return scores


def present(truth: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """By source and role: truth rows and how many of them the export holds. Columns source, role, rows, present."""
    held = members.assign(role=members["role"].fillna("")).drop_duplicates(KEY)[KEY].assign(held=True)
    joined = truth[KEY].merge(held, on=KEY, how="left")
    joined["held"] = joined["held"].notna()
    counts = joined.groupby(["source", "role"])["held"].agg(rows="size", present="sum")
    return counts.reset_index()


def report(truth: pd.DataFrame, members: pd.DataFrame) -> str:
    """The lines `python -m bench.score` prints."""
    lines = [f"{'':24}{'F1':>8}{'precision':>11}{'recall':>9}{'rows':>9}{'true pairs':>12}"]
    lines += [
        f"{name:24}{s.f1:8.4f}{s.precision:11.4f}{s.recall:9.4f}{s.rows:9}{s.pairs:12}"
        for name, s in score(truth, members).items()
    ]
    held = present(truth, members)
    share = held["present"].sum() / max(1, held["rows"].sum())
    lines.append(f"{held['present'].sum()} of {held['rows'].sum()} true rows are in the export ({share:.4%})")
    for source, role, rows, found in held[held["present"] < held["rows"]].to_numpy().tolist():
        lines.append(f"  {source}{'.' + role if role else ''}: {rows - found} of {rows} missing")
    return "\n".join(lines)


def report_files(members: Path, truth: Path) -> str:
    """The report of an exported members.parquet against a town's truth folder."""
    return report(pd.read_parquet(truth / "records.parquet"), pd.read_parquet(members))


def main() -> int:
    """Print the report; exit 1 when the export lacks true rows."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.score", description="Score an export of members against the town's truth."
    )
    parser.add_argument("--home-export", type=Path, required=True, help="members.parquet of `onegrid export members`")
    parser.add_argument("--truth", type=Path, required=True, help="the town's truth folder")
    options = parser.parse_args()
    truth, members = pd.read_parquet(options.truth / "records.parquet"), pd.read_parquet(options.home_export)
    print(report(truth, members))
    held = present(truth, members)
    return int(held["present"].sum() < held["rows"].sum())


if __name__ == "__main__":
    sys.exit(main())
