"""Golden values against their definition in slow Python, and trust against cases."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.golden import FIRST, ONLY, Said, derived_values, golden_values, survive
from registry.origins import NEVER, Origins
from registry.trust import Trust
from schemas.identifiers import id_check
from schemas.properties import entity_types

RULES = ("trusted", "majority", "authority", "complete", "newest")
RANKS = {0: 0, 1: 2, 2: 2}  # feed -> rank
lines = st.lists(
    st.tuples(
        st.integers(0, 3),  # group
        st.sampled_from(["甲", "甲乙", "丙丁", "x"]),
        st.integers(0, 2),  # feed
        st.sampled_from([NEVER, 5, 7]),  # time
        st.booleans(),  # contradicted
    ),
    min_size=1,
    max_size=14,
)
orders = st.permutations(RULES).flatmap(lambda rules: st.integers(1, 5).map(lambda n: tuple(rules[:n])))


def origins(rows: list[tuple[Any, ...]]) -> Origins:
    feed = np.array([row[2] for row in rows], dtype=np.int64)
    empty = pd.Series([None] * len(rows), dtype="str")
    return Origins(
        rid=np.arange(1, len(rows) + 1),
        order=np.arange(len(rows)),
        source=feed,
        rank=np.array([RANKS[row[2]] for row in rows], dtype=np.int64),
        time=np.array([row[3] for row in rows], dtype=np.int64),
        date=empty,
        division=empty,
    )


def slow(rows: list[tuple[Any, ...]], rules: tuple[str, ...]) -> dict[int, tuple[str, str, int, int]]:
    """The definition: value, deciding rule, agreeing and differing records of each group."""
    found = {}
    for group in {row[0] for row in rows}:
        mine = [(rid, row) for rid, row in enumerate(rows, 1) if row[0] == group]
        left = sorted({row[1] for _, row in mine})
        rule = ONLY
        for name in (*rules, FIRST):
            if len(left) == 1:
                break
            score = {value: weigh(name, value, [pair for pair in mine if pair[1][1] == value]) for value in left}
            left, rule = [value for value in left if score[value] == max(score.values())], name
        agree = sum(row[1] == left[0] for _, row in mine)
        found[group] = (left[0], rule, agree, len(mine) - agree)
    return found


def weigh(rule: str, value: str, said: list[tuple[int, tuple[Any, ...]]]) -> float:
    weights = {
        "trusted": lambda: float(value != "x" and any(not row[4] for _, row in said)),
        "majority": lambda: len({row[2] for _, row in said}),
        "authority": lambda: -min(RANKS[row[2]] for _, row in said),
        "complete": lambda: len(value),
        "newest": lambda: max(row[3] for _, row in said),
        FIRST: lambda: -min(rid for rid, _ in said),
    }
    return weights[rule]()


@given(lines, orders, st.randoms(use_true_random=False))
def test_does_what_its_definition_says(rows: list[tuple[Any, ...]], rules: tuple[str, ...], random: Any) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    said = Said(
        group=np.array([rows[at][0] for at in order], dtype=np.int64),
        value=pd.Series([rows[at][1] for at in order], dtype="str"),
        rid=np.array([at + 1 for at in order], dtype=np.int64),
    )
    against = np.array([rid for rid, row in enumerate(rows, 1) if row[4]], dtype=np.int64)
    trust = Trust(lambda values: (values != "x").to_numpy(dtype=bool), against)
    won = survive(said, rules, origins(rows), trust)
    found = {
        line["group"]: (line["value"], line["rule"], line["agree"], line["differ"]) for line in won.to_dict("records")
    }
    assert found == slow(rows, rules)
    assert all(rows[line["record"] - 1][:2] == (line["group"], line["value"]) for line in won.to_dict("records"))


PERSON = entity_types()["person"]
BORN_1949 = "11010519491231002X"  # the sample number of GB 11643: a woman
BORN_1990 = "340202199003072" + "41" + id_check("34020219900307241")


def won(make: SimpleNamespace, rows: list[dict[str, object]], name: str) -> dict[str, Any]:
    """The golden value of one entity of all the rows."""
    records = make.records([{"rid": rid, **row} for rid, row in enumerate(rows, 1)])
    frame = records.frame("person")
    own = pd.DataFrame({"group": 0, "rid": frame["rid"]})
    values = golden_values(own, frame, PERSON, Origins.of(records))
    return values[values["property"] == name].iloc[0].to_dict()


@pytest.mark.parametrize("contrary", [{"birth_date": "1980-01-01"}, {"sex": "male"}])
def test_a_number_that_its_own_row_contradicts_is_not_trusted(make: SimpleNamespace, contrary: dict[str, str]) -> None:
    liar = {"source": "police", "id_number": BORN_1949, **contrary}
    honest = {"source": "app", "id_number": BORN_1990, "birth_date": "1990-03-07"}
    found = won(make, [liar, honest], "id_number")
    assert (found["value"], found["rule"]) == (BORN_1990, "trusted")
    agreeing = {"source": "police", "id_number": BORN_1949, "birth_date": "1949-12-31", "sex": "female"}
    assert won(make, [agreeing, honest], "id_number")["rule"] == "authority"


def test_a_name_with_a_lost_character_is_not_trusted(make: SimpleNamespace) -> None:
    rows = [{"source": "police", "name": "张\ufffd"}, {"source": "app", "name": "张㛃"}]
    found = won(make, rows, "name")
    assert (found["value"], found["rule"]) == ("张㛃", "trusted")


def test_the_newest_phone_is_the_one_its_source_says_was_changed_last(make: SimpleNamespace) -> None:
    rows = [
        {"source": "app", "phone": "13812345678", "updated_at": "2025-12-31T08:00:00"},
        {"source": "police", "phone": "13912345678", "updated_at": "2024-01-01T00:00:00"},
    ]
    assert won(make, rows, "phone")["value"] == "13812345678"
    loaded_in_2026 = {"source": "grid", "phone": "13712345678"}
    assert won(make, [*rows, loaded_in_2026], "phone")["value"] == "13712345678"


def test_derived_values_follow_the_rules_of_their_property(make: SimpleNamespace) -> None:
    records = make.records([{"rid": 1, "source": "app"}, {"rid": 2, "source": "police"}])
    derived = pd.DataFrame(
        {
            "group": [0, 0, 0],
            "property": ["head_name", "head_name", "size"],
            "value": ["李四", "王五", "3"],
            "rid": [1, 2, 1],
        }
    ).astype({"property": "str", "value": "str"})
    found = derived_values(derived, entity_types()["household"], Origins.of(records)).set_index("property")
    assert found["value"].to_dict() == {"head_name": "王五", "size": "3"}
    assert found["record"].to_dict() == {"head_name": 2, "size": 1}
