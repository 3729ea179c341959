"""Free labels: what is hidden stays hidden, and the sample resembles the rows the model will have to place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from matching.engine import score
from matching.evidence import gather
from matching.levels import LEVELS, Comparer
from matching.people import compared, exact_pass
from matching.tables import tables_of
from matching.training import HIDDEN, hidden_sample, hide, label, train_people


@pytest.fixture(scope="module")
def evidence(street: Any) -> pd.DataFrame:
    return gather(street.records, street.places)


def test_nothing_of_a_hidden_number_is_left(evidence: pd.DataFrame) -> None:
    sample = hidden_sample(evidence)
    hidden = hide(evidence, sample).iloc[sample]
    assert hidden[list(HIDDEN)].isna().all().all()
    assert not hidden["own"].any()
    only_from_number = evidence.iloc[sample]["birth_column"].isna().to_numpy()
    assert only_from_number.any()
    assert hidden["birth"][only_from_number].isna().all()


def test_the_sample_has_the_mixture_of_the_rows_without_number(evidence: pd.DataFrame) -> None:
    sample = evidence.iloc[hidden_sample(evidence)]
    assert sample["own"].all()
    assert set(sample["source"]) <= set(evidence.loc[~evidence["own"], "source"])


def test_labels_are_right(street: Any, evidence: pd.DataFrame) -> None:
    labelled = label(evidence, exact_pass(evidence), hidden_sample(evidence))
    person = street.truth.set_index("rid")["person"].reindex(evidence["rid"]).to_numpy()
    truth = person[labelled.a] == person[labelled.b]
    assert (truth == labelled.same).mean() > 0.998


def test_no_labelled_pair_shows_a_number(evidence: pd.DataFrame) -> None:
    labelled = label(evidence, exact_pass(evidence), hidden_sample(evidence))
    levels = Comparer(labelled.evidence, tables_of(evidence, exact_pass(evidence))).levels(labelled.a, labelled.b)
    assert set(levels["id"]) == {-1}


def test_a_score_means_what_it_says(street: Any, evidence: pd.DataFrame) -> None:
    """Pairs scored ten to one and better are right nine times in ten, those worse than one to ten wrong as often."""
    node = exact_pass(evidence)
    work, chosen = compared(evidence, node, train_people(evidence, node)[0])
    edges, _ = score(work)
    person = street.truth.set_index("rid")["person"].reindex(evidence["rid"].iloc[chosen]).to_numpy()
    same = person[edges["a"]] == person[edges["b"]]
    assert same[edges["weight"] > np.log2(10)].mean() > 0.9
    assert same[edges["weight"] < -np.log2(10)].mean() < 0.1
    assert set(LEVELS) == set(train_people(evidence, node)[0].comparisons)
