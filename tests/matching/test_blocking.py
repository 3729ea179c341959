"""Candidate pairs against the definition of a rule, and how many true pairs the rules find on the street."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.blocking import BUDGET, LIMIT, candidates
from matching.evidence import gather
from matching.people import exact_pass
from matching.training import hidden_sample, label

values = st.sampled_from([None, "x", "y"])
rows = st.lists(st.tuples(values, values, values, values, st.booleans()), max_size=8)


@given(rows)
@settings(max_examples=150, deadline=None)
def test_finds_exactly_what_its_rules_say(
    cells: list[tuple[str | None, str | None, str | None, str | None, bool]],
) -> None:
    """Of the columns here four rules have all of theirs: full+birth, full, former+birth=full+birth and former=full."""
    columns = ["full", "birth", "former", "surname", "loose"]
    frame = pd.DataFrame(cells, columns=columns).astype(dict.fromkeys(columns[:4], "str"))
    loose = frame["loose"].to_numpy(dtype=bool)
    wanted = set()
    for i, one in enumerate(cells):
        for j, two in enumerate(cells):
            met = one[0] == two[0] is not None or one[2] == two[0] is not None
            if i != j and met and (one[4] or two[4]):
                wanted.add((min(i, j), max(i, j)))
    found = candidates(frame.drop(columns="loose"), loose)
    assert set(zip(found.a.tolist(), found.b.tolist(), strict=True)) == wanted


def test_a_hub_is_skipped_and_counted() -> None:
    size = LIMIT + 1
    frame = pd.DataFrame({"full": ["王伟"] * size, "birth": ["1990-01-01"] * size}, dtype="str")
    found = candidates(frame, np.ones(size, dtype=bool))
    assert len(found.a) == 0
    assert found.hubs["full+birth"] == 1


def test_no_data_makes_more_work_than_the_budget() -> None:
    """Every record in a block just under the limit, for every rule."""
    size = 4000
    block = pd.Series(np.arange(size) // 19).astype("str")
    frame = pd.DataFrame(dict.fromkeys(("full", "birth", "phone", "surname", "dwelling"), block))
    found = candidates(frame, np.ones(size, dtype=bool))
    assert max(found.found.values()) <= BUDGET * size


def test_most_true_pairs_are_found_without_the_numbers(street: Any) -> None:
    evidence = gather(street.records, street.places)
    node = exact_pass(evidence)
    labelled = label(evidence, node, hidden_sample(evidence))
    assert labelled.recall > 0.97
    assert labelled.same.any()
    assert not labelled.same.all()
    assert labelled.evidence.loc[np.union1d(labelled.a, labelled.b), "id"].isna().any()
