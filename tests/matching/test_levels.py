"""The ladders of comparison, case by case, and that no level is left without a stated weight."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from matching.evidence import gather
from matching.levels import LEVELS, STATED, Comparer, impossible
from matching.model import Tables, digest
from schemas.identifiers import id_check
from schemas.records import Feed, Records

GOLDEN = Path(__file__).parents[1] / "golden" / "person_levels.tsv"
CASES = list(csv.DictReader(GOLDEN.open(encoding="utf-8"), delimiter="\t"))
WHOLE = "34020219800304602" + id_check("34020219800304602")
TABLES = Tables(names={"王伟": 60}, phones={digest("13900000001"): 40})


def record(cell: str) -> dict[str, str]:
    """`property=value;...`; the one whole number of the cases gets its right check digit."""
    pairs = dict(part.split("=", 1) for part in cell.split(";"))
    return {name: WHOLE if value == "340202198003046024" else value for name, value in pairs.items()}


def levels(one: dict[str, str], two: dict[str, str]) -> pd.DataFrame:
    """The levels of two records. `at`: the dwelling its address means, its tens the building, its hundreds the estate;
    `let`: the same of the person in whose row the record stands as landlord.
    """
    rows = [{"name": None, "at": None, **one}, {"name": None, "at": None, **two}]
    lets = [row.pop("let", None) for row in rows]
    frame = pd.DataFrame([*rows, *({"name": "租客", "at": let} for let in lets)])
    at = pd.to_numeric(frame.pop("at")).astype("Int64")
    rid, keys = [1, 2, 3, 4], ["1", "2", "1", "2"]
    places = pd.DataFrame(
        {"rid": rid, "dwelling": at, "building": at // 10, "estate": at // 100, "community": at // 900}
    )
    roles = [*("landlord" if let else "" for let in lets), *("" if let else "other" for let in lets)]
    records = frame.astype("str").assign(rid=rid, source=["x", "y", "x", "y"], key=keys, role=roles)
    feeds = {name: Feed(name, "grid", "340202004") for name in ("x", "y")}
    evidence = gather(Records({"person": records}, feeds), SimpleNamespace(homes=places, registered=places.head(0)))
    return Comparer(evidence, TABLES).levels(np.array([0]), np.array([1]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['comparison']}-{case['level']}-{case['a']}")
def test_level(case: dict[str, str]) -> None:
    name = case["comparison"]
    for one, two in ((case["a"], case["b"]), (case["b"], case["a"])):
        found = int(levels(record(one), record(two))[name].iloc[0])
        assert (LEVELS[name][found] if found >= 0 else "-") == case["level"]


def test_every_level_has_a_stated_weight() -> None:
    assert {name: len(labels) for name, labels in LEVELS.items()} == {
        name: len(weights) for name, weights in STATED.items()
    }


def test_a_birth_date_read_from_the_number_does_not_count_twice() -> None:
    found = levels({"id_number.withheld": WHOLE[:15] + "000", "birth_date": "1980-03-04"}, {"id_number": WHOLE})
    assert found["id"].tolist() == [0]
    assert found["birth"].tolist() == [-1]


def test_a_head_and_the_heads_dependant_are_impossible() -> None:
    found = levels({"head_id_number": WHOLE, "relation_to_head": "30"}, {"id_number": WHOLE, "name": "王安娜"})
    assert impossible(found).tolist() == [True]
