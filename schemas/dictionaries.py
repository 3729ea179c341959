"""Dictionaries of codes and words, read from `schemas/data/*.tsv`.

Each line is word, code, source, confidence (high | medium | low), so that a city can correct a dictionary without code and see
what a line rests on. Words are looked up folded and in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from onegrid.errors import SettingsError
from schemas.text import fold

COLUMNS = ("word", "code", "source", "confidence")
CONFIDENCES = ("high", "medium", "low")


@cache
def dictionary(name: str) -> Mapping[str, str]:
    """Folded lower-case word -> code of `schemas/data/<name>.tsv`.

    Raises SettingsError naming file and line when a line is malformed or gives a word a second code.
    """
    codes: dict[str, str] = {}
    for number, (word, code, *_) in _lines(name):
        key = fold(word).lower()
        if codes.setdefault(key, code) != code:
            raise SettingsError(
                f"schemas/data/{name}.tsv, line {number}: this word already has another code; keep one of the lines."
            )
    return codes


@cache
def codes_of(name: str) -> frozenset[str]:
    """The codes the dictionary can yield."""
    return frozenset(dictionary(name).values())


def _lines(name: str) -> list[tuple[int, list[str]]]:
    text = resources.files("schemas").joinpath("data", f"{name}.tsv").read_text(encoding="utf-8")
    rows = [
        (number, line.split("\t")) for number, line in enumerate(text.splitlines(), start=1) if line and line[0] != "#"
    ]
    for number, cells in rows:
        if len(cells) != len(COLUMNS) or (number > 1 and cells[-1] not in CONFIDENCES):
            raise SettingsError(
                f"schemas/data/{name}.tsv, line {number}: expected word, code, source, confidence (high, medium or low) between tabs."
            )
    return rows[1:]
