"""The worth of certain pairs, of scores, and of what review is asked, counted on a few records."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.doubts import by_score, certain, report, review
from matching.doubt import SURE
from schemas.records import Matched

PERSON = pd.Series(["a", "a", "b", "b", "c"], index=[1, 2, 3, 4, 5])
MATCHED = Matched(
    members=pd.DataFrame(
        {"rid": [1, 2, 3, 4, 5], "cluster": [1, 1, 1, 4, 4], "weight": [np.nan, SURE, SURE - 1, np.nan, SURE]}
    ),
    edges=pd.DataFrame({"rid_a": [1, 2, 4], "rid_b": [2, 3, 5], "weight": [13.0, 3.0, 9.0]}),
    doubts=pd.DataFrame(
        {"type": "person", "cluster": [1, 4], "rid": [3, 3], "weight": [3.0, 1.0], "reason": ["weak", "contradicted"]}
    ),
)


def test_certain_pairs_leave_weak_records_out() -> None:
    assert (certain(MATCHED.members, PERSON).found, certain(MATCHED.members, PERSON).right) == (2, 1)


def test_pairs_by_score_are_counted_from_each_step_up() -> None:
    found = by_score(MATCHED.edges, PERSON)
    assert found.loc[0.0].tolist() == [3, pytest.approx(1 / 3)]
    assert found.loc[12.0].tolist() == [1, 1.0]


def test_review_is_counted_by_reason() -> None:
    found = review(MATCHED, PERSON)
    assert found.loc["weak", ["lines", "yes"]].tolist() == [1, 0.0]
    assert found.loc["contradicted", "records"] == pytest.approx(0.2)
    assert "review         2 lines, 40.00% of the records" in report(MATCHED, PERSON)
