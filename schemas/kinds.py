"""The kinds of values: how each is cleaned, what can be wrong with it, and how it is masked.

A property's `kind:` in `schemas/*.yml` names one of these. `clean` takes a feed's raw text column to canonical text
(missing where the cell says that there is nothing; text that is not understood stays, for a rule to fail); `rules`
judge canonical text; `mask` is what may be shown of one canonical value.

Canonical forms: sex male | female | unknown. birth_date YYYY-MM-DD (partial: YYYY-MM, YYYY). datetime
YYYY-MM-DDTHH:MM:SS. id_type as in `data/id_type.tsv`. ethnicity GB/T 3304 and kinship GB/T 4761, two digits each.
phone 13812345678 or 0553-1234567, the first one of a cell that holds several. longitude, latitude decimal degrees.
geometry WKT. number, code without the '.0' that a spreadsheet leaves. registry_code as `schemas.codes` stores it. place_kind as in `data/place_kind.tsv`, else the
feed's word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas import cleaning, geometry, masks
from schemas.rules import Rule, rules_of

__all__ = ["KINDS", "Kind", "Rule"]


@dataclass(frozen=True)
class Kind:
    """One kind of value: raw column -> canonical column, the rules over it, and the mask of one value."""

    name: str
    clean: cleaning.Clean
    rules: tuple[Rule, ...]
    mask: Callable[[str], str]


def _kind(name: str, change: Callable[[str], str | None], mask: Callable[[str], str], *, words: bool = False) -> Kind:
    return Kind(name, cleaning.column(change, words_first=words), rules_of(name), mask)


_ALL = (
    _kind("id_type", cleaning.coded("id_type"), masks.whole),
    _kind("id_number", cleaning.id_number, masks.id_number),
    _kind("name", cleaning.name, masks.name, words=True),
    _kind("sex", cleaning.coded("sex"), masks.whole, words=True),
    _kind("birth_date", cleaning.birth_date, masks.date),
    _kind("ethnicity", cleaning.coded("ethnicity"), masks.whole),
    _kind("phone", cleaning.phone, masks.phone),
    _kind("address", cleaning.text, masks.address),
    _kind("number", cleaning.number, masks.whole),
    _kind("code", cleaning.number, masks.whole),
    _kind("kinship", cleaning.coded("kinship"), masks.whole),
    _kind("text", cleaning.text, masks.text),
    _kind("datetime", cleaning.moment, masks.whole),
    _kind("place_kind", cleaning.coded("place_kind"), masks.whole),
    _kind("longitude", cleaning.coordinate, masks.coordinate),
    _kind("latitude", cleaning.coordinate, masks.coordinate),
    Kind("geometry", cleaning.Clean(geometry.to_wkt), rules_of("geometry"), masks.whole),
    _kind("uscc", cleaning.uscc, masks.whole),
    _kind("registry_code", cleaning.registry_code, masks.whole),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
