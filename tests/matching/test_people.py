"""People on a small street with its truth, and the traps of matching one by one."""

from __future__ import annotations

import csv
import re
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matching.engine import score
from matching.evidence import gather
from matching.people import PeopleMatch, compared, exact_pass, match_people
from schemas.identifiers import id_check
from schemas.records import DOUBT_COLUMNS, MEMBER_COLUMNS, Feed, Records


def number(first17: str) -> str:
    return first17 + id_check(first17)


ANNA, BERN = number("34020219800304602"), number("34020219550505701")
CASES = {
    case: list(lines)
    for case, lines in groupby(
        csv.DictReader((Path(__file__).parents[1] / "golden" / "people.tsv").open(encoding="utf-8"), delimiter="\t"),
        key=lambda line: str(line["case"]),
    )
}
FEEDS = {name: Feed(name, "district", "340202004", rank=rank) for rank, name in enumerate(("hukou", "grid", "app"))}


@pytest.fixture(scope="module")
def found(street: Any) -> PeopleMatch:
    return match_people(street.records, street.places)


def few(*rows: dict[str, Any]) -> tuple[Records, Any]:
    """Records of a few people; `at` is the dwelling."""
    frame = pd.DataFrame(list(rows))
    frame["rid"] = np.arange(len(frame)) + 1
    at = frame["at"].astype("Int64") if "at" in frame else pd.Series(pd.NA, index=frame.index, dtype="Int64")
    homes = pd.DataFrame(
        {"rid": frame["rid"], "dwelling": at, "building": at // 10, "estate": at // 100, "community": 1}
    )
    text = frame.drop(columns=["rid", "at"], errors="ignore").astype("str")
    records = text.assign(rid=frame["rid"], key=frame["rid"].astype("str"), role="")
    return Records({"person": records}, FEEDS), SimpleNamespace(homes=homes, registered=homes.head(0))


def together(found: PeopleMatch, *rids: int) -> bool:
    cluster = found.matched.members.set_index("rid")["cluster"]
    return cluster.loc[list(rids)].nunique() == 1


def test_the_street_is_found(street: Any, found: PeopleMatch, precision_recall: Any) -> None:
    both = found.matched.members.merge(street.truth, on="rid")
    precision, recall = precision_recall(both["cluster"], both["person"])
    assert precision > 0.995
    assert recall > 0.96


def test_every_record_is_a_member_once(street: Any, found: PeopleMatch) -> None:
    members = found.matched.members
    assert list(members.columns) == list(MEMBER_COLUMNS)
    assert sorted(members["rid"]) == sorted(street.records.frame("person")["rid"])
    assert members["how"].isin(["single", "exact_id", "model"]).all()


def test_no_person_has_two_trusted_numbers(street: Any, found: PeopleMatch) -> None:
    evidence = gather(street.records, street.places).merge(found.matched.members, on="rid")
    trusted = evidence[evidence["trusted"]]
    assert trusted.groupby("cluster")["id"].nunique().max() == 1


def test_row_order_does_not_matter(street: Any, found: PeopleMatch) -> None:
    frame = street.records.frame("person").sample(frac=1, random_state=3, ignore_index=True)
    again = match_people(Records({"person": frame}, street.records.feeds), street.places)
    assert again.model.to_json() == found.model.to_json()
    pd.testing.assert_frame_equal(again.matched.members, found.matched.members)


def test_edges_are_ordered_pairs_of_records(found: PeopleMatch) -> None:
    edges = found.matched.edges
    assert (edges["rid_a"] < edges["rid_b"]).all()
    assert not edges.duplicated(["rid_a", "rid_b"]).any()


@pytest.mark.parametrize("case", CASES)
def test_who_is_the_same(case: str, found: PeopleMatch) -> None:
    """Typed-in records; `#` stands for the right check digit of a number."""
    cells = [dict(part.split("=", 1) for part in line["record"].split(";")) for line in CASES[case]]
    whole = [
        {name: re.sub(r"(\d{17})#", lambda m: number(m[1]), value) for name, value in row.items()} for row in cells
    ]
    records, places = few(*({**row, "at": int(row["at"])} for row in whole))
    cluster = match_people(records, places, model=found.model).matched.members.set_index("rid")["cluster"]
    expected = [line["person"] for line in CASES[case]]
    same = {(i, j): expected[i] == expected[j] for j in range(len(expected)) for i in range(j)}
    assert {pair: cluster[pair[0] + 1] == cluster[pair[1] + 1] for pair in same} == same


def test_who_borrows_a_number_does_not_own_it() -> None:
    """An infant called by its parent and a dependant with the head's number are not the head."""
    head = {"id_number": BERN, "head_id_number": BERN, "at": 7}
    records, places = few(
        {"source": "hukou", "name": "李建国", "relation_to_head": "02", **head},
        {"source": "grid", "name": "李建国之子", "id_number": BERN, "at": 7},
        {"source": "grid", "name": None, "relation_to_head": "30", **head},
    )
    assert gather(records, places)["own"].tolist() == [True, False, False]


def test_a_masked_number_with_its_name_finds_its_person(found: PeopleMatch) -> None:
    records, places = few(
        {"source": "hukou", "name": "王安娜", "id_number": ANNA, "birth_date": "1980-03-04", "at": 7},
        {"source": "grid", "name": "王安娜", "id_number.withheld": ANNA[:6] + "*" * 8 + ANNA[14:], "at": 305},
    )
    assert together(match_people(records, places, model=found.model), 1, 2)


def test_judgements_are_obeyed(found: PeopleMatch) -> None:
    records, places = few(
        {"source": "hukou", "name": "王安娜", "id_number": ANNA, "birth_date": "1980-03-04", "at": 7},
        {"source": "grid", "name": "王安娜", "birth_date": "1980-03-04", "at": 7},
        {"source": "grid", "name": "赵某", "at": 900},
    )
    assert together(match_people(records, places, model=found.model), 1, 2)
    said = pd.DataFrame({"rid_a": [1, 1], "rid_b": [2, 3], "verdict": ["different", "same"]})
    judged = match_people(records, places, said, found.model)
    assert not together(judged, 1, 2)
    assert together(judged, 1, 3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "value",
    [
        {"phone": "13812345678"},
        {"id_number": number("11010119900307457")},
        {"id_number": number("11010119900307457"), "birth_date": "1990-03-07"},
        {"name": "王伟", "birth_date": "1900-01-01"},
        {"name": "王伟", "phone": "13812345678"},
    ],
    ids="+".join,
)
def test_a_value_that_thousands_bear_makes_no_giant(found: PeopleMatch, value: dict[str, str]) -> None:
    """One phone, one number, one name and birth date typed in for 20,000 people."""
    letters = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
    names = [f"{s}{x}{y}" for s in "王李张刘陈杨黄赵吴周" * 5 for x in letters for y in letters]
    records, places = few(*({"source": "app", "name": name, "at": n, **value} for n, name in enumerate(names)))
    result = match_people(records, places)
    assert len(names) == 20_000
    assert result.matched.members["cluster"].value_counts().max() <= 5
    assert result.report["pairs"] <= 5 * len(names)


def test_a_score_depends_on_the_two_records_and_the_model_alone(street: Any, found: PeopleMatch) -> None:
    evidence = gather(street.records, street.places, found.model.tables)
    part = evidence[evidence["rid"] % 3 > 0].reset_index(drop=True)
    scored = []
    for rows in (evidence, part):
        work, _ = compared(rows, exact_pass(rows), found.model)
        edges, _ = score(work)
        rid = work.rows["rid"].to_numpy()
        scored.append(edges.assign(a=rid[edges["a"]], b=rid[edges["b"]]).set_index(["a", "b"]))
    both = scored[0].merge(scored[1], left_index=True, right_index=True, suffixes=("", "_part"))
    assert len(both) > 200
    assert (both["weight"] == both["weight_part"]).all()
    assert (both["apart"] == both["apart_part"]).all()


def test_doubts_are_questions_about_records(found: PeopleMatch) -> None:
    lines, members = found.matched.doubts, found.matched.members
    assert list(lines.columns) == list(DOUBT_COLUMNS)
    assert set(lines["cluster"]) <= set(members["cluster"])
    assert lines["rid"].isin(members["rid"]).all()
    own = lines["rid"].map(members.set_index("rid")["cluster"])
    assert ((own == lines["cluster"]) == (lines["reason"] == "weak")).all()
    assert 0 < len(lines) < 0.05 * len(members)


def test_nobody(found: PeopleMatch) -> None:
    none = pd.DataFrame({"rid": pd.Series(dtype="int64")})
    empty = SimpleNamespace(homes=none, registered=none)
    assert match_people(Records({}, {}), empty).matched.members.empty
