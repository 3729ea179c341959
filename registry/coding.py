"""Which code each group bears: a code follows the records it stood for.

The largest overlap with the present membership keeps a code, ties go to the older code. A group left without takes back
a code that its records once bore and that is out of use, else a new one is issued. Codes are handled as their serials:
each serial names one code of all types, and the smaller one is the older.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from registry.origins import Integers

NONE = 0  # no serial: they begin with 1


def assign(members: pd.DataFrame, groups: int, current: pd.DataFrame, past: pd.DataFrame) -> tuple[Integers, Integers]:
    """Serials of the groups that keep or take back a code: two arrays by group, NONE where there is none.

    members: `rid`, `sort`, `group`. current: `rid`, `sort`, `serial` of the present membership. past: the same of
    former memberships in codes that are out of use.
    """
    kept = _best(overlaps(members, current), groups)
    free = members[kept[members["group"].to_numpy()] == NONE]
    return kept, _best(overlaps(free, past), groups)


def overlaps(members: pd.DataFrame, bearing: pd.DataFrame) -> pd.DataFrame:
    """`group`, `serial`, `shared`: how many records a group shares with a code."""
    if members.empty or bearing.empty:
        return pd.DataFrame({name: pd.Series(dtype="int64") for name in ("group", "serial", "shared")})
    both = members[["rid", "sort", "group"]].merge(bearing.drop_duplicates(), on=["rid", "sort"])
    return both.groupby(["group", "serial"], sort=False).size().rename("shared").reset_index()


def succession(shared: pd.DataFrame, serial: Integers, gone: Integers) -> tuple[pd.Series, Integers]:
    """What became of codes that no group bears: merged (serial -> successor), and retired ones.

    shared: overlaps of the groups with the present membership. gone: the serials no group bears.
    """
    heirs = shared[shared["serial"].isin(gone)]
    heirs = heirs.assign(into=serial[heirs["group"].to_numpy()])
    heirs = heirs.sort_values(["serial", "shared", "into"], ascending=[True, False, True]).drop_duplicates("serial")
    merged = heirs.set_index("serial")["into"]
    return merged, np.setdiff1d(gone, merged.index.to_numpy())


def _best(shared: pd.DataFrame, groups: int) -> Integers:
    """One code a group and one group a code, the largest overlap first, then the older code, then the first group.

    In each round every pair that is the best both for its group and for its code is taken: the same pairs, in fewer
    rounds, as taking the best of all one by one.
    """
    chosen = np.full(groups, NONE, dtype=np.int64)
    left = shared.sort_values(["shared", "serial", "group"], ascending=[False, True, True])
    while not left.empty:
        best = left[~left.duplicated("group") & ~left.duplicated("serial")]
        chosen[best["group"].to_numpy()] = best["serial"].to_numpy()
        left = left[~left["group"].isin(best["group"]) & ~left["serial"].isin(best["serial"])]
    return chosen
