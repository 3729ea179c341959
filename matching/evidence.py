"""What a person's record says, made ready for keys and comparisons: one row a record, every value folded once.

Columns beside the properties themselves: `id` (a valid document number), `own` (the number is surely this row's),
`trusted` (it may also hold two people apart), `lent` (it is a relative's), `shared_id` (a number that several people bear,
and `id` therefore misses), `id_mask` (a damaged number, `?` for what is not known of it) and
`id_head`, `id_tail`, `id_key` (parts of whole and damaged numbers that could meet), `surname`, `given`, `sound`,
`decade` (of birth), `own_head` (the head's number on the head's own row), and the places the address means: `dwelling`,
`building`, `estate`, `community`, with `unit` and `room`; `registered`: the dwelling the registered address means;
`beside_dwelling`, `beside_building`, `beside_estate`: those of the person whose row names this one too.
"""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from matching.identifiers import FULL, UNKNOWN, damaged
from matching.model import Tables, digest
from matching.ownership import judge, rounded, shared
from schemas.identifiers import recognise
from schemas.names import fold_names, name_features
from schemas.records import WITHHELD, Records, column

HEAD_ROLES = ("01", "02")  # GB/T 4761-2008: 本人, 户主
MEN = "11 20 21 22 23 24 25 26 27 28 29 41 43 46 47 51 53 55 57 61 63 66 71 73 76 78 81 83 85 87 89 93 95"
WOMEN = "12 30 31 32 33 34 35 36 37 38 39 42 44 45 48 52 54 56 58 62 64 67 72 74 75 77 82 84 86 88 90 94 96"
SEX_OF_ROLE = dict.fromkeys(MEN.split(), "male") | dict.fromkeys(WOMEN.split(), "female")  # the same standard
EPOCHS = ("1900-01-01", "1970-01-01")  # where spreadsheets and computers begin to count: no year either
CALLED_OTHERWISE = 3  # persons whom other feeds call otherwise, before a name counts as a nickname
KEYS_OF_NAMES = ["full", "given", "sound", "surname", "open_surname"]
KEYS_OF_NUMBERS = ["id", "id_head", "id_tail", "id_key", "own_id"]
PLACE_COLUMNS = ("dwelling", "building", "estate", "community", "unit", "room")
BESIDE = ("dwelling", "building", "estate")
NOT_PERSONAL = ("uscc", "registration_number", "component", "plate", "unknown")
FEWEST_DIGITS = 4  # different digits of a number that is one: 111111..., 123123... are placeholders
CALLS = "小老阿"  # what is put before one character of a name to call somebody; none is a usual surname
LONG_NAME = 4
PLAIN = ("phone", "ethnicity", "household_number", "employer", "updated_at")


class Homes(Protocol):
    """The part of matched places that people need: what each person's address and registered address mean, by `rid`."""

    @property
    def homes(self) -> pd.DataFrame: ...

    @property
    def registered(self) -> pd.DataFrame: ...


def gather(records: Records, places: Homes, tables: Tables | None = None) -> pd.DataFrame:
    """The evidence of every person record, sorted by `rid` and numbered from 0, so that row order cannot matter.

    tables: of the model in use; what the rows show together (nicknames, numbers that several people bear) is then read
    from it, else found in the records at hand.
    """
    raw = records.frame("person").sort_values("rid", ignore_index=True)
    found = raw[["rid", "source", "role"]].copy()
    found["rank"] = (
        raw["source"].map({name: feed.rank for name, feed in records.feeds.items()}).fillna(9).astype("int64")
    )
    for name in PLAIN:
        found[name] = column(raw, name)
    found["relation"] = column(raw, "relation_to_head")
    sex = column(raw, "sex").where(lambda sex: sex.isin(["male", "female"]))
    found["sex_column"], found["sex_said"] = sex, sex.fillna(found["relation"].map(SEX_OF_ROLE)).astype("str")
    found["feed"] = (found["source"] + ":" + found["role"].fillna("")).astype("str")
    found["birth_column"] = column(raw, "birth_date")
    head = recognise(column(raw, "head_id_number"))
    found["head_id"] = head["normal"].where(head["valid"])
    found["own_head"] = found["head_id"].where(found["relation"].isin(HEAD_ROLES))
    masked = column(raw, "phone" + WITHHELD)
    found["phone_mask"] = masked.where(masked.str.contains("*", regex=False, na=False))
    some = found["phone"].fillna(found["phone_mask"]).str.replace("*", "?", regex=False)
    found["phone_key"] = _known(some.str[:3] + some.str[-4:])
    found = pd.concat([found, _names(raw), _numbers(raw)], axis=1)
    found["birth_column"] = _without_defaults(found["birth_column"], found["id_birth"])
    homes = _places(found["rid"], places.homes, PLACE_COLUMNS)
    book = _places(found["rid"], places.registered, ("dwelling",)).rename(columns={"dwelling": "registered"})
    found = pd.concat([found, homes, book, _beside(raw, homes)], axis=1)
    found = _without_nicknames(found, tables)
    found = _without_shared(judge(_without_rounded(found)), tables)
    found["birth"] = found["birth_column"].fillna(found["id_birth"].where(found["own"]))
    found["sex"] = found["sex_said"].fillna(found["id_sex"].where(found["own"]))
    found["decade"] = found["birth"].str[:3]
    nameless = found["full"].isna() & found["open_surname"].isna()
    return found.assign(nameless_at=found["dwelling"].where(nameless))


def _without_defaults(birth: pd.Series, told: pd.Series) -> pd.Series:
    """Birth dates without what a form filled in: the first of January is a year, unless the number says the same day."""
    unsure = birth.str.endswith("-01-01").fillna(False).astype(bool) & (birth != told)
    return birth.mask(unsure, birth.str[:4].where(~birth.isin(EPOCHS)))


def _without_nicknames(found: pd.DataFrame, tables: Tables | None) -> pd.DataFrame:
    """Names that people give themselves (花开富贵, 小确幸) take part as little as names in letters do."""
    known = nicknames(found) if tables is None else pd.Series(tables.nicknames, dtype="str")
    hit = found["full"].isin(known)
    found["nickname"], found["display"] = hit, found["display"] | hit
    found.loc[hit, KEYS_OF_NAMES] = pd.NA
    return found


def nicknames(found: pd.DataFrame) -> pd.Series:
    """Names that one feed alone shows, on the numbers of several persons whom other feeds call otherwise."""
    named = found.loc[found["full"].notna(), ["full", "source", "id"]].drop_duplicates()
    named = named[named.groupby("full")["source"].transform("nunique") == 1].dropna()
    bearers = named.groupby("full")["id"].transform("nunique")
    some = named[bearers >= CALLED_OTHERWISE]
    real = found.loc[found["full"].notna() & found["id"].isin(some["id"]), ["full", "source", "id"]]
    pairs = some.merge(real.drop_duplicates(), on="id", suffixes=("", "_other"))
    pairs = pairs[pairs["source"] != pairs["source_other"]]
    otherwise = pairs.groupby("full")["id"].nunique()
    return pd.Series(otherwise.index[otherwise >= CALLED_OTHERWISE], dtype="str")


def _without_rounded(found: pd.DataFrame) -> pd.DataFrame:
    lost = rounded(found)
    found["id_mask"] = found["id_mask"].mask(lost, found["id"].str[:15] + 3 * UNKNOWN)
    found.loc[lost, ["id", "id_tail", "id_key"]] = pd.NA
    return found


def _without_shared(found: pd.DataFrame, tables: Tables | None) -> pd.DataFrame:
    """A number that people bear who cannot be one tells nothing of any of them."""
    if tables is None:
        hit = found["id"].isin(shared(found))
    else:
        known = {number: digest(number) for number in found["id"].dropna().unique()} if tables.shared_ids else {}
        hit = found["id"].map(known).isin(tables.shared_ids)
    found["shared_id"] = found["id"].where(hit)
    found.loc[hit, KEYS_OF_NUMBERS] = pd.NA
    found.loc[hit, ["own", "trusted", "lent"]] = False
    return found


def _beside(raw: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Where the row's first person lives, for those the row names beside it: a landlord is known by the homes let.

    Columns `beside_dwelling`, `beside_building`, `beside_estate`; missing for the first person of a row.
    """
    row = raw["source"].astype("str") + "\x1f" + raw["key"].astype("str")
    first = raw["role"].fillna("").eq("").to_numpy(dtype=bool)
    where = homes[first].set_axis(row[first], axis=0)
    where = where[~where.index.duplicated()].reindex(row)
    found = {f"beside_{name}": where[name].set_axis(raw.index).where(~first) for name in BESIDE}
    return pd.DataFrame(found)


def _places(rids: pd.Series, means: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The places that addresses mean, as text beside the records; missing where none could be read."""
    aligned = means.set_index("rid").reindex(rids)
    found = {name: aligned[name] if name in aligned else pd.Series(pd.NA, index=aligned.index) for name in names}
    text = {name: values.astype("str").where(values.notna()).set_axis(rids.index) for name, values in found.items()}
    return pd.DataFrame(text)


def _names(raw: pd.DataFrame) -> pd.DataFrame:
    """`name` folded for comparison, `former`, and what keys are made of (nothing, of a name that is not whole)."""
    parts = name_features(column(raw, "name").fillna(_swapped(raw)["name"]))
    nick = parts["folded"].str.fullmatch(f"[{CALLS}].").fillna(False).astype(bool)
    whole = (parts["kind"] == "full") & ~parts["wild"] & ~nick
    return pd.DataFrame(
        {
            "name": parts["folded"],
            "former": fold_names(column(raw, "former_name")),
            "display": (parts["kind"] == "display") | _nicknames(parts),
            "pointer": parts["pointer"],
            "full": parts["folded"].where(whole),
            "nick": parts["folded"].str[1:].where(nick),
            "surname": parts["surname"].where(~nick),
            "open_surname": parts["surname"].where(~whole & ~nick),
            "given": parts["given"].where(whole & (parts["given"].str.len() > 1)),
            "sound": parts["pinyin"].where(whole),
        }
    )


def _nicknames(parts: pd.DataFrame) -> pd.Series:
    """Four and more characters behind a surname of one, without a dot: 夏天的风. Hardly a name anybody bears."""
    long = (parts["folded"].str.len() >= LONG_NAME) & (parts["surname"].str.len() == 1)
    return long.fillna(False).astype(bool) & ~parts["folded"].str.contains("·", regex=False, na=False) & ~parts["wild"]


def _numbers(raw: pd.DataFrame) -> pd.DataFrame:
    """The valid document number, what it says of its holder, and what is left of a damaged one."""
    said = column(raw, "id_number").fillna(_swapped(raw)["id_number"])
    told = recognise(said)
    valid = told["valid"] & ~told["kind"].isin(NOT_PERSONAL)
    number = told["normal"].where(valid)
    mask = _remains(column(raw, "id_number" + WITHHELD))
    either = number.where(told["birth_date"].notna()).fillna(mask)
    return pd.DataFrame(
        {
            "id": number,
            "id_birth": told["birth_date"].where(valid),
            "id_sex": told["sex"].where(valid),
            "id_mask": mask,
            "id_head": _known(either.str[:14]),
            "id_tail": _known(either.str[-8:]),
            "id_key": _known(either.str[:6] + either.str[-4:]),
        }
    )


def _known(part: pd.Series) -> pd.Series:
    return part.where(~part.str.contains("?", regex=False, na=True))


def _swapped(raw: pd.DataFrame) -> pd.DataFrame:
    """Name and number of the rows that bear them in each other's columns; missing for all others."""
    name, number = column(raw, "name" + WITHHELD), column(raw, "id_number" + WITHHELD)
    crossed = name.str.fullmatch(r"\d{17}[\dXx]").fillna(False) & number.str.fullmatch(r"[^\d*]{2,}").fillna(False)
    return pd.DataFrame(
        {"name": number.where(crossed.astype(bool)), "id_number": name.str.upper().where(crossed.astype(bool))}
    )


def _remains(withheld: pd.Series) -> pd.Series:
    """What is still known of withheld resident ids, `?` for the rest; missing where that is nothing of use."""
    left = damaged(withheld)
    length = withheld.str.len()
    edited = left["damage"].isin(["short", "long"]) & ((length == FULL - 1) | (length == FULL + 1))
    pattern = left["known_pattern"].fillna(withheld.where(edited))
    shown = {text: len(set(text) - {UNKNOWN}) for text in pattern.dropna().unique()}
    return pattern.where(pattern.map(shown).fillna(0) >= FEWEST_DIGITS)
