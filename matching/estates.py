"""Estates that several feeds list: which rows mean the same residential estate."""

from __future__ import annotations

import pandas as pd

from matching.gazetteer import fold_estate
from schemas.records import Records, column


def match_estates(records: Records) -> pd.DataFrame:
    """`rid`, `cluster` of every place record of kind estate: one name in one division is one estate."""
    raw = records.frame("place")
    estates = raw[column(raw, "kind") == "estate"]
    name = column(estates, "name").map(fold_estate, na_action="ignore").fillna("#" + estates["rid"].astype("str"))
    first = estates["rid"].groupby([records.division(estates), name]).transform("min")
    return pd.DataFrame({"rid": estates["rid"], "cluster": first}).astype("int64").reset_index(drop=True)
