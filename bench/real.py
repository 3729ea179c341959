"""Estates that several sites list, measured on real feeds: python -m bench.real FOLDER_OF_SOURCES --members members.parquet

Two feeds of the folder carry one site's number for each row (column `src_id`): rows with the same number are the same
estate, all other pairs of those rows are not. Prints pairwise figures on these rows beside grouping by equal name, and a
sample of the groups joined across feeds, to be read by eye.

The hard part are pairs of rows of two feeds at one position under different names: the matcher is run without positions,
and those that it joins, or knows for part and whole (or for parts of one whole), are counted. Nothing is written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd
import yaml

from bench.feeds import read_feed
from bench.score import Scores, pairwise
from matching.places import match_places
from schemas.records import Feed, Records

ANSWER = "src_id"
SHARED = 2  # rows of one feed at one position
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


def same_spot_other_name(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of row positions `a` < `b` of two feeds at one position (to a millionth of a degree) that differ in name.

    A position that a feed gives to more than SHARED rows is a quarter's middle and is left out.
    """
    at = rows.assign(a=range(len(rows))).dropna(subset=["lon", "lat"])
    places = [pd.to_numeric(at[name], errors="coerce").round(6).rename(f"{name}_at") for name in ("lon", "lat")]
    at = pd.concat([at, *places], axis=1).dropna(subset=["lon_at", "lat_at"])
    spot = ["lon_at", "lat_at"]
    at = at[at.groupby([*spot, "source"])["a"].transform("size") <= SHARED]
    both = at.merge(at.rename(columns={"a": "b"}), on=spot)
    kept = (both["a"] < both["b"]) & (both["source_x"] != both["source_y"]) & (both["name_x"] != both["name_y"])
    return both.loc[kept, ["a", "b"]].reset_index(drop=True)


def hard_part(folder: Path) -> tuple[int, int, int]:
    """Pairs of `same_spot_other_name`, those joined without positions, and those known for part and whole."""
    rows = read_sources(folder)
    listed = rows[["source", "key", "name", "address"]].assign(rid=range(len(rows)), role="", kind="estate")
    specs = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.y*ml"))]
    feeds = {spec["name"]: Feed(spec["name"], spec["level"], spec["division"]) for spec in specs}
    found = match_places(Records({"place": listed}, feeds)).matched
    estates = found.members[found.members["kind"] == "estate"]
    cluster = estates.drop_duplicates("rid").set_index("rid")["cluster"].reindex(range(len(rows))).to_numpy()
    pairs = same_spot_other_name(rows)
    one, other = cluster[pairs["a"]], cluster[pairs["b"]]
    parts = found.relations[found.relations["relation"] == "part_of"].set_index("cluster")["to_cluster"]
    whole = [pd.Series(side).map(parts).to_numpy() for side in (one, other)]
    kin = (whole[0] == other) | (whole[1] == one) | (whole[0] == whole[1])
    return len(pairs), int((one == other).sum()), int((kin & (one != other)).sum())


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
    parser.add_argument(
        "--hard", action="store_true", help="match once more without positions and count the hard pairs"
    )
    options = parser.parse_args()
    rows = with_codes(read_sources(options.folder), pd.read_parquet(options.members))
    print(f"{len(rows)} rows of {rows['source'].nunique()} feeds, {rows['code'].nunique()} estates")
    for name, score in easy_part(rows).items():
        print(f"{name:12} F1 {score.f1:.5f}  precision {score.precision:.5f}  recall {score.recall:.5f}")
    if options.hard:
        number, joined, kin = hard_part(options.folder)
        share = (joined + kin) / max(number, 1)
        print(
            f"one spot, other names, positions kept back: {number} pairs, joined {joined}, part and whole {kin}: {share:.3f}"
        )
    for group in joined_across(rows, options.sample, options.seed, other_names=options.other_names):
        print("--")
        print(group[["source", *SHOWN]].fillna("").to_string(index=False, header=False))


if __name__ == "__main__":
    main()
