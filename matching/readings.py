"""What an address leaves open, told by what others show of the same building: second readings, units, whole houses.

3-501 is building 3 where the estate shows buildings, unit 3 where it shows units alone; a missing unit is the only one
the building shows, else the one that the same person, family or phone shows at that room; what stays open is OPEN.
"""

from __future__ import annotations

import pandas as pd

from matching.address_tail import WHOLE_HOUSE
from matching.atlas import Lessons, single

OPEN = "?"  # a part that the address leaves out and nobody else tells
SETTLED = ("head", "building", "unit", "room", "level")
NEEDED = (*SETTLED, "alt_building", "alt_unit", "alt_room")
ORDINALS = {letter: str(n) for letters in ("ABCDEFGHIJKLMN", "甲乙丙丁戊己庚辛") for n, letter in enumerate(letters, 1)}
AGREEING_PERSONS = 2  # who must show an estate's lettered building under its number
AGREEMENT = 0.6  # of those who show a lettered and a numbered building at one room
WITNESSES = ("person", "family", "phone")  # who may tell what another address of theirs left out, surest first


def settle(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """The rows of one area with `building`, `unit`, `room`, `level` settled. Needs `head`, the parts and WITNESSES."""
    rows = _settle_building_or_unit(_settle_letters(rows.copy(), lessons), lessons)
    rows = _settle_short_room(rows, lessons)
    rows = _settle_floor(rows, lessons)
    rows = _settle_houses(rows, lessons)
    rows = _missing_building(rows, lessons)
    rows["unit"] = _units(rows, lessons)
    return rows


def key_of(rows: pd.DataFrame, *names: str) -> pd.Series:
    """Several columns as one text, missing parts left empty."""
    key = rows[names[0]].fillna("")
    for name in names[1:]:
        key = key + "\x1f" + rows[name].fillna("")
    return key


def _settle_letters(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """A座 is building 1 where the estate's people show it so: seen at A座 and at 1栋 with the same room."""
    place = rows["building"].map(ORDINALS).astype("str")
    heads = lessons.names("lettered", lambda: _lettered(rows, place))
    rows["building"] = rows["building"].mask(rows["head"].isin(heads) & place.notna(), place)
    return rows


def _lettered(rows: pd.DataFrame, place: pd.Series) -> list[str]:
    """The heads whose lettered buildings are numbered ones. place: the number each letter may stand for."""
    seen = rows[["head", "person", "room", "building"]].assign(place=place).dropna(subset=["head", "person", "room"])
    seen = seen.drop_duplicates()
    lettered, numbered = seen[seen["place"].notna()], seen[seen["place"].isna() & seen["building"].notna()]
    both = lettered.merge(numbered, on=["head", "person", "room"], suffixes=("", "_to"))
    both["agrees"] = both["place"] == both["building_to"]
    persons = both.groupby(["head", "person"])["agrees"].any().groupby("head").agg(["sum", "mean"])
    return persons.index[(persons["sum"] >= AGREEING_PERSONS) & (persons["mean"] >= AGREEMENT)].tolist()


def _settle_building_or_unit(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """3-501: building 3 where the estate shows a building 3, unit 3 where it shows units alone."""
    two = rows["alt_unit"].notna() & (rows["alt_unit"] == rows["building"]) & rows["unit"].isna()
    block = lessons.shown("buildings", key_of(rows, "head", "building"), ~two & rows["building"].notna())
    alone = ~two & rows["building"].isna() & rows["unit"].notna()
    units = lessons.shown("units_alone", key_of(rows, "head", "unit"), alone, key_of(rows, "head", "alt_unit"))
    as_unit = two & ~block & units
    rows["unit"] = rows["unit"].mask(as_unit, rows["alt_unit"])
    rows["building"] = rows["building"].mask(as_unit)
    return rows


def _settle_short_room(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """3栋2: unit 2 where the building shows rooms of three digits and more."""
    short = rows["alt_unit"].notna() & (rows["alt_unit"] == rows["room"]) & rows["building"].notna()
    long = rows["room"].str.len().ge(3) & ~short
    unit = short & lessons.shown("long_rooms", key_of(rows, "head", "building"), long)
    rows["unit"] = rows["unit"].mask(unit, rows["alt_unit"])
    rows["room"] = rows["room"].mask(unit)
    rows["level"] = rows["level"].mask(unit, "unit")
    return rows


def _settle_floor(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """5楼501: building 5 where the estate shows a building 5 with a number."""
    either = rows["alt_building"].notna() & rows["building"].isna()
    clear = ~either & rows["building"].notna()
    keys, asked = key_of(rows, "head", "building"), key_of(rows, "head", "alt_building")
    block = either & lessons.shown("numbered_buildings", keys, clear, asked)
    rows["building"] = rows["building"].mask(block, rows["alt_building"])
    return rows


def _settle_houses(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """18号 alone is a house where the estate never shows rooms; a house that shows rooms is no dwelling as a whole."""
    whole = rows["room"] == WHOLE_HOUSE
    roomed = rows["room"].notna() & ~whole & rows["building"].notna()
    either = rows["alt_room"].notna() & rows["room"].isna() & rows["head"].notna()
    either &= ~lessons.shown("roomed", key_of(rows, "head"), roomed)
    rows["room"] = rows["room"].mask(either, WHOLE_HOUSE)
    rows["level"] = rows["level"].mask(either, "room")
    let = whole & lessons.shown("roomed_buildings", key_of(rows, "head", "building"), roomed)
    rows["room"] = rows["room"].mask(let)
    rows["level"] = rows["level"].mask(let, "building")
    return rows


def _missing_building(rows: pd.DataFrame, lessons: Lessons) -> pd.DataFrame:
    """阳光花园501: the building that the same person or family shows at that room; else no room could be read."""
    open_ = rows["building"].isna() & rows["room"].notna() & rows["head"].notna()
    open_ &= lessons.shown("with_buildings", key_of(rows, "head"), rows["building"].notna())
    if not open_.any():
        return rows
    told = _told(rows, rows["building"], key_of(rows, "head", "room"))
    rows["building"] = rows["building"].fillna(told.where(open_))
    lost = open_ & rows["building"].isna()
    rows["level"] = rows["level"].mask(lost, "estate")
    return rows


def _units(rows: pd.DataFrame, lessons: Lessons) -> pd.Series:
    """The unit; "" where the building shows none at all, OPEN where it shows several and nobody tells which."""
    building, at = key_of(rows, "head", "building"), key_of(rows, "head", "building", "room")
    filled = rows["unit"].fillna(lessons.only("only_units", building, rows["unit"]))
    filled = filled.fillna(_told(rows, filled, at))
    filled = filled.fillna(only_value(at, filled))
    shows = lessons.shown("with_units", building, rows["unit"].notna())
    return filled.fillna(shows.map({True: OPEN, False: ""}).astype("str"))


def only_value(keys: pd.Series, values: pd.Series) -> pd.Series:
    """The one value that rows of the same key show; missing where they show none or several."""
    return keys.map(single(keys, values)).astype("str")


def _told(rows: pd.DataFrame, values: pd.Series, at: pd.Series) -> pd.Series:
    """The value that another row of the same person, family or phone shows at the same key."""
    told = pd.Series(pd.NA, index=rows.index, dtype="str")
    for witness in WITNESSES:
        told = told.fillna(only_value(rows[witness] + "\x1f" + at, values))
    return told
