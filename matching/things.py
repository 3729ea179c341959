"""Things: which rows mean the same component of the street."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.places import Places
from schemas.records import Matched, Records, column


def match_things(records: Records, _: Places) -> Matched:
    """Members of type thing: one by number; a row without a number is its own."""
    raw = records.frame("thing").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    number = column(raw, "number").fillna("#" + raw["rid"].astype("str"))
    cluster = raw["rid"].groupby(number).transform("min")
    members = {"rid": raw["rid"], "type": "thing", "kind": "", "cluster": cluster, "how": "number", "weight": np.nan}
    return Matched(members=pd.DataFrame(members))
