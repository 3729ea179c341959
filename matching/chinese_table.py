"""A table of people under Chinese names as records, so that it goes the way every feed goes: numbers, homes, people.

Each value is cleaned as its kind, and a value that fails a check is kept aside as evidence, exactly as when a feed is checked.
There is no register of places beside the table: which addresses mean one home is found from the table's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from matching.table_columns import columns_of, joined
from schemas.kinds import KINDS
from schemas.properties import entity_types
from schemas.records import WITHHELD, Feed, Records

PROPERTIES = {
    "name": "name", "id_number": "id_number", "birth_date": "birth_date", "sex": "sex", "phone": "phone", "address": "address",
    "race": "ethnicity", "household": "household_number", "relation": "relation_to_head",
}  # fmt: skip
HAN = r"[\u3400-\u9fff]"
MOST = 0.5  # share of the names that must hold a Han character


def is_chinese(names: pd.Series) -> bool:
    """Whether most of the names that are given are written in Han characters."""
    told = names.dropna().astype("str")
    return bool(len(told)) and float(told.str.contains(HAN).mean()) > MOST


def as_records(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Records:
    """The table as person records numbered from 0; columns of kinds that no property of a person holds are left out.

    kinds: column -> kind. Rows are of the sources that a column of kind `source` names, else of one.
    """
    of_kind = {kind: joined(frame, names) for kind, names in columns_of(kinds).items()}
    source = of_kind["source"].fillna("") if "source" in of_kind else pd.Series("table", index=range(len(frame)))
    rid = np.arange(len(frame))
    rows: dict[str, object] = {"rid": rid, "source": source.to_numpy(), "key": rid.astype("str"), "role": ""}
    found = pd.DataFrame(rows).astype({"rid": "int64", "source": "str", "key": "str", "role": "str"})
    properties = entity_types()["person"].properties
    for kind, name in PROPERTIES.items():
        if kind in of_kind:
            checks = properties[name].checks
            found = found.assign(**_checked(of_kind[kind], properties[name].kind, name, checks))
    return Records({"person": found}, {name: Feed(name, "district", "") for name in sorted(source.unique())})


def _checked(raw: pd.Series, kind: str, name: str, checks: Mapping[str, str]) -> dict[str, pd.Series]:
    """The clean column of a property, and beside it the values that a rule of its kind withholds."""
    values = KINDS[kind].clean(raw).astype("str")
    wrong = pd.Series(False, index=values.index)
    for rule in KINDS[kind].rules:
        if checks.get(rule.name, rule.outcome) != "warn":
            wrong |= rule.failed(values)
    return {name: values.mask(wrong), name + WITHHELD: values.where(wrong)}
