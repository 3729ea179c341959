"""Pairwise scores against listing every pair, and the check that nothing of the truth is missing."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.score import Scores, main, pairwise, present, report, score

LABELS = st.lists(st.tuples(st.none() | st.integers(0, 4), st.none() | st.integers(0, 4)), max_size=14)


def pairs_by_listing(labels: list[object]) -> set[tuple[int, int]]:
    """Every pair of one label, found as the edges within the components of a graph."""
    graph = nx.Graph()
    graph.add_nodes_from(range(len(labels)))
    graph.add_edges_from(
        (a, b) for a, b in combinations(range(len(labels)), 2) if labels[a] is not None and labels[a] == labels[b]
    )
    return {pair for part in nx.connected_components(graph) for pair in combinations(sorted(part), 2)}


@given(LABELS)
def test_counts_equal_those_of_listing_every_pair(rows: list[tuple[int | None, int | None]]) -> None:
    known = [row for row in rows if row[0] is not None]
    true, found = (pairs_by_listing([row[i] for row in known]) for i in (0, 1))
    scores = pairwise(*(pd.Series([row[i] for row in rows], dtype="Int64") for i in (0, 1)))
    assert scores == Scores(len(known), len(true), len(found), len(true & found))


@given(LABELS)
def test_names_of_labels_do_not_matter(rows: list[tuple[int | None, int | None]]) -> None:
    true, found = (pd.Series([row[i] for row in rows], dtype="Int64") for i in (0, 1))
    renamed = found.map(lambda label: f"code {7 - label}", na_action="ignore").astype("str")
    assert pairwise(true, found) == pairwise(true, renamed)


def test_perfect_and_empty() -> None:
    labels = pd.Series(["a", "a", "b"])
    assert pairwise(labels, labels).f1 == 1.0
    assert pairwise(labels[:0], labels[:0]).f1 == 1.0
    alone = pairwise(labels, pd.Series([pd.NA, pd.NA, pd.NA], dtype="str"))
    assert (alone.precision, alone.recall, alone.f1) == (1.0, 0.0, 0.0)


TRUTH = pd.DataFrame(
    {
        "source": ["a", "a", "b", "b"], "key": ["1", "2", "1", "1"], "role": ["", "", "", "landlord"],
        "person": [1, 2, 1, 2], "dwelling": pd.array([5, None, 5, None], dtype="Int64"),
    }
)  # fmt: skip


def line(
    source: str, key: str, code: str, kind: tuple[str, str] = ("person", ""), role: str | None = None
) -> dict[str, str | None]:
    return {"source": source, "key": key, "role": role, "type": kind[0], "kind": kind[1], "code": code}


def test_roles_and_kinds_are_told_apart() -> None:
    members = pd.DataFrame(
        [
            line("a", "1", "P1"), line("b", "1", "P1"), line("a", "2", "P2"), line("b", "1", "P2", role="landlord"),
            line("a", "1", "L1", ("place", "dwelling")), line("b", "1", "L2", ("place", "dwelling")), line("b", "1", "L1", ("place", "building")),
        ]
    )  # fmt: skip
    scores = score(TRUTH, members)
    assert scores["people"].f1 == 1.0
    assert (scores["dwellings"].pairs, scores["dwellings"].right) == (1, 0)


def test_rows_the_export_lacks_are_named_and_stand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    members = pd.DataFrame([line("a", "1", "P1"), line("a", "2", "P2"), line("b", "1", "P2", role="landlord")])
    assert score(TRUTH, members)["people"].recall == 0.5
    held = present(TRUTH, members).set_index(["source", "role"])["present"]
    assert held.to_dict() == {("a", ""): 2, ("b", ""): 0, ("b", "landlord"): 1}
    assert "3 of 4 true rows" in report(TRUTH, members)
    TRUTH.to_parquet(tmp_path / "records.parquet")
    members.to_parquet(tmp_path / "members.parquet")
    monkeypatch.setattr(
        "sys.argv", ["score", "--home-export", str(tmp_path / "members.parquet"), "--truth", str(tmp_path)]
    )
    assert main() == 1
    assert "b: 1 of 1 missing" in capsys.readouterr().out
