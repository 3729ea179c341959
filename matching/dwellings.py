"""Dwellings: which addresses mean the same home. Heads are resolved first, then building, unit and room, exactly.

A head is an estate with its zone and phase, or a road and number. Names mean something within their division alone; an
address that writes another city or county than its feed's lies there. What an address leaves out is filled from what
others show; nothing is guessed from a number that differs.
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from matching.address_tail import WHOLE_HOUSE
from matching.addresses import parse_addresses
from matching.atlas import Atlas, Lessons
from matching.divisions import division_names
from matching.gazetteer import (
    agreed_by_people,
    base_of,
    estate_head,
    joined,
    spellings,
    written_together,
)
from matching.readings import NEEDED, SETTLED, WITNESSES, key_of, only_value, settle
from schemas.records import Records, column

TYPED = (
    ("person", "address"),
    ("person", "registered_address"),
    ("place", "address"),
    ("organization", "address"),
    ("event", "address"),
    ("thing", "address"),
)
HEAD_PARTS = ("estate", "zone", "phase")
COMMITTEE = r"(?:村民委员会|居民委员会|村委会|居委会|社区)$"
PERSON_ID = r"[0-9]{17}[0-9X]"


def gather_addresses(records: Records) -> pd.DataFrame:
    """Every address of every record: `rid`, `type`, `property`, `area` (6-digit division), WITNESSES, and its parts."""
    frames = []
    for kind, name in TYPED:
        raw = records.frame(kind)
        if name not in raw.columns:
            continue
        found = pd.DataFrame({"rid": raw["rid"], "type": kind, "property": name, "address": column(raw, name)})
        found["area"] = records.division(raw).str[:6].fillna("")
        for witness in WITNESSES:
            found[witness] = pd.Series(pd.NA, index=raw.index, dtype="str")
        if kind == "person":
            found["person"], found["family"], found["phone"] = _persons(raw), _families(raw), column(raw, "phone")
        frames.append(found[found["address"].notna()])
    named = ["type", "property", "address", "area", *WITNESSES]
    nothing = pd.DataFrame({"rid": pd.Series(dtype="int64"), **{name: pd.Series(dtype="str") for name in named}})
    rows = pd.concat(frames or [nothing], ignore_index=True)
    rows = pd.concat([rows, parse_addresses(rows["address"], rows["area"])], axis=1)
    return rows.assign(area=_areas(rows))


def _areas(rows: pd.DataFrame) -> pd.Series:
    """The division an address lies in: the feed's, unless it writes a city or county that is not part of that."""
    cases = rows[["area", "city", "district"]].drop_duplicates()
    cases = cases[cases["city"].notna() | cases["district"].notna()].fillna("").astype("str")
    places = {
        (area, city, district): area_written(area, city, district)
        for area, city, district in cases.itertuples(index=False, name=None)
    }
    keys = zip(rows["area"], rows["city"].fillna(""), rows["district"].fillna(""), strict=True)
    return pd.Series([places.get(key, key[0]) for key in keys], index=rows.index, dtype="str")


def area_written(area: str, city: str, district: str) -> str:
    names = division_names()
    cities, districts = names.get(city, ()), names.get(district, ())
    near = [code for code in districts if not cities or any(code.startswith(c[:4]) for c in cities)] or [*cities]
    if not near or any(area.startswith(code) or code.startswith(area.rstrip("0")) for code in near):
        return area
    return near[0].ljust(6, "0")


def _persons(raw: pd.DataFrame) -> pd.Series:
    """A rough name for a person, good enough to see one at several addresses.

    The id number; rows without one take the number that rows of the same name and phone, or name and birth date, bear.
    """
    name = column(raw, "name")
    number = column(raw, "id_number")
    number = number.where(number.str.fullmatch(PERSON_ID).fillna(False).astype(bool))
    for other in ("phone", "birth_date"):
        key = name + "|" + column(raw, other)
        known = pd.DataFrame({"key": key, "number": number}).dropna().drop_duplicates()
        numbers = known[~known["key"].duplicated(keep=False)].set_index("key")["number"].to_dict()
        number = number.fillna(key.map(numbers).astype("str"))
    return number.fillna(name + "|" + column(raw, "phone")).fillna(name + "|" + column(raw, "birth_date"))


def _families(raw: pd.DataFrame) -> pd.Series:
    return column(raw, "household_number").fillna(column(raw, "head_id_number"))


def resolve(rows: pd.DataFrame, atlas: Atlas) -> pd.DataFrame:
    """The rows of `gather_addresses` with `head`, `gate`, `building`, `unit`, `room`, `level` made comparable.

    atlas: what names mean and estates are like; a new one learns it from these rows.
    """
    found = rows.copy()
    found["gate"] = (found["road"] + "|").str.cat(found["road_number"].fillna(found["lane"] + "弄"))
    # One division at a time: a name means nothing outside its division.
    wanted = ["area", "community", "estate", "zone", "phase", "gate", *WITNESSES, *(n for n in NEEDED if n != "head")]
    parts = [_resolve_area(part, atlas.of_area(str(area))) for area, part in found[wanted].groupby("area", sort=True)]
    if not parts:
        return found.assign(head=pd.Series(dtype="str"))
    settled = pd.concat(parts).reindex(found.index)
    return found.assign(**{name: settled[name] for name in SETTLED})


def _resolve_area(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    villages = lessons.names("villages", lambda: _villages(rows))
    written = _written(rows, set(villages))
    head = written.fillna(rows["gate"])
    head = _replaced(head, lessons.mapping("spellings", lambda: spellings(head)))
    gates = lessons.mapping("gates", lambda: written_together(rows["gate"], head.where(written.notna())))
    head = _replaced(head, gates)
    containers, same = _joins(rows, head, set(villages)) if lessons.learning else ([], {})
    head = head.mask(head.isin(lessons.names("containers", lambda: containers)))
    head = _replaced(head, lessons.mapping("joined", lambda: same))
    return settle(rows.assign(head=_zoned(rows, head, lessons)), lessons)[list(SETTLED)]


def _joins(rows: pd.DataFrame, head: pd.Series, villages: set[str]) -> tuple[list[str], dict[str, str]]:
    """Which heads contain others, and which are one, as people show."""
    evidence = pd.DataFrame(
        {"person": rows["person"], "head": head, "building": rows["building"], "room": rows["room"]}
    )
    containers, pairs = _without_containers(agreed_by_people(evidence), villages)
    return containers, joined(pairs, head.mask(head.isin(containers)).value_counts())


def _without_containers(pairs: pd.DataFrame, villages: set[str]) -> tuple[list[str], pd.DataFrame]:
    """A village whose people are also seen in several others contains these: its name is none of theirs, nor a bridge.

    Such an address (杨家圩村1组25号) has no head until the same person's other addresses tell it.
    """
    near = pairs[~pairs["apart"]]
    partners = pd.concat([near["one"], near["other"]]).value_counts()
    containers = [str(name) for name in partners.index[partners > 1] if name in villages]
    kept = pairs[~pairs["one"].isin(containers) & ~pairs["other"].isin(containers)]
    return containers, kept.reset_index(drop=True)


def _villages(rows: pd.DataFrame) -> set[str]:
    """The communities of the addresses as heads may be written."""
    names = rows["community"].dropna().str.replace(COMMITTEE, "", regex=True).unique()
    return {*names, *(f"{name}村" for name in names)}


def _written(rows: pd.DataFrame, villages: Collection[str]) -> pd.Series:
    """The estate's head; a village that contains others is where they lie, an estate only for its own houses."""
    written = written_heads(rows)
    named = written.isin(list(villages))
    house = rows["building"].str.contains("组", regex=False).fillna(False) | (rows["room"] == WHOLE_HOUSE)
    return written.mask(named & (rows["gate"].notna() | ~house))


def written_heads(rows: pd.DataFrame) -> pd.Series:
    """The head that each address's own estate, zone and phase make."""
    parts = [rows["estate"], rows["zone"].fillna(""), rows["phase"].fillna("")]
    cases = pd.concat(parts, axis=1).dropna().drop_duplicates()
    heads = {case: estate_head(*case) for case in cases.itertuples(index=False, name=None)}
    keys = zip(*(part.fillna("").tolist() for part in parts), strict=True)
    return pd.Series([heads.get(key) for key in keys], index=rows.index, dtype="str")


def _replaced(heads: pd.Series, by: dict[str, str]) -> pd.Series:
    return heads.map(by).astype("str").fillna(heads) if by else heads


def _zoned(rows: pd.DataFrame, heads: pd.Series, lessons: Lessons) -> pd.Series:
    """A name without its zone or phase, or none at all: what the same person shows at that building and room."""
    bases = {name: base_of(name) for name in heads.dropna().unique()}
    bare = heads.isin(lessons.names("bare", lambda: {base for name, base in bases.items() if base != name}))
    room = rows["person"] + "\x1f" + rows["building"] + "\x1f" + rows["room"]
    within = room + "\x1f" + heads.map(bases).astype("str")
    told = only_value(within, heads.mask(bare)).where(bare)
    placed = rows["community"].notna() | rows["estate"].notna()
    nowhere = only_value(room, heads).where(heads.isna() & placed)
    return told.fillna(heads).fillna(nowhere)


def estate_heads(records: Records, rows: pd.DataFrame, atlas: Atlas) -> pd.DataFrame:
    """What addresses say for the name of each listed estate, by `rid` of the place records of kind estate.

    rows: as `resolve` gives them. Columns `read`, the head the name itself makes, and `head`, the one it stands for: two
    names that people use for one estate are read apart and have one head. Missing where no address bears the name.
    """
    raw = records.frame("place")
    raw = raw[column(raw, "kind") == "estate"]
    listed = parse_addresses(column(raw, "name"), records.division(raw).str[:6].fillna(""))[list(HEAD_PARTS)].fillna("")
    listed["area"] = records.division(raw).str[:6].fillna("")
    said = rows[rows["estate"].notna() & rows["head"].notna()]
    heads = pd.Series(pd.NA, index=raw.index, dtype="str")
    for area, part in said.groupby("area", sort=True):
        here = listed["area"] == area
        meant = atlas.of_area(str(area)).mapping("named", lambda part=part: _most(part))  # type: ignore[misc]
        heads[here] = key_of(listed[here], *HEAD_PARTS).map(meant).astype("str")
    names = zip(*(listed[name] for name in HEAD_PARTS), strict=True)
    read = [estate_head(estate, zone, phase) if estate else None for estate, zone, phase in names]
    return pd.DataFrame({"read": pd.Series(read, dtype="str"), "head": heads.array}).set_axis(raw["rid"].to_numpy())


def _most(rows: pd.DataFrame) -> dict[str, str]:
    """The head that most addresses of each written name have."""
    counted = pd.DataFrame({"name": key_of(rows, *HEAD_PARTS), "head": rows["head"]}).value_counts().reset_index()
    ranked = counted.sort_values(["count", "name", "head"], ascending=[False, True, True]).drop_duplicates("name")
    return dict(zip(ranked["name"], ranked["head"], strict=True))
