"""Dictionaries are data with a source and a confidence, and a wrong line is named."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from onegrid.errors import SettingsError
from schemas import dictionaries
from schemas.dictionaries import COLUMNS, CONFIDENCES, dictionary, lines

NAMES = ("ethnicity", "kinship", "id_type", "sex", "place_kind", "province", "county_more")


@pytest.mark.parametrize("name", NAMES)
def test_every_line_has_its_source_and_confidence(name: str) -> None:
    assert dictionary(name)
    for number, (word, code, source, confidence) in lines(name, COLUMNS):
        assert all((word, code, source)), number
        assert confidence in CONFIDENCES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    monkeypatch.setattr(dictionaries, "dictionary", dictionary.__wrapped__)
    return tmp_path / "data" / "trial.tsv"


@pytest.mark.parametrize(
    "line", ["男\tmale\tusage", "男\tmale\tusage\tvery", "男\tmale\tusage\thigh\n男\tfemale\tusage\thigh"]
)
def test_a_wrong_line_is_named(folder: Path, line: str) -> None:
    folder.write_text("word\tcode\tsource\tconfidence\n" + line + "\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"trial\.tsv, line [23]"):
        dictionaries.dictionary("trial")


def test_comments_and_empty_lines_are_skipped(folder: Path) -> None:
    folder.write_text("word\tcode\tsource\tconfidence\n# a note\n\n１号\tone\tusage\thigh\n", encoding="utf-8")
    assert dictionaries.dictionary("trial") == {"1号": "one"}
