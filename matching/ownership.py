"""Whose number a document number is: the row's own, a relative's that was borrowed, or one that several people bear.

A valid check digit alone does not make a number the row's own. What the rows with one number say of each other decides:
the name most of them bear, their birth columns, the feeds they come from. So the judgement of a row depends on all rows
with its number, and on nothing else.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from schemas.dates import today
from schemas.name_levels import NameLevel, compare_names

Flags = npt.NDArray[np.bool_]
ADULT_YEARS = 18
LOST_DIGITS = "000"  # what a spreadsheet that keeps 15 digits writes for the last three
NEAR = (NameLevel.ONE_OFF, NameLevel.SHORTENED)  # hardly another person's name where even the number is the same


def rounded(found: pd.DataFrame) -> Flags:
    """Valid numbers that a spreadsheet may have rounded: one in eleven passes the check.

    A number that ends so by right stands in other feeds too; one that a single feed bears is not believed.
    """
    ends = found["id"].str.endswith(LOST_DIGITS).fillna(False).to_numpy(dtype=bool)
    feeds = found.loc[ends].groupby("id")["source"].nunique()
    return ends & found["id"].map(feeds).eq(1).to_numpy()


def judge(found: pd.DataFrame) -> pd.DataFrame:
    """Adds `lent`, `own`, `own_id`, `trusted` (see `matching.evidence`): which numbers are surely the row's own.

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
    silent = found["name"].isna() | found["display"] | (leader.isna() & ~contested) | np.isin(level, NEAR)
    lone = found["id"].map(found["id"].value_counts()).eq(1).to_numpy()
    lent = has & ~right & ~agrees & _borrowed(found, leader)
    said = right | (agrees & ~(lone & wrong)) | (silent.to_numpy(dtype=bool) & ~wrong & ~wrong_sex)
    own = has & said & ~lent
    trusted = own & (agrees | right) & ~wrong & ~wrong_sex
    return found.assign(lent=lent, own=own, own_id=found["id"].where(own), trusted=trusted)


def shared(found: pd.DataFrame) -> pd.Series:
    """The numbers (distinct, sorted) that are the own ones of people who cannot be one.

    Wholly other names, none of them a former one, and neither a home nor a phone in common: a number given out twice
    (重号), lent for good, or typed in for everybody. Each name is held against the most frequent one alone, so that the
    work is linear however many rows bear a number.
    """
    rows = found.loc[found["own"] & found["full"].notna(), ["id", "full", "former", "dwelling", "phone"]]
    rows = rows[rows.groupby("id")["full"].transform("nunique") > 1]
    counted = rows.groupby(["id", "full"]).size().rename("rows").reset_index()
    first = counted.sort_values(["id", "rows", "full"], ascending=[True, False, True]).drop_duplicates("id")
    leader = rows["id"].map(first.set_index("id")["full"]).astype("str")
    other = compare_names(rows["full"], leader) == NameLevel.DIFFERENT
    other &= ~_among(rows[["id", "full"]], rows[["id", "former"]]) & (rows["former"] != leader).to_numpy()
    main = (rows["full"] == leader).to_numpy()
    for common in ("dwelling", "phone"):
        other &= ~_among(rows[["id", common]], rows.loc[main, ["id", common]])
    return pd.Series(rows.loc[other, "id"].unique(), dtype="str").sort_values(ignore_index=True)


def _among(rows: pd.DataFrame, others: pd.DataFrame) -> Flags:
    """Which rows (two columns) stand, wholly known, among the others."""
    known = rows.notna().all(axis=1).to_numpy()
    listed = pd.MultiIndex.from_arrays([others.iloc[:, 0], others.iloc[:, 1]])
    return known & np.asarray(pd.MultiIndex.from_frame(rows).isin(listed))


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
