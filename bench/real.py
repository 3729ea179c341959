"""Estates that several sites list, measured on real feeds: python -m bench.real FOLDER_OF_SOURCES --members members.parquet

Two feeds of the folder carry one site's number for each row (column `src_id`): rows with the same number are the same
estate, all other pairs of those rows are not. Prints pairwise figures on these rows beside grouping by equal name, and a
sample of the groups joined across feeds, to be read by eye. Nothing is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import yaml

from bench.feeds import read_feed
from bench.score import Scores, pairwise

ANSWER = "src_id"
SHOWN = ["name", "address", "lon", "lat"]


def read_sources(folder: Path) -> pd.DataFrame:
    """Every row of every source of the folder that maps a place: source, key, SHOWN and ANSWER as text."""
    frames = []
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        spec = yaml.safe_load(file.read_text(encoding="utf-8"))
        if "place" not in spec["maps"]:
            continue
        rows = read_feed(spec["read"], file.parent)
        key = rows[spec["read"]["key"]].astype("str").agg("|".join, axis=1)
        found = pd.DataFrame({"source": spec["name"], "key": key})
        for name in (*SHOWN, ANSWER):
            found[name] = rows[name].replace("", pd.NA).astype("str") if name in rows else pd.NA
        frames.append(found)
    return pd.concat(frames, ignore_index=True)


def with_codes(rows: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """The rows with the `code` of the estate each is a member of, missing where the registry has none."""
    estates = members[(members["type"] == "place") & (members["kind"] == "estate")]
    return rows.merge(
        estates.drop_duplicates(["source", "key"])[["source", "key", "code"]], on=["source", "key"], how="left"
    )


def easy_part(rows: pd.DataFrame) -> dict[str, Scores]:
    """Pairwise figures on the rows that carry the site's number: by the registry's codes, and by equal names."""
    told = rows[rows[ANSWER].notna()]
    return {name: pairwise(told[ANSWER], told[column]) for name, column in (("codes", "code"), ("equal name", "name"))}


def joined_across(rows: pd.DataFrame, number: int, seed: int, *, other_names: bool) -> list[pd.DataFrame]:
    """A seeded sample of groups that hold rows of several feeds; `other_names`: only those under several names."""
    groups = rows.dropna(subset="code").groupby("code").agg({"source": "nunique", "name": "nunique"})
    kept = groups[(groups["source"] > 1) & ((groups["name"] > 1) | (not other_names))]
    chosen = kept.sort_index().sample(min(number, len(kept)), random_state=seed).index
    return [rows[rows["code"] == code] for code in chosen]


def main() -> None:
    """Print the figures and the sample."""
    parser = argparse.ArgumentParser(prog="python -m bench.real", description="Measure estates on real feeds.")
    parser.add_argument("folder", type=Path, help="the folder of sources that was run")
    parser.add_argument("--members", type=Path, required=True, help="members.parquet of `onegrid export members`")
    parser.add_argument("--sample", type=int, default=20, help="groups to show")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--other-names", action="store_true", help="show only groups under several names")
    options = parser.parse_args()
    rows = with_codes(read_sources(options.folder), pd.read_parquet(options.members))
    print(f"{len(rows)} rows of {rows['source'].nunique()} feeds, {rows['code'].nunique()} estates")
    for name, score in easy_part(rows).items():
        print(f"{name:12} F1 {score.f1:.5f}  precision {score.precision:.5f}  recall {score.recall:.5f}")
    for group in joined_across(rows, options.sample, options.seed, other_names=options.other_names):
        print("--")
        print(group[["source", *SHOWN]].fillna("").to_string(index=False, header=False))


if __name__ == "__main__":
    main()
