"""`dedupe`: which rows of any one table of people are the same person.

The steps are those of every feed: candidates by keys, levels of agreement, an additive model scored through Splink, constrained
clustering. A table under Chinese names goes the whole way of a feed, trained on its own document numbers
(`matching.chinese_table`). Any other has no number to trust and is trained without labels (`matching.mixture`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.blocking import Candidates, candidates
from matching.chinese_table import as_records, is_chinese
from matching.cluster import Rules, cluster
from matching.engine import score
from matching.evidence import gather
from matching.levels import impossible
from matching.mixture import explain
from matching.people import JOIN as JOIN_RECORDS
from matching.people import compared, exact_pass
from matching.places import match_places
from matching.table_columns import ALSO_CALLED, KINDS, read_columns
from matching.table_keys import KEYS, with_keys
from matching.table_levels import TableComparer
from matching.training import train_people
from onegrid.errors import SettingsError

Integers = npt.NDArray[np.int64]
# log2 odds of the linkage two clusters need. F1 is best where a pair is joined from half the F1 reached (Lipton, Elkan and
# Naryanaswamy, 2014): at .96 from a probability of .48.
JOIN = -0.1
APART = -6.0  # log2 odds below which two rows never share a cluster, whatever lies between them: one in 64


@overload
def dedupe(
    frame: pd.DataFrame, kinds: Mapping[str, str], *, unique: Collection[str] = (), pairs: Literal[False] = False
) -> pd.Series: ...
@overload
def dedupe(
    frame: pd.DataFrame, kinds: Mapping[str, str], *, unique: Collection[str] = (), pairs: Literal[True]
) -> tuple[pd.Series, pd.DataFrame]: ...
def dedupe(
    frame: pd.DataFrame, kinds: Mapping[str, str], *, unique: Collection[str] = (), pairs: bool = False
) -> pd.Series | tuple[pd.Series, pd.DataFrame]:
    """Cluster the rows of a table into people.

    frame: a row a record, any index; values of any type, missing where nothing is said. kinds: column -> kind of value, one of
    `matching.table_columns.KINDS` or of the other names in ALSO_CALLED; columns not named are not read, several columns
    of one kind are read as one. unique: names in the column of kind `source` whose rows are all different people.

    Returns the cluster of each row (int64, numbered by first appearance), indexed as the frame; with `pairs` also the scored
    candidate pairs: `left`, `right` (labels of the frame's index) and `weight` (log2 odds that both are one person).
    The clusters depend on what the rows say, not on their order; nothing is drawn unseeded.
    Raises SettingsError where a column or kind is not known, or `unique` names what the table has not.
    """
    wanted = _checked(frame, kinds, unique)
    told = [name for name, kind in wanted.items() if kind == "name"]
    chinese = bool(told) and is_chinese(frame[told[0]])
    labels, edges = (_by_records if chinese else _by_mixture)(frame, wanted, unique)
    found = pd.Series(pd.factorize(labels)[0], index=frame.index, name="cluster", dtype="int64")
    if not pairs:
        return found
    left, right = (frame.index.take(edges[side].to_numpy()) for side in ("a", "b"))
    return found, pd.DataFrame({"left": left, "right": right, "weight": edges["weight"].to_numpy()})


def _checked(frame: pd.DataFrame, kinds: Mapping[str, str], unique: Collection[str]) -> dict[str, str]:
    """The kinds under their own names."""
    lacking = [name for name in kinds if name not in frame.columns]
    if lacking:
        raise SettingsError(f"The table has no column {', '.join(map(repr, lacking))}: name only columns that it has.")
    wanted = {name: ALSO_CALLED.get(kind, kind) for name, kind in kinds.items()}
    unknown = [f"{kind!r} of column {name!r}" for name, kind in wanted.items() if kind not in KINDS]
    if unknown:
        raise SettingsError(f"No such kind of value: {', '.join(unknown)}. Give one of {', '.join(sorted(KINDS))}.")
    if not any(kind != "source" for kind in wanted.values()):
        raise SettingsError("No column tells of a person: give at least one column and the kind of its values.")
    source = next((frame[name] for name, kind in wanted.items() if kind == "source"), None)
    absent = [name for name in unique if source is None or not (source == name).any()]
    if absent:
        raise SettingsError(
            f"No row is of source {', '.join(map(repr, absent))}, said to be free of duplicates: give the column that names the "
            "sources the kind 'source', and names that stand in it."
        )
    return wanted


def _by_mixture(
    frame: pd.DataFrame, kinds: Mapping[str, str], unique: Collection[str]
) -> tuple[Integers, pd.DataFrame]:
    """Any table: trained on the pairs themselves. Labels and edges are of the frame's positions."""
    table = read_columns(frame, kinds)
    order = np.argsort(pd.util.hash_pandas_object(table, index=False).to_numpy(), kind="stable")
    table = with_keys(table.iloc[order].reset_index(drop=True))
    comparer = TableComparer(table)
    found = candidates(table, np.ones(len(table), dtype=bool), rules=KEYS)
    edges = pd.DataFrame({"a": found.a, "b": found.b, "weight": 0.0})
    if len(edges):
        levels = comparer.levels(found.a, found.b)
        edges["weight"] = explain(levels, comparer, _never(table, unique, found)).weights(levels)
    rules = Rules(_alone(table, unique), edges.loc[edges["weight"] < APART, ["a", "b"]])
    labels = np.empty(len(table), dtype=np.int64)
    labels[order] = cluster(edges, range(len(table)), rules, JOIN).to_numpy()
    return labels, edges.assign(a=order[found.a], b=order[found.b])


def _by_records(
    frame: pd.DataFrame, kinds: Mapping[str, str], unique: Collection[str]
) -> tuple[Integers, pd.DataFrame]:
    """A table under Chinese names: as the records of feeds, trained on its own document numbers."""
    records = as_records(frame, kinds)
    evidence = gather(records, match_places(records))
    node = _parted(exact_pass(evidence), evidence["source"], unique)
    model, _ = train_people(evidence, node)
    work, chosen = compared(evidence, node, model)
    scored, _ = score(work)
    edges = scored.assign(a=chosen[scored["a"].to_numpy()], b=chosen[scored["b"].to_numpy()])
    on_nodes = edges.assign(a=node[edges["a"].to_numpy()], b=node[edges["b"].to_numpy()])
    number = evidence["id"].where(evidence["trusted"].to_numpy(dtype=bool)).rename("id")
    held = pd.concat([number, _alone(evidence, unique)], axis=1).groupby(node).first()
    # what one feed lists twice is two people only for sources that are said to be free of duplicates
    apart = impossible(model.unpack(edges["levels"]))
    rules = Rules(held, on_nodes.loc[apart, ["a", "b"]].drop_duplicates())
    found = cluster(on_nodes, np.unique(node), rules, JOIN_RECORDS)
    return found.to_numpy(dtype=np.int64)[np.searchsorted(found.index.to_numpy(), node)], edges


def _never(table: pd.DataFrame, unique: Collection[str], found: Candidates) -> npt.NDArray[np.bool_]:
    """The candidates that are two rows of a source that is free of duplicates."""
    if not unique:
        return np.zeros(len(found.a), dtype=bool)
    source = table["source"].where(table["source"].isin(list(unique))).to_numpy(dtype=object)
    return np.asarray((source[found.a] == source[found.b]) & pd.notna(source[found.a]), dtype=bool)


def _alone(table: pd.DataFrame, unique: Collection[str]) -> pd.DataFrame:
    """For each source that is free of duplicates a column that tells its rows apart: a cluster holds one value of each."""
    at = pd.Series(np.arange(len(table)), index=table.index).astype("Int64")
    return pd.DataFrame({name: at.where(table["source"] == name) for name in unique}, index=table.index)


def _parted(node: Integers, source: pd.Series, unique: Collection[str]) -> Integers:
    """The groups of the exact pass, where a further row of a source that is free of duplicates leaves the group."""
    rows = pd.DataFrame({"node": node, "source": source.to_numpy()})
    again = rows.duplicated().to_numpy() & rows["source"].isin(list(unique)).to_numpy()
    return np.where(again, np.arange(len(node)), node)
