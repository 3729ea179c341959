"""A record's values as JSON text, written and read back by column: no loop over rows.

Properties up to sensitivity 2 lie plain in one JSON object, those of sensitivity 3 and more in a second one that is
sealed as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from schemas.properties import EntityType
from schemas.records import WITHHELD

if TYPE_CHECKING:
    import pyarrow as pa

SEALED_FOR = "record.sealed"  # what the second object is sealed for: it opens nowhere else
BLOCK = 2**26  # bytes; no record may be longer (a place's outline is the longest we hold)
_SPECIAL = r'[\x00-\x1f"\\]'


def split(columns: Iterable[str], entity_type: EntityType) -> tuple[list[str], list[str]]:
    """The property columns among `columns`, sorted: those that lie plain, and those that are sealed.

    What a check withheld is as sensitive as its property. Columns that are no property are in neither.
    """
    known = entity_type.properties
    named = sorted(name for name in columns if name.removesuffix(WITHHELD) in known)
    sealed = [name for name in named if known[name.removesuffix(WITHHELD)].sealed]
    return [name for name in named if name not in sealed], sealed


def property_columns(entity_type: EntityType) -> list[str]:
    """Every column a record of this type may have."""
    return [name + tail for tail in ("", WITHHELD) for name in entity_type.properties]


def to_text(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The JSON object of `columns` for each row, without the missing ones; missing where nothing is known at all."""
    from pyarrow import compute as pc

    known = frame[list(columns)].notna().any(axis=1)  # the join below would drop a row of nulls alone
    parts = [_pairs(frame.loc[known, name], name) for name in columns] if known.any() else []
    if not parts:
        return pd.Series(None, index=frame.index, dtype="str")
    joined = pc.binary_join_element_wise(*parts, _scalar(","), null_handling="skip")
    whole = pc.binary_join_element_wise(_scalar("{"), joined, _scalar("}"), _scalar(""))
    return pd.Series(whole, index=frame.index[known], dtype="str").reindex(frame.index)


def from_text(texts: pd.Series, columns: Sequence[str]) -> pd.DataFrame:
    """The values of `columns` in JSON objects, on the index of `texts`; a column without any value is left out."""
    import pyarrow as pa
    from pyarrow import json as reader

    present = texts.dropna()
    if present.empty:
        return pd.DataFrame(index=texts.index)
    schema = pa.schema([(name, pa.large_string()) for name in columns])
    table = reader.read_json(
        pa.BufferReader("\n".join(present.tolist()).encode()),
        read_options=reader.ReadOptions(block_size=BLOCK),
        parse_options=reader.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )
    kept = [name for name in columns if table.column(name).null_count < table.num_rows]
    frame = pd.DataFrame(
        {name: pd.Series(table.column(name), dtype="str") for name in kept}, index=range(table.num_rows)
    )
    return frame.set_axis(present.index).reindex(texts.index)


def _pairs(values: pd.Series, name: str) -> pa.Array:
    """`"name":"value"` of each value, missing where it is."""
    import pyarrow as pa
    from pyarrow import compute as pc

    column = pa.array(_escaped(values.astype("str")), type=pa.large_string(), from_pandas=True)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return pc.binary_join_element_wise(_scalar(f'{json.dumps(name)}:"'), column, _scalar('"'), _scalar(""))


def _scalar(text: str) -> pa.Scalar:
    import pyarrow as pa

    return pa.scalar(text, pa.large_string())


def _escaped(values: pd.Series) -> pd.Series:
    """The values as they stand between JSON's quotes; few change. Character 0, unknown to PostgreSQL, goes."""
    special = values.str.contains(_SPECIAL, regex=True).fillna(False).astype(bool)
    if not special.any():
        return values
    changed = values.copy()
    written = [json.dumps(text.replace("\x00", ""), ensure_ascii=False)[1:-1] for text in values[special].tolist()]
    changed[special] = pd.array(written, dtype="str")
    return changed
