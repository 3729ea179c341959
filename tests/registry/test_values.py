"""Values as JSON text and back: whatever stands in a cell."""

from __future__ import annotations

import json

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from registry.values import from_text, property_columns, split, to_text
from schemas.properties import entity_types

PERSON = entity_types()["person"]
COLUMNS = ["name", "phone", "sex.withheld"]
cells = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
rows = st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8)


@given(rows, st.sampled_from([COLUMNS, COLUMNS[:1]]))
def test_what_is_written_is_read_again(table: list[tuple[str | None, ...]], columns: list[str]) -> None:
    frame = pd.DataFrame({name: pd.Series([row[at] for row in table], dtype="str") for at, name in enumerate(COLUMNS)})
    texts = to_text(frame, columns)
    for row, text in zip(table, texts, strict=True):
        said = {name: value for name, value in zip(columns, row, strict=False) if value is not None}
        assert (json.loads(text) if isinstance(text, str) else {}) == said
    back = from_text(texts, property_columns(PERSON))
    for name in columns:
        if name in back.columns:
            assert back[name].equals(frame[name])
        else:
            assert frame[name].isna().all()


def test_numbers_are_sealed_and_so_is_what_was_withheld_of_them() -> None:
    columns = ["key", "rid", "name", "phone", "id_number.withheld", "name.withheld", "no_property"]
    assert split(columns, PERSON) == (["name", "name.withheld"], ["id_number.withheld", "phone"])


def test_character_zero_is_dropped() -> None:
    assert to_text(pd.DataFrame({"name": ["a\x00b"]}, dtype="str"), ["name"]).tolist() == ['{"name":"ab"}']
