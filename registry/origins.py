"""Where each record comes from and when: what survivorship weighs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.records import Records, column

Integers = npt.NDArray[np.int64]
NEVER = -(2**62)  # its negative is still an int64
FULL_DATE = 10  # YYYY-MM-DD
WEAKEST = 999  # rank of a record whose feed is not known


@dataclass(frozen=True)
class Origins:
    """Every record's source, authority and time; arrays aligned with the sorted `rid`.

    order: the record's place in the order it was given in (by name, not by arrival). source: number of the feed. rank: 0 for the owner, larger for weaker feeds. time: when the record was last changed
    by its source's own word, else when its feed was last loaded (microseconds). date: the source's word alone, ISO.
    """

    rid: Integers
    order: Integers
    source: Integers
    rank: Integers
    time: Integers
    date: pd.Series
    division: pd.Series

    @classmethod
    def of(cls, records: Records) -> Origins:
        """The origins of all records of all types."""
        frames = [frame for frame in records.frames.values() if not frame.empty]
        names = sorted(records.feeds)
        if not frames:
            none, words = np.empty(0, np.int64), pd.Series(dtype="str")
            return cls(none, none, none, none, none, words, words)
        given = pd.concat([_told(frame) for frame in frames], ignore_index=True)
        order = np.argsort(given["rid"].to_numpy(dtype=np.int64))
        whole = given.take(order).reset_index(drop=True)
        feed = pd.Categorical(whole["source"], categories=names).codes.astype(np.int64)
        rank = np.array([records.feeds[name].rank for name in names] + [WEAKEST], dtype=np.int64)[feed]
        loaded = _moments(pd.Series([records.feeds[name].loaded for name in names] + [None], dtype="str"))[feed]
        changed = _moments(whole["said"])
        time = np.where(changed == NEVER, loaded, changed)
        date = whole["said"].str.slice(0, FULL_DATE).where((changed != NEVER) & (whole["said"].str.len() >= FULL_DATE))
        return cls(whole["rid"].to_numpy(), order.astype(np.int64), feed, rank, time, date, records.division(whole))

    def at(self, rids: Integers) -> Integers:
        """The places of `rids` in the arrays; KeyError when one is no current record."""
        places = np.searchsorted(self.rid, rids)
        found = self.rid[np.minimum(places, max(len(self.rid) - 1, 0))] if len(self.rid) else np.empty(0, np.int64)
        if not np.array_equal(found, rids):
            raise KeyError("matching named a record that is not a current one")
        return places


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"rid": frame["rid"], "source": frame["source"], "said": column(frame, "updated_at")})


def _moments(texts: pd.Series) -> Integers:
    """ISO times as microseconds since 1970, NEVER where there is none; each distinct text is read once."""
    places, known = pd.factorize(texts)
    read = pd.to_datetime(pd.Series(known, dtype="str"), errors="coerce", utc=True, format="ISO8601")
    stamps = read.astype("datetime64[us, UTC]").astype("int64").to_numpy(copy=True)
    stamps[read.isna().to_numpy()] = NEVER
    return np.append(stamps, NEVER)[places]
