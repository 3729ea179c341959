"""Dwellings: which addresses mean the same home. Heads are resolved first, then phase, building, unit and room, exactly.

What an address leaves out is filled from what others show: the only phase or unit a building has, else what the same
person's other addresses say; what stays open stays its own dwelling. Nothing is guessed from a number that differs.
"""

from __future__ import annotations

import pandas as pd

from matching.addresses import parse_addresses
from matching.gazetteer import agreed_by_people, fold_estate, joined, spellings, written_together
from schemas.records import Records, column

TYPED = (
    ("person", "address"),
    ("person", "registered_address"),
    ("place", "address"),
    ("organization", "address"),
    ("event", "address"),
    ("thing", "address"),
)
OPEN = "?"  # a part that the address leaves out and nobody else tells
COMMITTEE = r"(?:民委员会|居民委员会|委会|居委会)$"
PERSON_ID = r"[0-9]{17}[0-9X]"


def gather_addresses(records: Records) -> pd.DataFrame:
    """Every address of every record: `rid`, `type`, `property`, `area` (6-digit division), `person`, and its parts."""
    frames = []
    for kind, name in TYPED:
        raw = records.frame(kind)
        if name not in raw.columns:
            continue
        found = pd.DataFrame({"rid": raw["rid"], "type": kind, "property": name, "address": column(raw, name)})
        found["area"] = records.division(raw).str[:6]
        found["person"] = _person_key(raw) if kind == "person" else pd.Series(pd.NA, index=raw.index, dtype="str")
        frames.append(found[found["address"].notna()])
    if not frames:
        return pd.DataFrame(columns=["rid", "type", "property", "address", "area", "person"])
    rows = pd.concat(frames, ignore_index=True)
    return _rooms_of_houses(pd.concat([rows, parse_addresses(rows["address"])], axis=1))


def _rooms_of_houses(rows: pd.DataFrame) -> pd.DataFrame:
    """村X组Y号 is a house, and a dwelling when nothing follows; with a room behind (Y号-102) the room is the dwelling."""
    inside = (
        rows["detail"].str.extract(r"^#?([0-9]{1,4}[A-Z]?)(?:室|户|房)?$")[0]
        if "detail" in rows.columns
        else pd.Series(pd.NA, index=rows.index)
    )
    housed = inside.notna() & rows["building"].str.endswith("组").fillna(False) & rows["room"].notna()
    house = rows["building"] + rows["room"] + "号"
    return rows.assign(building=rows["building"].mask(housed, house), room=rows["room"].mask(housed, inside))


def _person_key(raw: pd.DataFrame) -> pd.Series:
    """A rough name for a person, good enough to see one at several addresses: the id number, else name with phone."""
    number, name, phone = column(raw, "id_number"), column(raw, "name"), column(raw, "phone")
    number = number.where(number.str.fullmatch(PERSON_ID).fillna(False))
    return number.fillna(name + "|" + phone)


def resolve(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of `gather_addresses` with `head`, `phase`, `building`, `unit`, `room` made comparable (OPEN where unknown)."""
    found = rows.copy()
    written = found["estate"].map(fold_estate, na_action="ignore")
    gate = (found["road"] + "|").str.cat(found["road_number"].fillna(found["lane"] + "弄"))
    found["gate"], found["written"] = gate, written
    # One division at a time: a name means nothing outside its division.
    parts = [_resolve_area(part) for _, part in found.groupby("area", sort=True)]
    return pd.concat(parts).sort_index() if parts else found.assign(head=pd.Series(dtype="str"))


def _resolve_area(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.copy()
    # A village's name before a road is where the road lies, not an estate.
    villages = rows["community"].dropna().str.replace(COMMITTEE, "", regex=True).unique()
    rows["written"] = rows["written"].mask(rows["gate"].notna() & rows["written"].isin(villages))
    head = rows["written"].fillna(rows["gate"])
    head = head.replace(spellings(head))
    head = head.replace(written_together(rows["gate"], head.where(rows["written"].notna())))
    evidence = pd.DataFrame(
        {"person": rows["person"], "head": head, "building": rows["building"].fillna(""), "room": rows["room"]}
    )
    head = head.replace(joined(agreed_by_people(evidence), head.value_counts()))
    rows["head"] = head
    rows = _settle_two(rows)
    rows["phase"] = _fill(rows, ["head", "building"], "phase", with_none=True)
    rows["unit"] = _fill(rows, ["head", "phase", "building"], "unit", with_none=False)
    return rows


def _settle_two(rows: pd.DataFrame) -> pd.DataFrame:
    """3-501: building 3 where the estate shows a building 3, unit 3 of the only building where it shows units alone."""
    two = rows["alt_unit"].notna()
    if not two.any():
        return rows
    clear = rows[~two]
    blocks = set(zip(clear["head"], clear["building"], strict=True))
    units = set(
        zip(clear.loc[clear["building"].isna(), "head"], clear.loc[clear["building"].isna(), "unit"], strict=True)
    )
    here = rows[two]
    as_unit = [
        (head, block) not in blocks and (head, block) in units
        for head, block in zip(here["head"], here["building"], strict=True)
    ]
    chosen = here.index[as_unit]
    rows.loc[chosen, "unit"] = rows.loc[chosen, "alt_unit"]
    rows.loc[chosen, "building"] = pd.NA
    return rows


def _keyed(rows: pd.DataFrame, names: list[str]) -> pd.Series:
    key = rows[names[0]].fillna("")
    for name in names[1:]:
        key = key + "\x1f" + rows[name].fillna("")
    return key


def _fill(rows: pd.DataFrame, within: list[str], part: str, *, with_none: bool) -> pd.Series:
    """A part left out: the only one its building shows, else what the same person's other rows say, else OPEN.

    with_none: a building that shows none at all has none (an estate without phases); else that is the same as OPEN.
    """
    key = _keyed(rows, within)
    room = rows["room"].fillna("")
    shown = key[rows[part].notna()].unique()
    filled = rows[part].fillna(key.map(_only(key, rows[part])).astype("str"))
    own = rows["person"] + "\x1f" + key + "\x1f" + room
    filled = filled.fillna(own.map(_only(own, rows[part])).astype("str"))
    if not with_none:
        at = key + "\x1f" + room
        filled = filled.fillna(at.map(_only(at, filled)).astype("str"))
    return filled.fillna(key.isin(shown).map({True: OPEN, False: ""}))


def _only(key: pd.Series, value: pd.Series) -> dict[str, str]:
    """The value of each key that shows exactly one."""
    pairs = pd.DataFrame({"key": key, "value": value}).dropna().drop_duplicates()
    single = pairs[~pairs.duplicated("key", keep=False)]
    return dict(zip(single["key"], single["value"], strict=True))
