"""Events: which reports mean the same matter."""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.places import Places
from schemas.records import Matched, Records


def match_events(records: Records, _: Places) -> Matched:
    """Members of type event: each report is its own."""
    raw = records.frame("event").sort_values("rid", ignore_index=True)
    if raw.empty:
        return Matched()
    members = {"rid": raw["rid"], "type": "event", "kind": "", "cluster": raw["rid"], "how": "single", "weight": np.nan}
    return Matched(members=pd.DataFrame(members))
