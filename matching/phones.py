"""Phone numbers as evidence: what kind of number it is, and how many people it is seen with.

A number that only one family shares is strong evidence; a grid worker's, a landlord's or a typed-in placeholder is next
to none. Numbers are compared in the canonical form of `schemas.kinds` (digits, landlines as area-number).
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from schemas.cleaning import phone
from schemas.faults import LANDLINE, MASKED, MOBILE, PLACEHOLDER_PHONE, SERVICE_NUMBER
from schemas.text import fold, is_null, matches, per_value


def fold_phones(series: pd.Series) -> pd.Series:
    """The comparable form of raw numbers, once per value: digits, landlines as area-number, the first of a cell."""

    def one(raw: str) -> str | None:
        folded = fold(raw)
        return None if is_null(folded) else phone(folded)

    return per_value(series, one)


def phone_classes(series: pd.Series) -> pd.Series:
    """mobile | landline | service | placeholder | masked | other of folded numbers; missing for missing."""
    ladder = (
        ("placeholder", PLACEHOLDER_PHONE),
        ("mobile", MOBILE),
        ("landline", LANDLINE),
        ("service", SERVICE_NUMBER),
        ("masked", MASKED),
    )
    found = [matches(series, pattern).to_numpy() for _, pattern in ladder]
    names = np.select(found, [name for name, _ in ladder], default="other")
    return pd.Series(names, index=series.index, dtype="str").where(series.notna())


def spread(phones: pd.Series, people: pd.Series) -> pd.Series:
    """How many distinct people each row's number is seen with: `int64`, 0 where the number is missing.

    phones: folded numbers. people: what tells people apart as far as known (an id number, a folded name, a cluster),
    aligned; rows without it count as one unknown person together.
    """
    frame = pd.DataFrame({"phone": phones.to_numpy(), "who": pd.factorize(people)[0]})
    counts = frame.dropna(subset=["phone"]).drop_duplicates()["phone"].value_counts()
    return pd.Series(frame["phone"].map(counts).fillna(0).to_numpy(dtype=np.int64), index=phones.index)


def one_digit_off(one: str, two: str) -> bool:
    """Whether two numbers of one length differ in one digit, or in two neighbours swapped."""
    if len(one) != len(two) or one == two or not re.fullmatch(r"[\d-]+", one + two):
        return False
    off = [at for at, (x, y) in enumerate(zip(one, two, strict=True)) if x != y]
    swapped = len(off) == 2 and off[1] == off[0] + 1 and one[off[0]] == two[off[1]] and one[off[1]] == two[off[0]]
    return len(off) == 1 or swapped
