"""One number and a column of numbers are read alike."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd

from registry.aliases import document_scheme, document_schemes
from schemas.kinds import KINDS

GOLDEN = Path(__file__).parents[1] / "golden" / "identifiers.tsv"


def numbers() -> list[str]:
    lines = [line for line in GOLDEN.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    cells = [row[0] for row in csv.reader(lines, delimiter="\t")]
    return [*cells, "无", "", " 340202196203150138 ", "３４０２０２１９６２０３１５０１３Ｘ", "护照E12345678", "?"]


def test_a_single_number_is_read_as_a_column_is() -> None:
    raw = numbers()
    assert len(raw) > 20
    frame = document_schemes(KINDS["id_number"].clean(pd.Series(raw, dtype="str")))
    for number, scheme, normal in zip(raw, frame["scheme"], frame["normal"], strict=True):
        expected = None if pd.isna(normal) else (scheme, normal)
        assert document_scheme(number) == expected, number
