"""Until when what no longer holds was true in the world, as far as its source can tell.

A row that gives way is either *over* (the person moved) or was *wrong* (the record is not this person's). It is over
where its successor, or its own record as it now stands, is dated later; where its record was withdrawn, on the day the
hub learned of it. Else nothing is said, and the row counts as a mistake: `registry.published.end` also drops an end that
is not after the beginning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.origins import Origins

if TYPE_CHECKING:
    from registry.draft import Draft


def true_until(
    ended: pd.DataFrame, fresh: pd.DataFrame, draft: Draft, origins: Origins, *, own: bool = False
) -> pd.Series:
    """The ISO date up to which each row of `ended` was true, missing where that is not known.

    ended: `serial`, `record`, and `series`, which is equal for rows that take each other's place. fresh: `series` and
    `valid_from` of the rows that begin. own: the rows say which entity the records themselves belong to.
    """
    if ended.empty:
        return pd.Series(dtype="str")
    record = np.asarray(ended["record"].astype("Int64").fillna(-1), dtype=np.int64)
    place = np.minimum(np.searchsorted(origins.rid, record), max(len(origins.rid) - 1, 0))
    standing = origins.rid[place] == record if len(origins.rid) else np.zeros(len(record), dtype=bool)
    said = pd.Series(draft.day, index=range(len(ended)), dtype="str").mask(~standing & (record < 0))
    said[standing] = origins.date.iloc[place[standing]].array
    begins = fresh.dropna(subset=["valid_from"]).groupby("series")["valid_from"].min()
    followed = ended["series"].isin(fresh["series"]).to_numpy(dtype=bool)
    successor = ended["series"].map(begins).astype("str").reset_index(drop=True)
    until = successor.where(followed, said)
    if own:
        return until
    return until.mask(standing & ~_members(draft, record, ended["serial"].to_numpy(dtype=np.int64)))


def _members(draft: Draft, record: npt.NDArray[np.int64], serial: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether each record still belongs to the code: what another one's record said was never true of it."""
    members = draft.groups.members[draft.groups.members["rid"].isin(record)]
    held = members["rid"].to_numpy(dtype=np.int64) << 30 | draft.coding.serial[members["group"].to_numpy()]
    return np.asarray(np.isin(record << 30 | serial, held))
