"""What a person's record says, made ready for keys and comparisons: one row a record, every value folded once.

Columns beside the properties themselves: `id` (a valid document number), `own` (the number is surely this row's),
`trusted` (it may also hold two people apart), `id_mask` (a damaged number, `?` for what is not known of it) and
`id_head`, `id_tail`, `id_key` (parts of whole and damaged numbers that could meet), `surname`, `given`, `sound`,
`decade` (of birth), `own_head` (the head's number on the head's own row), and the places the address means: `dwelling`,
`building`, `estate`, `community`, with `unit` and `room`; `registered`: the dwelling the registered address means.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.identifiers import FULL, UNKNOWN, damaged
from matching.names import NameLevel, compare_names, fold_names, name_features
from schemas.identifiers import recognise
from schemas.records import WITHHELD, Records, column

Flags = npt.NDArray[np.bool_]
HEAD_ROLES = ("01", "02")  # GB/T 4761-2008: 本人, 户主
PLACE_COLUMNS = ("dwelling", "building", "estate", "community", "unit", "room")
NOT_PERSONAL = ("uscc", "registration_number", "component", "plate", "unknown")
FEWEST_DIGITS = 4  # different digits of a number that is one: 111111..., 123123... are placeholders
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
    found = _judge_ids(found)
    found["birth"] = found["birth_column"].fillna(found["id_birth"].where(found["own"]))
    found["sex"] = found["sex_column"].fillna(found["id_sex"].where(found["own"]))
    found["decade"] = found["birth"].str[:3]
    homes = _places(found["rid"], places.homes, PLACE_COLUMNS)
    book = _places(found["rid"], places.registered, ("dwelling",)).rename(columns={"dwelling": "registered"})
    return pd.concat([found, homes, book], axis=1)


def _places(rids: pd.Series, means: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """The places that addresses mean, as text beside the records; missing where none could be read."""
    aligned = means.set_index("rid").reindex(rids)
    found = {name: aligned[name] if name in aligned else pd.Series(pd.NA, index=aligned.index) for name in names}
    text = {name: values.astype("str").where(values.notna()).set_axis(rids.index) for name, values in found.items()}
    return pd.DataFrame(text)


def _names(raw: pd.DataFrame) -> pd.DataFrame:
    """`name` folded for comparison, `former`, and what keys are made of (nothing, of a name that is not whole)."""
    parts = name_features(column(raw, "name").fillna(_swapped(raw)["name"]))
    whole = (parts["kind"] == "full") & ~parts["wild"]
    return pd.DataFrame(
        {
            "name": parts["folded"],
            "former": fold_names(column(raw, "former_name")),
            "display": parts["kind"] == "display",
            "pointer": parts["pointer"],
            "full": parts["folded"].where(whole),
            "surname": parts["surname"],
            "open_surname": parts["surname"].where(~whole),
            "given": parts["given"].where(whole & (parts["given"].str.len() > 1)),
            "sound": parts["pinyin"].where(whole),
        }
    )


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
    """Which valid numbers are surely the row's own, and which may hold people apart.

    A number is the row's own when the row's birth column says so, or when its name agrees with the one most rows with
    this number bear, or when it gives no real name and nothing speaks against it. A birth column that says otherwise
    takes the trust, but not the name's word, away. A child called by its parent, and a dependant with the head's
    number, only borrow it.
    """
    has = found["id"].notna().to_numpy()
    told = (found["birth_column"].notna() & found["id_birth"].notna()).to_numpy()
    fits = np.zeros(len(found), dtype=bool)
    sides = zip(found["id_birth"][told], found["birth_column"][told], strict=True)
    fits[told] = np.array([number.startswith(said) for number, said in sides], dtype=bool)
    whole = found["birth_column"].str.len().eq(len("2000-01-01")).to_numpy(dtype=bool)
    birth_right, birth_wrong = fits & whole, told & ~fits
    sexes = found["sex_column"].notna() & found["id_sex"].notna()
    sex_wrong = (sexes & (found["sex_column"] != found["id_sex"])).to_numpy(dtype=bool)
    votes = pd.DataFrame({"id": found["id"], "name": found["full"]})
    votes["votes"] = 1.0 + 2.0 * birth_right - 0.9 * birth_wrong - 0.05 * found["rank"].to_numpy()
    tally = votes.dropna().groupby(["id", "name"], sort=True)["votes"].sum().reset_index()
    ranked = tally.sort_values(["id", "votes"], ascending=[True, False], kind="stable")
    leader = ranked.drop_duplicates("id").set_index("id")
    second = ranked[ranked.duplicated("id")].drop_duplicates("id").set_index("id")["votes"]
    clear = leader["votes"] > second.reindex(leader.index).fillna(0.0)
    level = compare_names(found["name"], found["id"].map(leader["name"].where(clear)).astype("str"))
    agrees = np.isin(level, (NameLevel.EXACT, NameLevel.WILDCARD, NameLevel.SAME_SOUND))
    silent = (
        (level < 0) & found["name"].isna().to_numpy() | found["display"].to_numpy() | (level == NameLevel.SHORTENED)
    )
    lone = found["id"].map(found["id"].value_counts()).eq(1).to_numpy()
    dependant = found["relation"].notna() & found["own_head"].isna()
    found["lent"] = found["pointer"].notna() | ((found["id"] == found["head_id"]) & dependant)
    said = birth_right | (agrees & ~(lone & birth_wrong)) | (silent & ~birth_wrong & ~sex_wrong)
    found["own"] = has & said & ~found["lent"].to_numpy(dtype=bool)
    found["own_id"] = found["id"].where(found["own"])
    found["trusted"] = found["own"] & (agrees | birth_right) & ~birth_wrong & ~sex_wrong
    return found
