"""What a person's record says, made ready for keys and comparisons: one row a record, every value folded once.

Columns beside the properties themselves: `id` (a valid document number), `own` (the number is surely this row's),
`trusted` (it may also hold two people apart), `id_mask` (a damaged number, `?` for what is not known of it) and
`id_head`, `id_tail`, `id_key` (parts of whole and damaged numbers that could meet), `surname`, `given`, `sound`,
`decade` (of birth), `own_head` (the head's number on the head's own row), and the places the address means: `dwelling`,
`building`, `estate`, `community`, with `unit` and `room`; `registered`: the dwelling the registered address means;
`beside_dwelling`, `beside_building`, `beside_estate`: those of the person whose row names this one too.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.identifiers import FULL, UNKNOWN, damaged
from schemas.dates import today
from schemas.identifiers import recognise
from schemas.name_levels import NameLevel, compare_names
from schemas.names import fold_names, name_features
from schemas.records import WITHHELD, Records, column

Flags = npt.NDArray[np.bool_]
HEAD_ROLES = ("01", "02")  # GB/T 4761-2008: 本人, 户主
PLACE_COLUMNS = ("dwelling", "building", "estate", "community", "unit", "room")
BESIDE = ("dwelling", "building", "estate")
NOT_PERSONAL = ("uscc", "registration_number", "component", "plate", "unknown")
FEWEST_DIGITS = 4  # different digits of a number that is one: 111111..., 123123... are placeholders
CALLS = "小老阿"  # what is put before one character of a name to call somebody; none is a usual surname
LONG_NAME = 4
ADULT_YEARS = 18
PLAIN = ("phone", "ethnicity", "household_number", "employer", "updated_at")


class Homes(Protocol):
    """The part of matched places that people need: what each person's address and registered address mean, by `rid`."""

    @property
    def homes(self) -> pd.DataFrame: ...

    @property
    def registered(self) -> pd.DataFrame: ...


def gather(records: Records, places: Homes) -> pd.DataFrame:
    """The evidence of every person record, sorted by `rid` and numbered from 0, so that row order cannot matter."""
    raw = records.frame("person").sort_values("rid", ignore_index=True)
    found = raw[["rid", "source", "role"]].copy()
    found["rank"] = (
        raw["source"].map({name: feed.rank for name, feed in records.feeds.items()}).fillna(9).astype("int64")
    )
    for name in PLAIN:
        found[name] = column(raw, name)
    found["sex_column"] = column(raw, "sex").where(lambda sex: sex.isin(["male", "female"]))
    found["feed"] = (found["source"] + ":" + found["role"].fillna("")).astype("str")
    found["birth_column"] = column(raw, "birth_date")
    found["relation"] = column(raw, "relation_to_head")
    head = recognise(column(raw, "head_id_number"))
    found["head_id"] = head["normal"].where(head["valid"])
    found["own_head"] = found["head_id"].where(found["relation"].isin(HEAD_ROLES))
    masked = column(raw, "phone" + WITHHELD)
    found["phone_mask"] = masked.where(masked.str.contains("*", regex=False, na=False))
    some = found["phone"].fillna(found["phone_mask"]).str.replace("*", "?", regex=False)
    found["phone_key"] = _known(some.str[:3] + some.str[-4:])
    found = pd.concat([found, _names(raw), _numbers(raw)], axis=1)
    default = found["birth_column"].str.endswith("-01-01").fillna(False) & (found["birth_column"] != found["id_birth"])
    found["birth_column"] = found["birth_column"].mask(default.astype(bool), found["birth_column"].str[:4])
    found = _judge_ids(found)
    found["birth"] = found["birth_column"].fillna(found["id_birth"].where(found["own"]))
    found["sex"] = found["sex_column"].fillna(found["id_sex"].where(found["own"]))
    nameless = found["full"].isna() & found["open_surname"].isna()
    found["decade"] = found["birth"].str[:3]
    homes = _places(found["rid"], places.homes, PLACE_COLUMNS)
    book = _places(found["rid"], places.registered, ("dwelling",)).rename(columns={"dwelling": "registered"})
    alone = homes["dwelling"].where(nameless).rename("nameless_at")
    return pd.concat([found, homes, book, alone, _beside(raw, homes)], axis=1)


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


def _judge_ids(found: pd.DataFrame) -> pd.DataFrame:
    """Which valid numbers are surely the row's own, which may hold people apart, and which are plainly borrowed.

    A number is the row's own when the row's birth column says so, or when its name agrees with the one most rows with
    this number bear, or when nothing real is there to disagree. A birth column that says otherwise takes the trust, but
    not the name's word, away. A child called by its parent (李四之子), and a dependant with the head's number, borrow.
    """
    has = found["id"].notna().to_numpy()
    right, wrong = _birth_words(found)
    sexes = found["sex_column"].notna() & found["id_sex"].notna()
    wrong_sex = (sexes & (found["sex_column"] != found["id_sex"])).to_numpy(dtype=bool)
    leader, contested = _leaders(found, 1.0 + 2.0 * right - 0.9 * wrong - 0.05 * found["rank"].to_numpy())
    level = compare_names(found["name"], leader)
    agrees = np.isin(level, (NameLevel.EXACT, NameLevel.WILDCARD, NameLevel.SAME_SOUND)) | _short_for(found, leader)
    silent = found["name"].isna() | found["display"] | (leader.isna() & ~contested) | (level == NameLevel.SHORTENED)
    lone = found["id"].map(found["id"].value_counts()).eq(1).to_numpy()
    found["lent"] = has & ~right & ~agrees & _borrowed(found, leader)
    said = right | (agrees & ~(lone & wrong)) | (silent.to_numpy(dtype=bool) & ~wrong & ~wrong_sex)
    found["own"] = has & said & ~found["lent"].to_numpy(dtype=bool)
    found["own_id"] = found["id"].where(found["own"])
    found["trusted"] = found["own"] & (agrees | right) & ~wrong & ~wrong_sex
    return found


def _birth_words(found: pd.DataFrame) -> tuple[Flags, Flags]:
    """Where the row's birth column says that the number is right (to the day), and where that it is wrong."""
    told = (found["birth_column"].notna() & found["id_birth"].notna()).to_numpy()
    fits = np.zeros(len(found), dtype=bool)
    sides = zip(found["id_birth"][told], found["birth_column"][told], strict=True)
    fits[told] = np.array([number.startswith(said) for number, said in sides], dtype=bool)
    whole = found["birth_column"].str.len().eq(len("2000-01-01")).to_numpy(dtype=bool)
    return fits & whole, told & ~fits


def _leaders(found: pd.DataFrame, votes: npt.NDArray[np.float64]) -> tuple[pd.Series, pd.Series]:
    """The whole name most rows with the row's number bear, and where two names are even."""
    tally = pd.DataFrame({"id": found["id"], "name": found["full"], "votes": votes}).dropna()
    counted = tally.groupby(["id", "name"], sort=True)["votes"].sum().reset_index()
    ranked = counted.sort_values(["id", "votes"], ascending=[True, False], kind="stable")
    first = ranked.drop_duplicates("id").set_index("id")
    second = ranked[ranked.duplicated("id")].drop_duplicates("id").set_index("id")["votes"]
    clear = first["votes"] > second.reindex(first.index).fillna(0.0)
    leader = found["id"].map(first["name"].where(clear)).astype("str")
    return leader, found["id"].isin(first.index[~clear])


def _short_for(found: pd.DataFrame, name: pd.Series) -> Flags:
    """Where the row calls its person 小梅, 阿敏 and the given name has that character."""
    sides = zip(found["nick"].fillna(""), name.fillna(""), strict=True)
    return np.array([nick != "" and nick in whole[1:] for nick, whole in sides], dtype=bool)


def _borrowed(found: pd.DataFrame, leader: pd.Series) -> Flags:
    """Numbers of a grown person whose relative the row is, and the head's number on a dependant's row."""
    youngest = f"{today().year - ADULT_YEARS}"
    named = compare_names(found["pointer"], leader)
    parent = (named >= 0) & (named <= NameLevel.SHORTENED) & (found["id_birth"].fillna("9999") < youngest).to_numpy()
    dependant = found["relation"].notna() & found["own_head"].isna()
    return np.asarray(parent | ((found["id"] == found["head_id"]) & dependant).to_numpy(dtype=bool))
