"""Splink 5 as a practitioner uses it: the comparisons of its library, EM, a threshold fixed in advance, connected components.

One script for any table of people under the usual English column names, one for estates; the town's own stands in `bench.baselines`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

THRESHOLD = 0.95
RECALL = 0.8  # share of the true pairs that a script's certain keys are said to find
NAMES = ("first_name", "last_name")
KEYED = ("first_name", "last_name", "date_of_birth", "zip", "ssn", "street")  # columns worth a key, two at a time
ESTATE_KEYS = ("name", "address", "spot")


@dataclass(frozen=True)
class Script:
    """What a practitioner writes down. keys: blocking rules, columns each. certain: keys nearly all of whose pairs are right.

    rounds: the keys EM is run within, one after the other.
    """

    comparisons: Sequence[Any]
    keys: Sequence[Sequence[str]]
    certain: Sequence[Sequence[str]]
    rounds: Sequence[Sequence[str]]


def clusters_of(frame: pd.DataFrame, script: Script) -> pd.Series:
    """Train, predict and cluster; labels aligned with the frame, whose columns are texts or numbers, missing where unknown."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    table = frame.assign(unique_id=range(len(frame)))
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=list(script.comparisons),
        blocking_rules_to_generate_predictions=[block_on(*key) for key in script.keys],
    )
    linker = Linker(DuckDBAPI().register(table.astype(object).where(table.notna(), None)), settings, log_level="ERROR")
    certain = [block_on(*key) for key in script.certain]
    linker.training.estimate_probability_two_random_records_match(certain, recall=RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for key in script.rounds:
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*key))
    pairs = linker.inference.predict(threshold_match_probability=THRESHOLD)
    found = linker.clustering.cluster_pairwise_predictions_at_threshold(pairs, threshold_match_probability=THRESHOLD)
    labels = found.as_pandas_dataframe().set_index("unique_id")["cluster_id"]
    return table["unique_id"].map(labels)


def people_script(columns: Sequence[str]) -> Script:
    """For a table of people: names by Jaro-Winkler, dates as the library compares them, numbers by edits, all else by equality."""
    import splink.comparison_library as compare

    made: list[Any] = []
    for name in columns:
        if name in NAMES:
            made.append(compare.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True))
        elif name == "date_of_birth":
            made.append(compare.DateOfBirthComparison(name, input_is_string=True))
        elif name in ("ssn", "zip", "street", "city", "address"):
            made.append(compare.LevenshteinAtThresholds(name, [1, 2]))
        else:
            made.append(compare.ExactMatch(name))
    keys = list(combinations([name for name in KEYED if name in columns], 2))
    certain = [(name, "date_of_birth") for name in NAMES]
    return Script(made, keys, certain, [("date_of_birth",), NAMES])


def estate_script() -> Script:
    """For estates: name and address by Jaro-Winkler, position by distance."""
    import splink.comparison_library as compare

    names = [
        compare.JaroWinklerAtThresholds(name, [0.95, 0.85]).configure(term_frequency_adjustments=True)
        for name in ("name", "address")
    ]
    where = compare.DistanceInKMAtThresholds("lat", "lon", [0.2, 0.7, 2])
    return Script([*names, where], [(key,) for key in ESTATE_KEYS], [("name",)], [("name",), ("spot",)])
