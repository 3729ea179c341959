"""What makes a value trusted: it passes every check of its kind, and no column of its own record contradicts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.origins import Integers
from schemas.kinds import KINDS
from schemas.properties import EntityType, Property
from schemas.records import column

Mask = npt.NDArray[np.bool_]
ID_LENGTH, FULL_DATE = 18, 10  # GB 11643; YYYY-MM-DD


@dataclass(frozen=True)
class Trust:
    """passes: judges distinct values. contradicted: sorted numbers of the records that contradict themselves."""

    passes: Callable[[pd.Series], Mask]
    contradicted: Integers


def trust_of(prop: Property, against: Integers) -> Trust:
    """Trust by the rules of the property's kind."""
    rules = KINDS[prop.kind].rules

    def passes(values: pd.Series) -> Mask:
        failed = np.zeros(len(values), dtype=bool)
        for rule in rules:
            failed |= rule.failed(values).to_numpy(dtype=bool)
        return ~failed

    return Trust(passes, against)


def contradicted(frame: pd.DataFrame, prop: Property, entity_type: EntityType) -> Integers:
    """The records in which a cross check of this property fails, sorted."""
    broken = np.zeros(len(frame), dtype=bool)
    if "trusted" in prop.survivorship:
        for check in entity_type.cross:
            if prop.name in check.properties:
                broken |= _BROKEN[check.rule](frame)
    return np.sort(frame.loc[broken, "rid"].to_numpy(dtype=np.int64))


def _sex(frame: pd.DataFrame) -> Mask:
    """The 17th digit is odd for men, even for women (GB 11643)."""
    number, sex = _resident(frame), column(frame, "sex")
    said = sex.isin(["male", "female"])
    odd = number.str.get(16).isin(list("13579"))
    return (said & number.notna() & (odd != (sex == "male"))).to_numpy(dtype=bool)


def _birth(frame: pd.DataFrame) -> Mask:
    """Digits 7 to 14 are the date of birth (GB 11643)."""
    number, born = _resident(frame), column(frame, "birth_date")
    both = number.notna() & (born.str.len() == FULL_DATE)
    return (both & (number.str.slice(6, 14) != born.str.replace("-", "", regex=False))).to_numpy(dtype=bool)


def _resident(frame: pd.DataFrame) -> pd.Series:
    """The id numbers of 18 characters; missing for other documents."""
    number = column(frame, "id_number")
    return number.where(number.str.len() == ID_LENGTH)


_BROKEN: Mapping[str, Callable[[pd.DataFrame], Mask]] = {
    "sex_agrees_with_id": _sex,
    "birth_date_agrees_with_id": _birth,
}
