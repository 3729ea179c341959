"""Dictionaries of codes and words, read from `schemas/data/*.tsv`.

Each line is word, code, source, confidence (high | medium | low), so that a city can correct a dictionary without code
and see what a line rests on. Words are looked up folded and in lower case.
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
    for number, (word, code, _, confidence) in lines(name, COLUMNS):
        if codes.setdefault(fold(word).lower(), code) != code or confidence not in CONFIDENCES:
            raise SettingsError(
                f"schemas/data/{name}.tsv, line {number}: the word has another code on an earlier line, or the "
                "confidence is not high, medium or low; mend the line."
            )
    return codes


@cache
def codes_of(name: str) -> frozenset[str]:
    """The codes the dictionary can yield."""
    return frozenset(dictionary(name).values())


def lines(name: str, columns: tuple[str, ...]) -> list[tuple[int, list[str]]]:
    """The lines of `schemas/data/<name>.tsv` below its header, with their numbers (from 1); '#' begins a comment.

    Raises SettingsError naming file and line when a line has not these columns.
    """
    text = resources.files("schemas").joinpath("data", f"{name}.tsv").read_text(encoding="utf-8")
    numbered = enumerate(text.splitlines(), start=1)
    split = [(number, line.split("\t")) for number, line in numbered if line[:1] not in ("", "#")]
    for number, cells in split:
        if len(cells) != len(columns):
            raise SettingsError(f"schemas/data/{name}.tsv, line {number}: expected {', '.join(columns)} between tabs.")
    return split[1:]
