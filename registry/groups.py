"""The clusters of matching as groups numbered 0..n-1 by their smallest record, so that the order is always the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from registry.origins import Integers, Origins

NOWHERE = -1


@dataclass(frozen=True)
class Groups:
    """The groups of one run.

    table: a line a group (its index is the group's number): `type`, `kind`, `sort` (number of the pair in `sorts`),
    `first` (smallest record), `records`, `sources`. members: `rid`, `sort`, `group`, `how`, `weight`; in no order.
    """

    table: pd.DataFrame
    members: pd.DataFrame
    sorts: pd.Index
    _names: pd.Index
    _clusters: Integers

    @classmethod
    def of(cls, members: pd.DataFrame, origins: Origins) -> Groups:
        """Groups of `Matched.members`; ValueError when a record has two lines of one type and kind."""
        sort, sorts = pd.factorize(_sort(members["type"], members["kind"]), sort=True)
        clusters = np.unique(members["cluster"].to_numpy(dtype=np.int64))
        packed = _packed(sort, np.searchsorted(clusters, members["cluster"].to_numpy(dtype=np.int64)), len(sorts))
        rid = members["rid"].to_numpy(dtype=np.int64)
        number, names = _by_first(packed, rid)
        lines = pd.DataFrame({"rid": rid, "sort": sort.astype(np.int64), "group": number})
        if lines.duplicated(["rid", "sort"]).any():
            raise ValueError("matching gave a record two entities of one type and kind")
        lines = lines.assign(
            how=members["how"].astype("str").array, weight=members["weight"].to_numpy(dtype=np.float64)
        )
        found = pd.Index(sorts)
        return cls(_table(lines, found, origins), lines, found, pd.Index(names), clusters)

    def sorts_of(self, name: str) -> Integers:
        """The numbers of the sorts of one type."""
        return np.flatnonzero(pd.Series(self.sorts, dtype="str").str.startswith(f"{name}/").to_numpy(dtype=bool))

    def sort_of(self, kinds: pd.DataFrame) -> Integers:
        """The number of each line's `type` and `kind` in `sorts`; NOWHERE where no group is of that sort."""
        return self.sorts.get_indexer(pd.Index(_sort(kinds["type"], kinds["kind"])))

    def at(self, rid: pd.Series, sort: Integers) -> Integers:
        """One number for (record, type, kind); negative, and unique, for sorts that no group is of."""
        return np.where(sort >= 0, rid.to_numpy() * len(self.sorts) + sort, -1 - np.arange(len(rid)))

    def find(self, kinds: pd.DataFrame) -> Integers:
        """The group of each line of `type`, `kind`, `cluster`; NOWHERE where no member has it."""
        sort = self.sort_of(kinds)
        cluster = kinds["cluster"].to_numpy(dtype=np.int64)
        place = np.minimum(np.searchsorted(self._clusters, cluster), max(len(self._clusters) - 1, 0))
        if not len(self._clusters) or kinds.empty:
            return np.full(len(kinds), NOWHERE, dtype=np.int64)
        number = self._names.get_indexer(pd.Index(_packed(sort, place, len(self.sorts))))
        return np.where((sort >= 0) & (self._clusters[place] == cluster), number, NOWHERE)


def _sort(types: pd.Series, kinds: pd.Series) -> pd.Series:
    return types.astype("str").str.cat(kinds.astype("str").fillna(""), sep="/")


def _packed(sort: Integers, place: Integers, sorts: int) -> Integers:
    return place.astype(np.int64) * max(sorts, 1) + sort


def _by_first(packed: Integers, rid: Integers) -> tuple[Integers, Integers]:
    """Numbers for the distinct values of `packed`, by smallest record and then by value; and the values so ordered."""
    values, inverse = np.unique(packed, return_inverse=True)
    first = np.full(len(values), np.iinfo(np.int64).max)
    np.minimum.at(first, inverse, rid)
    order = np.lexsort((values, first))
    number = np.empty(len(values), dtype=np.int64)
    number[order] = np.arange(len(values))
    return number[inverse], values[order]


def _table(lines: pd.DataFrame, sorts: pd.Index, origins: Origins) -> pd.DataFrame:
    grouped = lines.groupby("group")
    table = grouped.agg(sort=("sort", "first"), first=("rid", "min"), records=("rid", "size"))
    pairs = pd.DataFrame({"group": lines["group"], "source": origins.source[origins.at(lines["rid"].to_numpy())]})
    table["sources"] = pairs.drop_duplicates().groupby("group").size()
    words = pd.Series(sorts, dtype="str").str.split("/", n=1, expand=True).reindex(columns=[0, 1]).astype("str")
    table["type"], table["kind"] = (words[place].take(table["sort"].to_numpy()).array for place in (0, 1))
    return table.astype({"records": "int64", "sources": "int64"})
