"""The same figures as table, csv and page; the page stands alone."""

from __future__ import annotations

import datetime
import io
import re

import pandas as pd
import pytest

from quality.report import scores_csv, scores_text, write_report
from quality.scores import DIMENSIONS


@pytest.fixture
def table() -> pd.DataFrame:
    shares = {name: [0.5, 0.99] for name in DIMENSIONS} | {"consistency": [None, 1.0]}
    return pd.DataFrame(
        {
            "owner": ["=街道<b>", "公安"],
            "evaluated": [1234, 5],
            **shares,
            "score": [0.5, 0.992],
            "grade": ["E", "A"],
            "change": [None, 0.01],
            "worst": [0.1, 0.9],
            "worst_where": ["accuracy feed 340202 G2 person.phone", ""],
        }
    )


@pytest.fixture
def course() -> pd.DataFrame:
    days = [datetime.date(2026, 6, 1), datetime.date(2026, 6, 2)]
    return pd.DataFrame({"day": days, "owner": "公安", **dict.fromkeys(DIMENSIONS, 0.9), "score": [0.8, 0.9]})


def test_the_terminal_shows_the_worst_beside_the_average(table):
    text = scores_text(table)
    assert "50.00%" in text
    assert "G2 person.phone" in text
    assert "+1.00%" in text


def test_csv_reads_back_and_runs_nothing(table):
    back = pd.read_csv(io.StringIO(scores_csv(table)))
    assert back["score"].tolist() == [0.5, 0.992]
    assert back["owner"][0] == "'=街道<b>"


def test_the_page_stands_alone(table, course, tmp_path):
    out = tmp_path / "quality.html"
    write_report(table, course, ["owner"], out)
    page = out.read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    assert page.count("<table>") == 2
    assert "<b>" not in page, "text is escaped"
    assert "1,234" in page
    assert not re.search(r"<script|<link|@import|(?:src|href)\s*=\s*[\"'](?:https?:)?//", page)
    assert len(page) < 100_000


def test_an_empty_registry_makes_a_page_too(table, course, tmp_path):
    write_report(table.head(0), course.head(0), ["owner"], tmp_path / "quality.html")
    assert "<svg" not in (tmp_path / "quality.html").read_text(encoding="utf-8")
    assert scores_text(table.head(0)) == "no load has been checked yet"
