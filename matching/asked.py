"""What somebody asks about a person, read into the columns that kept records have: one by one, or a whole list at once.

Both ways read with the same functions; a list goes through the evidence of matching itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace

import numpy as np
import pandas as pd

from matching.addresses import parse_address, parse_addresses
from matching.doorstep import STORED, only, place_numbers, tails
from matching.dwellings import area_written, written_heads
from matching.evidence import CALLS, LONG_NAME, NOT_PERSONAL, gather
from matching.gazetteer import estate_head
from matching.identifiers import FULL, UNKNOWN, damage_of
from matching.levels import Objects
from schemas.dates import today
from schemas.identifiers import recognise_one
from schemas.kinds import KINDS
from schemas.names import name_parts
from schemas.records import Records, column

Row = dict[str, object]
LEAST_DIGITS, MOST_DIGITS = 4, 14  # of a number's end, as it is read out at a door
COLUMNS = (*STORED, "surname", "sound", "tail")
PLACES = ("estate", "building", "dwelling")
ALTERNATIVE = ("alt_building", "alt_unit", "alt_room")


@dataclass(frozen=True)
class Heads:
    """What an address may be headed by: {(area, text): head}, as the registry's addresses use it."""

    of: Mapping[tuple[str, str], str]

    @cached_property
    def home(self) -> str:
        """The area that most heads lie in: where an address lies that names none, asked by one who answers for more."""
        areas = pd.Series([area for area, _ in self.of], dtype="str").value_counts()
        return str(areas.index[0]) if len(areas) else ""

    def area(self, division: str) -> str:
        """The county that a division code lies in; `home` where it is wider."""
        return division[:6] if len(division) >= 6 else self.home

    def find(self, area: str, texts: Sequence[str | None]) -> str | None:
        """The head that the first known of the texts stands for."""
        return next((found for text in texts if text and (found := self.of.get((area, text)))), None)


def asked_rows(said: Mapping[str, str | None], heads: Heads, area: str) -> list[Row]:
    """What is asked of one person as rows of COLUMNS; two where the address has two readings.

    said: raw `name`, `id_number` (also its end), `phone`, `address`, `birth_date`, `sex`. area: of a county.
    """
    row: Row = dict.fromkeys(COLUMNS)
    row |= {"display": False, "own": False, "lent": False}
    given = {name: KINDS[name].clean.one(value) for name, value in said.items() if value}
    row |= _name(given.get("name"))
    row |= _number(given.get("id_number"))
    phone = given.get("phone")
    if phone:
        row["phone_mask" if "*" in phone else "phone"] = phone
    for name, known in (("birth", given.get("birth_date")), ("sex", given.get("sex"))):
        row[name] = known or row[name]
    if not given.get("address"):
        return [row]
    return [row | place for place in _readings(str(given["address"]), heads, area)]


def _name(raw: str | None) -> Row:
    """As `matching.evidence` reads it."""
    if not raw:
        return {}
    parts = name_parts(raw)
    folded = parts.folded
    nick = folded is not None and len(folded) == 2 and folded[0] in CALLS
    whole = parts.kind == "full" and not parts.wild and not nick
    long = folded is not None and len(folded) >= LONG_NAME and len(parts.surname or "") == 1
    return {
        "name": folded,
        "full": folded if whole else None,
        "nick": folded[1:] if folded and nick else None,
        "pointer": parts.pointer,
        "display": parts.kind == "display" or (long and "·" not in str(folded) and not parts.wild),
        "surname": None if nick else parts.surname,
        "sound": parts.pinyin if whole else None,
    }


def _number(number: str | None) -> Row:
    if not number:
        return {}
    if (
        number[:-1].isdigit()
        and LEAST_DIGITS <= len(number) <= MOST_DIGITS
        and (number[-1].isdigit() or number[-1] == "X")
    ):
        mask = UNKNOWN * (FULL - len(number)) + number
        return {"id_mask": mask, "tail": tails([mask])[0]}
    kind, normal, valid, born, sex, _ = recognise_one(number, today())
    if valid and kind not in NOT_PERSONAL:
        return {"id": normal, "birth": born, "sex": sex, "tail": tails([normal])[0]}
    pattern = damage_of(number, today()).known_pattern
    return {"id_mask": pattern, "tail": tails([pattern])[0]}


def _readings(address: str, heads: Heads, area: str) -> list[Row]:
    parts = parse_address(address, area)
    inside = area_written(area, parts.get("city", ""), parts.get("district", ""))
    estate = parts.get("estate")
    written = estate_head(estate, parts.get("zone", ""), parts.get("phase", "")) if estate else None
    behind = parts.get("road_number") or (parts["lane"] + "弄" if "lane" in parts else None)
    gate = f"{parts['road']}|{behind}" if "road" in parts and behind else None
    head = heads.find(inside, (written, gate))
    readings = [tuple(parts.get(name) for name in ("building", "unit", "room"))]
    if any(name in parts for name in ALTERNATIVE):
        readings.append(tuple(parts.get(name) for name in ALTERNATIVE))
    columns = [np.array(values, dtype=object) for values in zip(*readings, strict=True)]
    numbers = place_numbers(_parts(np.array([head] * len(readings), dtype=object), *columns))
    found = _placed(np.array([head] * len(readings), dtype=object), *columns, numbers=numbers)
    lines = [dict(zip(found, values, strict=True)) for values in zip(*found.values(), strict=True)]
    return [{**line, "community": parts.get("community")} for line in lines]


def _parts(head: Objects, building: Objects, unit: Objects, room: Objects) -> dict[str, Objects]:
    return {"head": head, "building": building, "unit": unit, "room": room}


def _placed(
    head: Objects, building: Objects, unit: Objects, room: Objects, *, numbers: Mapping[str, object]
) -> dict[str, Objects]:
    """The places that an address means; a home is one only where nothing between estate and room is open."""
    told = np.array([value is not None for value in head])
    known = {
        "estate": told,
        "building": told & _has(building),
        "dwelling": told & _has(room) & (_has(unit) | ~_has(building)),
    }
    found = {name: only(known[name], np.asarray(numbers[name])) for name in PLACES}
    return {**found, "unit": unit, "room": room}


def _has(values: Objects) -> np.typing.NDArray[np.bool_]:
    return np.array([value is not None for value in values], dtype=bool)


def asked_list(
    people: pd.DataFrame, records: Records, heads: Heads, area: str
) -> tuple[dict[str, Objects], np.typing.NDArray[np.int64]]:
    """A list's checked rows as columns of COLUMNS, and which of `people` each row is of: two where an address has two
    readings. people: the frame of `records` of type person, numbered from 0 by `rid`.
    """
    nowhere = pd.DataFrame({"rid": pd.Series(dtype="int64")})
    evidence = gather(records, SimpleNamespace(homes=nowhere, registered=nowhere))
    rows = {name: _objects(evidence[name]) for name in COLUMNS if name in evidence.columns and name not in PLACES}
    for name, told in (("birth", "id_birth"), ("sex", "id_sex")):
        rows[name] = np.where(_has(rows[name]), rows[name], _objects(evidence[told]))
    rows["tail"] = tails(np.where(_has(rows["id"]), rows["id"], rows["id_mask"]))
    none = np.full(len(evidence), None, dtype=object)
    rows |= {
        "own": np.zeros(len(evidence), dtype=object),
        "lent": np.zeros(len(evidence), dtype=object),
        "registered": none,
    }
    of = np.arange(len(evidence))
    address = column(people.sort_values("rid"), "address").reset_index(drop=True)
    parts = parse_addresses(address, pd.Series(area, index=address.index))
    two = np.flatnonzero(parts[list(ALTERNATIVE)].notna().any(axis=1))
    other = parts.iloc[two].assign(**{name: parts[f"alt_{name}"].iloc[two] for name in ("building", "unit", "room")})
    of = np.concatenate([of, two])
    rows = {name: values[of] for name, values in rows.items()}
    return rows | _list_places(pd.concat([parts, other], ignore_index=True), heads, area), of


def _list_places(parts: pd.DataFrame, heads: Heads, area: str) -> dict[str, Objects]:
    cases = parts[["city", "district"]].fillna("").drop_duplicates()
    inside = {case: area_written(area, *case) for case in cases.itertuples(index=False, name=None)}
    areas = [inside[case] for case in parts[["city", "district"]].fillna("").itertuples(index=False, name=None)]
    gates = (parts["road"] + "|").str.cat(parts["road_number"].fillna(parts["lane"] + "弄"))
    texts = zip(areas, _objects(written_heads(parts)), _objects(gates), strict=True)
    head = np.array([*(heads.find(where, (text, gate)) for where, text, gate in texts), None], dtype=object)[:-1]
    columns = [_objects(parts[name]) for name in ("building", "unit", "room")]
    placed = _placed(head, *columns, numbers=place_numbers(_parts(head, *columns)))
    return {**placed, "community": _objects(parts["community"])}


def _objects(values: pd.Series) -> Objects:
    found: Objects = values.astype(object).where(values.notna(), None).to_numpy(dtype=object)
    return found


def columns_of(rows: Sequence[Row]) -> dict[str, Objects]:
    """Asked rows as columns."""
    found = {name: np.empty(len(rows), dtype=object) for name in COLUMNS}
    for name, values in found.items():
        values[:] = [row[name] for row in rows]
    return found
