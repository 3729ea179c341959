"""Phone numbers, folded as their kind folds them."""

from __future__ import annotations

import pandas as pd

from matching.phones import fold_phones
from schemas.kinds import KINDS


def test_folding_is_the_kinds_cleaning() -> None:
    raw = pd.Series(["+86 138-1234-5678", "（0553）3123456", "无", None, "0553-3123456/13812345678"], dtype="str")
    pd.testing.assert_series_equal(fold_phones(raw), KINDS["phone"].clean(raw))
