"""What an address leaves open, told by what others show of the same building: second readings, units, whole houses.

3-501 is building 3 where the estate shows buildings, unit 3 where it shows units alone; a missing unit is the only one
the building shows, else the one that the same person, family or phone shows at that room; what stays open is OPEN.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from matching.address_tail import WHOLE_HOUSE

OPEN = "?"  # a part that the address leaves out and nobody else tells
SETTLED = ("head", "building", "unit", "room", "level")
NEEDED = (*SETTLED, "alt_building", "alt_unit", "alt_room")
ORDINALS = {letter: str(n) for letters in ("ABCDEFGHIJKLMN", "甲乙丙丁戊己庚辛") for n, letter in enumerate(letters, 1)}
AGREEING_PERSONS = 2  # who must show an estate's lettered building under its number
AGREEMENT = 0.6  # of those who show a lettered and a numbered building at one room
WITNESSES = ("person", "family", "phone")  # who may tell what another address of theirs left out, surest first


def settle(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of one area with `building`, `unit`, `room`, `level` settled. Needs `head`, the parts and WITNESSES."""
    rows = _settle_building_or_unit(_settle_letters(rows.copy()))
    rows = _settle_short_room(rows)
    rows = _settle_floor(rows)
    rows = _settle_houses(rows)
    rows = _missing_building(rows)
    rows["unit"] = _units(rows)
    return rows


def _key(rows: pd.DataFrame, *names: str) -> pd.Series:
    key = rows[names[0]].fillna("")
    for name in names[1:]:
        key = key + "\x1f" + rows[name].fillna("")
    return key


def _shown(keys: pd.Series, where: pd.Series, asked: pd.Series | None = None) -> pd.Series:
    """Whether a row's key (or what it asks for) is the key of any row of `where`."""
    codes, _ = pd.factorize(pd.concat([keys, keys if asked is None else asked]).to_numpy(dtype=object))
    flags = np.zeros(codes.max(initial=0) + 1, dtype=bool)
    flags[codes[: len(keys)][where.to_numpy(dtype=bool)]] = True
    return pd.Series(flags[codes[len(keys) :]], index=keys.index)


def _settle_letters(rows: pd.DataFrame) -> pd.DataFrame:
    """A座 is building 1 where the estate's people show it so: seen at A座 and at 1栋 with the same room."""
    place = rows["building"].map(ORDINALS).astype("str")
    seen = rows[["head", "person", "room", "building"]].assign(place=place).dropna(subset=["head", "person", "room"])
    seen = seen.drop_duplicates()
    lettered, numbered = seen[seen["place"].notna()], seen[seen["place"].isna() & seen["building"].notna()]
    both = lettered.merge(numbered, on=["head", "person", "room"], suffixes=("", "_to"))
    if both.empty:
        return rows
    both["agrees"] = both["place"] == both["building_to"]
    persons = both.groupby(["head", "person"])["agrees"].any().groupby("head").agg(["sum", "mean"])
    heads = persons.index[(persons["sum"] >= AGREEING_PERSONS) & (persons["mean"] >= AGREEMENT)]
    rows["building"] = rows["building"].mask(rows["head"].isin(heads) & place.notna(), place)
    return rows


def _settle_building_or_unit(rows: pd.DataFrame) -> pd.DataFrame:
    """3-501: building 3 where the estate shows a building 3, unit 3 where it shows units alone."""
    two = rows["alt_unit"].notna() & (rows["alt_unit"] == rows["building"]) & rows["unit"].isna()
    if not two.any():
        return rows
    block = _shown(_key(rows, "head", "building"), ~two & rows["building"].notna())
    alone = ~two & rows["building"].isna() & rows["unit"].notna()
    as_unit = two & ~block & _shown(_key(rows, "head", "unit"), alone, _key(rows, "head", "alt_unit"))
    rows["unit"] = rows["unit"].mask(as_unit, rows["alt_unit"])
    rows["building"] = rows["building"].mask(as_unit)
    return rows


def _settle_short_room(rows: pd.DataFrame) -> pd.DataFrame:
    """3栋2: unit 2 where the building shows rooms of three digits and more."""
    short = rows["alt_unit"].notna() & (rows["alt_unit"] == rows["room"]) & rows["building"].notna()
    if not short.any():
        return rows
    long = rows["room"].str.len().ge(3) & ~short
    unit = short & _shown(_key(rows, "head", "building"), long)
    rows["unit"] = rows["unit"].mask(unit, rows["alt_unit"])
    rows["room"] = rows["room"].mask(unit)
    rows["level"] = rows["level"].mask(unit, "unit")
    return rows


def _settle_floor(rows: pd.DataFrame) -> pd.DataFrame:
    """5楼501: building 5 where the estate shows a building 5 with a number."""
    either = rows["alt_building"].notna() & rows["building"].isna()
    if not either.any():
        return rows
    clear = ~either & rows["building"].notna()
    block = either & _shown(_key(rows, "head", "building"), clear, _key(rows, "head", "alt_building"))
    rows["building"] = rows["building"].mask(block, rows["alt_building"])
    return rows


def _settle_houses(rows: pd.DataFrame) -> pd.DataFrame:
    """18号 alone is a house where the estate never shows rooms; a house that shows rooms is no dwelling as a whole."""
    whole = rows["room"] == WHOLE_HOUSE
    roomed = rows["room"].notna() & ~whole & rows["building"].notna()
    either = rows["alt_room"].notna() & rows["room"].isna() & rows["head"].notna()
    either &= ~_shown(_key(rows, "head"), roomed)
    rows["room"] = rows["room"].mask(either, WHOLE_HOUSE)
    rows["level"] = rows["level"].mask(either, "room")
    let = whole & _shown(_key(rows, "head", "building"), roomed)
    rows["room"] = rows["room"].mask(let)
    rows["level"] = rows["level"].mask(let, "building")
    return rows


def _missing_building(rows: pd.DataFrame) -> pd.DataFrame:
    """阳光花园501: the building that the same person or family shows at that room; else no room could be read."""
    open_ = rows["building"].isna() & rows["room"].notna() & rows["head"].notna()
    open_ &= _shown(_key(rows, "head"), rows["building"].notna())
    if not open_.any():
        return rows
    told = _told(rows, rows["building"], _key(rows, "head", "room"))
    rows["building"] = rows["building"].fillna(told.where(open_))
    lost = open_ & rows["building"].isna()
    rows["level"] = rows["level"].mask(lost, "estate")
    return rows


def _units(rows: pd.DataFrame) -> pd.Series:
    """The unit; "" where the building shows none at all, OPEN where it shows several and nobody tells which."""
    building, at = _key(rows, "head", "building"), _key(rows, "head", "building", "room")
    filled = rows["unit"].fillna(only_value(building, rows["unit"]))
    filled = filled.fillna(_told(rows, filled, at))
    filled = filled.fillna(only_value(at, filled))
    shows = _shown(building, rows["unit"].notna())
    return filled.fillna(shows.map({True: OPEN, False: ""}).astype("str"))


def only_value(keys: pd.Series, values: pd.Series) -> pd.Series:
    """The one value that rows of the same key show; missing where they show none or several."""
    shown = pd.DataFrame({"key": keys, "value": values}).dropna().drop_duplicates()
    only = shown[~shown["key"].duplicated(keep=False)].set_index("key")["value"]
    return keys.map(only).astype("str")


def _told(rows: pd.DataFrame, values: pd.Series, at: pd.Series) -> pd.Series:
    """The value that another row of the same person, family or phone shows at the same key."""
    told = pd.Series(pd.NA, index=rows.index, dtype="str")
    for witness in WITNESSES:
        told = told.fillna(only_value(rows[witness] + "\x1f" + at, values))
    return told
