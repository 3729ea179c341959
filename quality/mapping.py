"""Feed rows to keys and property columns, as the source file's maps say.

Pure functions over the landed frame: corrections (`lookups`) first, then columns joined, then the `values` table.
Nothing is cleaned here; what a value means is the affair of its kind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from schemas.records import column
from schemas.sources import Field, Map, Source

KEY_SEPARATOR = "|"
# Unit separator and a mark no feed writes: two rows hash alike only when every cell is alike, null apart from empty.
CELL_END, NULL_CELL = "\x1f", "\x00"
KEY_BYTES = 16


@dataclass(frozen=True)
class Mapped:
    """One map applied to all rows: `frame` has the rows' index and one `str` column a mapped property.

    constant: properties that the source file sets for every row; they alone don't make a record.
    """

    type: str
    role: str
    frame: pd.DataFrame
    constant: frozenset[str]

    @property
    def stated(self) -> pd.Series:
        """Per row, whether the feed itself states at least one property."""
        said = [name for name in self.frame.columns if name not in self.constant]
        return self.frame[said].notna().any(axis=1)


def map_rows(rows: pd.DataFrame, source: Source) -> tuple[Mapped, ...]:
    """Each of the source's maps applied to `rows` (feed columns as `str` text); in the order of the source file."""
    columns = {name: _cells(rows, name, source.lookups.get(name, {})) for name in mapped_columns(source.maps)}
    return tuple(_apply(mapping, columns, rows.index) for mapping in source.maps)


def mapped_columns(maps: Iterable[Map]) -> tuple[str, ...]:
    """The feed columns that any map reads, each once, in the order of the source file."""
    named = [name for mapping in maps for field in mapping.fields.values() for name in field.columns]
    return tuple(dict.fromkeys(named))


def row_keys(rows: pd.DataFrame, source: Source) -> pd.Series:
    """The key of each row: the declared parts exactly as the feed writes them, joined by "|"; missing where a part is.

    Without a declared key: 128 bits of BLAKE2 over the mapped columns as they were read, in hexadecimal; corrections
    in the source file don't change it.
    """
    if not source.read.key:
        return _content_keys(rows, sorted(mapped_columns(source.maps)))
    parts = [absent_if_blank(_storable(column(rows, name))) for name in source.read.key]
    keys = parts[0]
    for part in parts[1:]:
        keys = keys + KEY_SEPARATOR + part
    return keys.astype("str").rename("key")


def _storable(texts: pd.Series) -> pd.Series:
    """The texts without the character 0, which PostgreSQL knows not; keys that differ in it alone are duplicates."""
    return texts.str.replace("\x00", "", regex=False) if texts.str.contains("\x00", regex=False).any() else texts


def deleted_rows(rows: pd.DataFrame, source: Source) -> pd.Series:
    """Per row, whether it says of itself that it is gone."""
    mark = source.read.deleted
    if mark is None:
        return pd.Series(False, index=rows.index)
    return (column(rows, mark.column).str.strip() == str(mark.value)).fillna(False).astype(bool)


def absent_if_blank(texts: pd.Series) -> pd.Series:
    """The texts, missing where there are only blanks."""
    return texts.where(texts.str.strip() != "")


def _apply(mapping: Map, columns: Mapping[str, pd.Series], index: pd.Index) -> Mapped:
    frame = {name: _property(field, columns, index) for name, field in mapping.fields.items()}
    constant = frozenset(name for name, field in mapping.fields.items() if not field.columns)
    return Mapped(mapping.type, mapping.role or "", pd.DataFrame(frame, index=index), constant)


def _property(field: Field, columns: Mapping[str, pd.Series], index: pd.Index) -> pd.Series:
    if not field.columns:
        return pd.Series(field.value, index=index, dtype="str")
    joined = _join([columns[name] for name in field.columns], field.join or "")
    return _replace(joined, field.values)


def _join(parts: list[pd.Series], separator: str) -> pd.Series:
    """The parts that are there, joined; missing only where all are."""
    joined = parts[0]
    for part in parts[1:]:
        both = joined + separator + part
        joined = both.where(both.notna(), joined.where(joined.notna(), part))
    return joined.astype("str")


def _cells(rows: pd.DataFrame, name: str, lookup: Mapping[str, str]) -> pd.Series:
    return absent_if_blank(_replace(column(rows, name), lookup))


def _replace(texts: pd.Series, table: Mapping[str, str] | None) -> pd.Series:
    """The texts the table knows (blanks around them aside) replaced; the others as they are."""
    if not table:
        return texts
    known = texts.str.strip().map({str(key): str(value) for key, value in table.items()})
    return known.astype("str").where(known.notna(), texts)


def _content_keys(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    content = pd.Series("", index=rows.index, dtype="str")
    for name in names:
        content = content + column(rows, name).fillna(NULL_CELL) + CELL_END
    keys = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY_BYTES).hexdigest() for text in content
    ]
    return pd.Series(keys, index=rows.index, dtype="str", name="key")
