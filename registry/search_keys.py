"""The table of search keys brought to what the golden values say: token beside code, only what differs.

The keys of a code are a pure function of its golden values, so that what is to go is known from the values before and
nothing is read back. A row of its own says by which version of the tokens the others were made: where it is missing or
another, all are made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import NamedTuple

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame
from onegrid.sealing import Keyring
from registry.draft import Draft
from registry.origins import Integers
from registry.published import load_temporary
from registry.search_tokens import PURPOSE, VERSION, person_tokens, place_tokens, road_tokens, text_tokens

Tokens = Callable[[str], tuple[str, ...]]
KEYED: tuple[tuple[str, str, Tokens], ...] = (  # type, property, what it is found by
    ("person", "name", person_tokens),
    ("person", "former_name", person_tokens),
    ("person", "address", road_tokens),
    ("place", "name", text_tokens),
    ("place", "alias", text_tokens),
    ("place", "address", place_tokens),  # of a dwelling: persons and households are reached through it
    ("thing", "name", place_tokens),
    ("thing", "address", place_tokens),
    ("organization", "name", text_tokens),
    ("organization", "short_name", text_tokens),
    ("organization", "address", place_tokens),
    ("event", "title", text_tokens),
    ("event", "address", place_tokens),
)
PHONES = (("person", "phone"), ("organization", "phone"))
MARK = "version"  # token of the row that says which version made the others
SERIAL_BITS = 30  # 9 digits of a serial beside the place of a token in one int64
_MARKED = "SELECT code FROM search_key WHERE token = :mark"
_EMPTY = "DELETE FROM search_key"
_REMOVE = "DELETE FROM search_key k USING unkeyed u WHERE k.token = u.token AND k.code = u.code"


class _Found(NamedTuple):
    """Tokens of distinct values, and which of them each row has: `value` numbers beside serials."""

    tokens: list[tuple[str, ...]]
    value: Integers
    serial: Integers


def is_current(connection: Connection) -> bool:
    """Whether the keys were made by this version of the tokens."""
    return connection.execute(text(_MARKED), {"mark": MARK}).scalar() == VERSION


def write_search_keys(draft: Draft, values: pd.DataFrame, changed: Integers, *, current: bool) -> None:
    """Queues the keys of the codes in `changed` (serials with other values), of new ones and of those out of use.

    values: all golden values of the run. current: what `is_current` said; where not, all keys are written anew.
    """
    coding, before = draft.coding, draft.before.golden
    serial = coding.serial[values["group"].to_numpy()]
    if not current:
        draft.to.write(_clear)
        wanted, gone = values.assign(serial=serial), before.iloc[:0]
    else:
        ended = np.concatenate([coding.merged.index.to_numpy(np.int64), coding.retired])
        touched = np.unique(np.concatenate([changed, coding.created, ended]))
        wanted = values.assign(serial=serial)[np.isin(serial, touched)]
        gone = before[np.isin(before["serial"].to_numpy(np.int64), touched)]
    old = keys_of(gone.assign(type=_types(gone["serial"], draft.entities)), draft.to.keyring)
    new = keys_of(wanted, draft.to.keyring)
    fresh, ended_keys = _apart(new, old)
    if len(ended_keys):
        draft.to.write(_remove, _rows(ended_keys, draft))
    if len(fresh):
        draft.to.write(copy_frame, "search_key", _rows(fresh, draft))


def keys_of(lines: pd.DataFrame, keyring: Keyring) -> pd.DataFrame:
    """`token` and `serial`, each pair once, in the order of the table's key, of golden values with `serial` and `type`."""
    found = [part for kind, name, make in KEYED if (part := _found(_lines_of(lines, kind, name), make))]
    found += [part for kind, name in PHONES if (part := _phones(_lines_of(lines, kind, name), keyring))]
    if not found:
        return pd.DataFrame({"token": pd.Series(dtype="str"), "serial": pd.Series(dtype="int64")})
    flat = np.fromiter(chain.from_iterable(chain.from_iterable(part.tokens for part in found)), dtype=object)
    numbers, distinct = pd.factorize(flat)
    order = np.argsort(np.array(distinct, dtype=object))
    rank = np.empty(len(distinct), dtype=np.int64)
    rank[order] = np.arange(len(distinct))
    packed, start = [np.empty(0, dtype=np.int64)], 0
    for part in found:
        sizes = np.fromiter(map(len, part.tokens), dtype=np.int64, count=len(part.tokens))
        firsts = start + np.cumsum(sizes) - sizes
        start += int(sizes.sum())
        many = sizes[part.value]
        offset = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        place = rank[numbers[np.repeat(firsts[part.value], many) + offset]]
        packed.append((place << SERIAL_BITS) | np.repeat(part.serial, many))
    pairs = _distinct(np.concatenate(packed))
    words = pd.Series(distinct[order], dtype="str")
    tokens = words.take(pairs >> SERIAL_BITS).reset_index(drop=True)
    return pd.DataFrame({"token": tokens, "serial": pairs & ((1 << SERIAL_BITS) - 1)})


def _distinct(numbers: Integers) -> Integers:
    """Each number once, ascending; numpy's own `unique` hashes first, which takes ten times as long here."""
    numbers.sort()
    return numbers[np.r_[True, numbers[1:] != numbers[:-1]]] if len(numbers) else numbers


def _found(rows: pd.DataFrame, make: Tokens) -> _Found | None:
    if rows.empty:
        return None
    value, distinct = pd.factorize(rows["value"])
    return _Found([make(said) for said in distinct.tolist()], value, rows["serial"].to_numpy())


def _phones(rows: pd.DataFrame, keyring: Keyring) -> _Found | None:
    """Golden numbers are in canonical form: `search_tokens.phone_token` reads what is asked into the same."""
    if rows.empty:
        return None
    value, distinct = pd.factorize(rows["value"])
    blind = keyring.blind_many(pd.Series(distinct, dtype="str"), PURPOSE).str.slice(2)
    tokens: list[tuple[str, ...]] = [
        () if "*" in said else (f"p:{digest}",) for said, digest in zip(distinct, blind, strict=True)
    ]
    return _Found(tokens, value, rows["serial"].to_numpy())


def _lines_of(lines: pd.DataFrame, kind: str, name: str) -> pd.DataFrame:
    rows = lines.loc[lines["property"] == name, ["serial", "value", "type"]]
    if len(rows):
        rows = rows[rows["type"] == kind].dropna()
    return rows.astype({"serial": "int64"}) if len(rows) else rows


def _types(serials: pd.Series, entities: pd.DataFrame) -> pd.Series:
    at = pd.Index(entities["serial"]).get_indexer(pd.Index(serials))
    return entities["type"].take(at).set_axis(serials.index)


def _apart(new: pd.DataFrame, old: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows of each that the other has not."""
    if old.empty:
        return new, old
    one, two = (pd.MultiIndex.from_frame(frame[["token", "serial"]]) for frame in (new, old))
    return new[~one.isin(two)].reset_index(drop=True), old[~two.isin(one)].reset_index(drop=True)


def _rows(keys: pd.DataFrame, draft: Draft) -> pd.DataFrame:
    return pd.DataFrame({"token": keys["token"].array, "code": draft.codes(keys["serial"].to_numpy()).array})


def _clear(connection: Connection) -> None:
    connection.execute(text(_EMPTY))
    copy_frame(connection, "search_key", pd.DataFrame({"token": [MARK], "code": [VERSION]}))


def _remove(connection: Connection, rows: pd.DataFrame) -> None:
    load_temporary(connection, "unkeyed", "search_key", rows)
    connection.execute(text(_REMOVE))
