"""Numbers that follow from names: any order of arrival gives the same ones, and the way back is exact."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from schemas.numbering import Numbering
from schemas.records import Matched, Records


def delivered(ids: list[int]) -> Records:
    """Records a..e of two types whose database numbers are `ids`, in the order of their names."""
    people = pd.DataFrame({"rid": ids[:3], "source": "s", "key": ["a", "b", "c"], "role": ""})
    things = pd.DataFrame({"rid": ids[3:], "source": "s", "key": ["d", "e"], "role": ""})
    return Records({"person": people, "thing": things}, {})


@given(st.permutations([3, 8, 11, 40, 41]))
def test_numbers_do_not_depend_on_when_records_came(ids: list[int]) -> None:
    records = delivered(ids)
    numbered = Numbering.of(records).number(records)
    assert numbered.frame("person")["rid"].tolist() == [0, 1, 2]
    assert numbered.frame("thing")["rid"].tolist() == [3, 4]
    assert numbered.frame("person")["key"].tolist() == ["a", "b", "c"]


@given(st.permutations([3, 8, 11, 40, 41]))
def test_what_was_matched_comes_back_under_the_databases_numbers(ids: list[int]) -> None:
    numbering = Numbering.of(delivered(ids))
    members = pd.DataFrame({"rid": np.arange(5), "cluster": np.arange(5)})
    edges = pd.DataFrame({"type": "person", "rid_a": [0, 1], "rid_b": [2, 2], "weight": [1.0, 2.0]})
    back = numbering.restore(Matched(members=members, edges=edges))
    assert back.members["rid"].tolist() == ids
    assert set(zip(back.edges["rid_a"], back.edges["rid_b"], strict=True)) == {
        tuple(sorted((ids[0], ids[2]))), tuple(sorted((ids[1], ids[2]))),
    }  # fmt: skip
    again = numbering.number_pairs(back.edges)
    assert again[["rid_a", "rid_b"]].to_numpy().tolist() == [[0, 2], [1, 2]]
