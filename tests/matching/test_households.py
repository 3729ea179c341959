"""Households: the dating of homes, families that move together, and mended household numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matching.households import match_households
from schemas.records import DERIVED_COLUMNS, MEMBER_COLUMNS, RELATION_COLUMNS, Feed, Matched, Records

FEEDS = {"hukou": Feed("hukou", "district", "340202004", rank=0), "grid": Feed("grid", "grid", "340202004", rank=2)}
OLD, NEW = {"source": "hukou", "updated_at": "2020-01-01"}, {"source": "grid", "updated_at": "2025-01-01"}
Row = dict[str, Any]


def households(*rows: Row) -> Matched:
    """Households of a few rows: `person` says whose each is, `at` its dwelling."""
    frame = pd.DataFrame(list(rows))
    frame["rid"] = np.arange(len(frame)) + 1
    at = frame["at"].astype("Int64") if "at" in frame else pd.Series(pd.NA, index=frame.index, dtype="Int64")
    text = frame.drop(columns=["rid", "at", "person"], errors="ignore").astype("str")
    records = text.assign(rid=frame["rid"], key=frame["rid"].astype("str"), role="")
    people = pd.DataFrame({"rid": frame["rid"], "cluster": frame["person"]})
    lives = pd.DataFrame({"rid": frame["rid"], "dwelling": at})
    homes = SimpleNamespace(homes=lives, registered=lives.head(0))
    return match_households(Records({"person": records}, FEEDS), homes, people)


def same(found: Matched, kind: str, *rids: int) -> bool:
    members = found.members[found.members["kind"] == kind].set_index("rid")["cluster"]
    return members.loc[list(rids)].nunique() == 1


def test_the_street(street: Any, precision_recall: Any) -> None:
    people = street.truth[["rid", "person"]].rename(columns={"person": "cluster"})
    found = match_households(street.records, street.places, people)
    for kind, truth, least in (("residential", "home", 0.9), ("registered", "book", 0.999)):
        both = found.members[found.members["kind"] == kind].merge(street.truth, on="rid")
        precision, recall = precision_recall(both["cluster"], both[truth])
        assert min(precision, recall) > least
    residential = found.members[found.members["kind"] == "residential"]
    assert sorted(residential["rid"]) == sorted(street.truth["rid"])
    assert not found.members.duplicated(["rid", "kind"]).any()


def test_columns() -> None:
    found = households(
        {**OLD, "person": 1, "at": 5, "name": "李建国", "relation_to_head": "02", "household_number": "7"}
    )
    assert list(found.members.columns) == list(MEMBER_COLUMNS)
    assert list(found.derived.columns) == list(DERIVED_COLUMNS)
    assert list(found.relations.columns) == list(RELATION_COLUMNS)
    assert set(found.relations["relation"]) == {"member_of", "head_of", "located_in", "lives_at"}
    number = found.derived[found.derived["property"] == "household_number"]
    assert number["value"].tolist() == ["7"]


def test_the_latest_address_wins_over_the_registered_one() -> None:
    found = households(
        {**OLD, "person": 1, "at": 5},
        {**NEW, "person": 1, "at": 9},
        {**NEW, "person": 2, "at": 9},
        {**OLD, "person": 3, "at": 5},
    )
    assert same(found, "residential", 1, 2, 3)
    assert not same(found, "residential", 1, 4)


def test_a_child_moves_with_its_parents() -> None:
    book = {"household_number": "7"}
    found = households(
        {**OLD, **book, "person": 1, "at": 5, "birth_date": "1980-01-01"},
        {**OLD, **book, "person": 2, "at": 5, "birth_date": "1981-01-01"},
        {**OLD, **book, "person": 3, "at": 5, "birth_date": "2015-01-01"},
        {**NEW, "person": 1, "at": 9},
        {**NEW, "person": 2, "at": 9},
    )
    assert same(found, "residential", 1, 2, 3)
    lives = found.relations[found.relations["relation"] == "lives_at"].set_index("cluster")["to_cluster"]
    assert lives[3] == 9


def test_a_grown_child_who_leaves_takes_nobody_along() -> None:
    book = {"household_number": "7", "at": 5}
    found = households(
        {**OLD, **book, "person": 1, "birth_date": "1960-01-01"},
        {**OLD, **book, "person": 2, "birth_date": "1961-01-01"},
        {**OLD, **book, "person": 3, "birth_date": "1990-01-01"},
        {**NEW, "person": 3, "at": 9},
    )
    assert same(found, "residential", 1, 2)
    assert not same(found, "residential", 1, 3)


def test_who_has_no_address_lives_with_the_family_else_alone() -> None:
    found = households(
        {**OLD, "household_number": "7", "person": 1, "at": 5},
        {**OLD, "household_number": "7", "person": 2},
        {**OLD, "person": 3},
    )
    assert same(found, "residential", 1, 2)
    assert not same(found, "residential", 1, 3)
    assert len(found.members[found.members["kind"] == "residential"]) == 3


@pytest.mark.parametrize("number", [None, "8"])
def test_a_missing_or_miswritten_number_is_mended_through_the_head(number: str | None) -> None:
    head = {"id_number": "340202195505057016", "relation_to_head": "02", "head_id_number": "340202195505057016"}
    found = households(
        {**OLD, **head, "household_number": "7", "person": 1},
        {**OLD, "household_number": "7", "head_id_number": "340202195505057016", "person": 2},
        {**OLD, "household_number": number, "head_id_number": "340202195505057016", "person": 3},
    )
    assert same(found, "registered", 1, 2, 3)


def test_who_is_in_no_book_has_no_registered_household() -> None:
    found = households({**NEW, "person": 1, "at": 5})
    assert found.members["kind"].tolist() == ["residential"]


def test_nobody() -> None:
    none = pd.DataFrame({"rid": pd.Series(dtype="int64"), "dwelling": pd.Series(dtype="Int64")})
    homes = SimpleNamespace(homes=none, registered=none)
    people = pd.DataFrame({"rid": pd.Series(dtype="int64"), "cluster": pd.Series(dtype="int64")})
    assert match_households(Records({}, {}), homes, people).members.empty
