"""Phone numbers made comparable: the canonical form of `schemas.kinds` (digits, landlines as area-number)."""

from __future__ import annotations

import pandas as pd

from schemas.cleaning import phone
from schemas.text import fold, is_null, per_value


def fold_phones(series: pd.Series) -> pd.Series:
    """The comparable form of raw numbers, once per value: digits, landlines as area-number, the first of a cell."""

    def one(raw: str) -> str | None:
        folded = fold(raw)
        return None if is_null(folded) else phone(folded)

    return per_value(series, one)
