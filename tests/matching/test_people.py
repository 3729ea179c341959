"""People on a small street with its truth, and the traps of matching one by one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matching.evidence import gather
from matching.people import PeopleMatch, exact_pass, match_people
from schemas.identifiers import id_check
from schemas.records import MEMBER_COLUMNS, Feed, Records


def number(first17: str) -> str:
    return first17 + id_check(first17)


ANNA, BERN, CHILD = number("34020219800304602"), number("34020219550505701"), number("34020220150701802")
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


def test_a_child_written_with_the_parents_number_stays_itself(found: PeopleMatch) -> None:
    records, places = few(
        {"source": "hukou", "name": "李建国", "id_number": BERN, "birth_date": "1955-05-05", "sex": "male", "at": 7},
        {"source": "hukou", "name": "李小雨", "id_number": CHILD, "birth_date": "2015-07-01", "sex": "female", "at": 7},
        {"source": "grid", "name": "李小雨", "id_number": BERN, "birth_date": "2015-07-01", "at": 7},
    )
    assert exact_pass(gather(records, places)).tolist() == [0, 1, 2]
    result = match_people(records, places, model=found.model)
    assert not together(result, 1, 3)
    assert together(result, 2, 3)


def test_who_borrows_a_number_does_not_own_it(found: PeopleMatch) -> None:
    """An infant called by its parent and a dependant with the head's number are not the head."""
    records, places = few(
        {
            "source": "hukou",
            "name": "李建国",
            "id_number": BERN,
            "relation_to_head": "02",
            "head_id_number": BERN,
            "at": 7,
        },
        {"source": "grid", "name": "李建国之子", "id_number": BERN, "at": 7},
        {"source": "grid", "name": None, "id_number": BERN, "relation_to_head": "30", "head_id_number": BERN, "at": 7},
    )
    assert gather(records, places)["own"].tolist() == [True, False, False]
    result = match_people(records, places, model=found.model)
    assert not together(result, 1, 2)
    assert not together(result, 1, 3)


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


def test_twins_under_one_roof_stay_two(found: PeopleMatch) -> None:
    twin = number("34020220150701812")
    same = {"birth_date": "2015-07-01", "at": 7, "household_number": "9", "relation_to_head": "20"}
    records, places = few(
        {"source": "hukou", "name": "李小雨", "id_number": CHILD, **same},
        {"source": "hukou", "name": "李小雪", "id_number": twin, **same},
        {"source": "grid", "name": "李小雪", "birth_date": "2015-07-01", "at": 7},
    )
    result = match_people(records, places, model=found.model)
    assert together(result, 2, 3)
    assert not together(result, 1, 3)


def test_a_placeholder_phone_makes_no_giant(found: PeopleMatch) -> None:
    rows = [{"source": "app", "name": None, "former_name": f"甲{n}", "phone": "13800000000"} for n in range(300)]
    records, places = few(*rows)
    members = match_people(records, places, model=found.model).matched.members
    assert members["cluster"].value_counts().max() < 5


def test_nobody(found: PeopleMatch) -> None:
    none = pd.DataFrame({"rid": pd.Series(dtype="int64")})
    empty = SimpleNamespace(homes=none, registered=none)
    assert match_people(Records({}, {}), empty).matched.members.empty
