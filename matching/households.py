"""Households: who lives together in a dwelling now (住户), and who stands in one hukou book (户).

The two never merge: a person registered here who lives elsewhere (人户分离) is in one of each. Residential households
are a dating problem: each person lives where the latest record that could be read to the room says; family whose
members are known to be elsewhere since then move along; who has no readable address lives with the family, else alone.
Registered households go by household number, missing or miswritten numbers mended through the head's id number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from matching.evidence import HEAD_ROLES, Homes
from schemas.records import Matched, Records, column

Integers = npt.NDArray[np.int64]
ADULT_YEARS = 18
NEVER = "0000"  # sorts before every ISO date: a row that does not say when it was changed yields to any that does
LEVEL_ORDER = {"district": 0, "street": 1, "community": 2, "grid": 3}  # the nearer to the door, the later it knew


def match_households(records: Records, places: Homes, people: pd.DataFrame) -> Matched:
    """The residential household of every person record, and the registered one of those that have one.

    people: `rid`, `cluster` of every person record. Clusters of households are named by their smallest `rid`.
    """
    rows = _rows(records, places, people)
    number = registered_numbers(rows)
    homes = current_homes(rows, number)
    residential = _residence(rows, homes, number)
    lines = [_members(rows, residential, "residential")]
    registered = rows["person"].map(number).astype("str")
    lines.append(_members(rows[registered.notna()], registered.dropna(), "registered"))
    members = pd.concat(lines, ignore_index=True)
    return Matched(members, _derived(rows, members), _relations(rows, members, homes))


def _rows(records: Records, places: Homes, people: pd.DataFrame) -> pd.DataFrame:
    """One row a person record: who it is, when and where it was seen, and what it says of its household."""
    raw = records.frame("person").sort_values("rid", ignore_index=True)
    rows = raw[["rid", "source"]].copy()
    rows["person"] = raw["rid"].map(people.set_index("rid")["cluster"]).astype("int64")
    for name in (
        "household_number",
        "relation_to_head",
        "head_id_number",
        "id_number",
        "name",
        "address",
        "birth_date",
    ):
        rows[name] = column(raw, name)
    rows["seen"] = column(raw, "updated_at").fillna(NEVER)
    rows["nearness"] = raw["source"].map({name: LEVEL_ORDER.get(feed.level, 0) for name, feed in records.feeds.items()})
    rows["rank"] = raw["source"].map({name: feed.rank for name, feed in records.feeds.items()})
    homes = places.homes.set_index("rid") if "rid" in places.homes.columns else places.homes
    rows["dwelling"] = homes["dwelling"].reindex(rows["rid"]).to_numpy()
    return rows.assign(dwelling=rows["dwelling"].astype("Int64"))


def registered_numbers(rows: pd.DataFrame) -> pd.Series:
    """The household number of each person (index `person`), or `head:<person>` where only the head is known."""
    holder = rows.dropna(subset=["id_number"]).drop_duplicates("id_number").set_index("id_number")["person"]
    said = rows.dropna(subset=["household_number"]).sort_values(["rank", "seen", "rid"], ascending=[True, False, True])
    own = said.drop_duplicates("person").set_index("person")["household_number"]
    head = rows.assign(head=rows["head_id_number"].map(holder)).dropna(subset=["head"])
    head = head.sort_values(["rank", "seen", "rid"], ascending=[True, False, True]).drop_duplicates("person")
    head_of = head.set_index("person")["head"].astype("int64")
    by_head = _majority(
        said.assign(head=said["person"].map(head_of)).dropna(subset=["head"]), "head", "household_number"
    )
    lead = head_of.map(by_head).astype("str")
    bearers = own.value_counts()
    stray = own.map(bearers).eq(1) & lead.reindex(own.index).notna()
    mended = own.where(~stray, lead.reindex(own.index))
    rest = head_of[~head_of.index.isin(mended.index)]
    named = rest.map(by_head).astype("str").fillna("head:" + rest.astype("str"))
    numbers: pd.Series = pd.concat([mended, named]).astype("str")
    return numbers


def _majority(rows: pd.DataFrame, by: str, value: str) -> pd.Series:
    """The most frequent value of each group, the smaller one where two are even."""
    counted = rows.groupby([by, value]).size().rename("count").reset_index()
    ranked = counted.sort_values([by, "count", value], ascending=[True, False, True])
    return pd.Series(ranked.drop_duplicates(by).set_index(by)[value])


def current_homes(rows: pd.DataFrame, number: pd.Series) -> pd.DataFrame:
    """Where each person lives now: index `person`; `dwelling`, `seen` (the record's date) and `rid` (the record)."""
    read = rows.dropna(subset=["dwelling"])
    latest = read.sort_values(["seen", "nearness", "rank", "rid"], ascending=[False, False, True, True])
    visits = latest.drop_duplicates(["person", "dwelling"])
    homes = latest.drop_duplicates("person").set_index("person")[["dwelling", "seen", "rid"]]
    return _with_family(homes, visits, number, _births(rows))


def _births(rows: pd.DataFrame) -> pd.Series:
    known = rows.dropna(subset=["birth_date"])
    first = known.sort_values(["rank", "rid"]).drop_duplicates("person")
    return pd.Series(first.set_index("person")["birth_date"])


def _with_family(homes: pd.DataFrame, visits: pd.DataFrame, number: pd.Series, births: pd.Series) -> pd.DataFrame:
    """Move along who was last seen with family of whom more have since been seen together elsewhere than still there.

    A grown child who leaves does not take the parents along: they are more; a child moves with its parents even where
    brothers and sisters stay behind in old rows.
    """
    pairs = _family_pairs(homes, visits, number, births)
    gone = pairs[(pairs["there"] != pairs["dwelling"]) & (pairs["when"] > pairs["seen"])]
    stay = pairs[pairs["there"] == pairs["dwelling"]].groupby("person").size()
    moved = gone.groupby(["person", "there"]).agg(votes=("kin", "size"), when=("when", "max")).reset_index()
    moved = moved.sort_values(["person", "votes", "when", "there"], ascending=[True, False, False, True])
    moved = moved.drop_duplicates("person").set_index("person")
    moved = moved[moved["votes"] > stay.reindex(moved.index).fillna(0)]
    result = homes.copy()
    result.loc[moved.index, "dwelling"] = moved["there"].astype("Int64")
    return result


def _family_pairs(homes: pd.DataFrame, visits: pd.DataFrame, number: pd.Series, births: pd.Series) -> pd.DataFrame:
    """Each `person` with each of its `kin` once seen in its dwelling, and where (`there`) and `when` the kin was last.

    Kin: of one household number; to a child only who is older (brothers and sisters do not decide where it lives).
    """
    base = homes[["dwelling", "seen"]].reset_index()
    base["number"] = base["person"].map(number).astype("str")
    once = visits[["person", "dwelling"]].rename(columns={"person": "kin"})
    pairs = base.dropna(subset=["number"]).merge(once, on="dwelling")
    pairs = pairs[(pairs["person"] != pairs["kin"]) & (pairs["number"] == pairs["kin"].map(number).astype("str"))]
    now = homes.reset_index().rename(columns={"person": "kin", "dwelling": "there", "seen": "when", "rid": "shown"})
    pairs = pairs.merge(now, on="kin")
    born, kin_born = (pairs[side].map(births).astype("str") for side in ("person", "kin"))
    child = _year(born, unknown=0) + ADULT_YEARS > _year(pairs["when"], unknown=0)
    return pairs[~child | (kin_born.fillna("9") < born.fillna("0"))]


def _year(dates: pd.Series, unknown: int) -> pd.Series:
    return pd.to_numeric(dates.str[:4], errors="coerce").fillna(unknown).astype("int64")


def _residence(rows: pd.DataFrame, homes: pd.DataFrame, number: pd.Series) -> pd.Series:
    """A key of the residential household for each row: the dwelling, else the family's, else the person alone."""
    person = rows["person"]
    home = person.map(homes["dwelling"]).astype("Int64")
    family = pd.DataFrame({"number": number, "dwelling": homes["dwelling"].reindex(number.index)}).dropna()
    with_kin = person.map(number).astype("str").map(_majority(family, "number", "dwelling"))
    home = home.fillna(with_kin.astype("Int64"))
    apart = "person:" + person.map(number).astype("str").fillna(person.astype("str"))
    return home.astype("str").where(home.notna(), apart)


def _members(rows: pd.DataFrame, key: pd.Series, kind: str) -> pd.DataFrame:
    cluster = rows["rid"].groupby(key.to_numpy()).transform("min")
    how = "number" if kind == "registered" else "address"
    told = key.astype("str").str.contains(":", regex=False)
    frame = {"rid": rows["rid"], "type": "household", "kind": kind, "cluster": cluster}
    return pd.DataFrame({**frame, "how": np.where(told, "kin", how), "weight": np.nan})


def _derived(rows: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Number, head's name, address and size of each household, with a record that shows each."""
    known = members.merge(rows, on="rid").sort_values(["rank", "rid"])
    head = known[known["relation_to_head"].isin(HEAD_ROLES)]
    book = known["kind"] == "registered"
    latest = known[~book & known["dwelling"].notna()].sort_values(["seen", "rid"], ascending=[False, True])
    parts = [
        _shown(known[book], "household_number", "household_number"),
        _shown(head, "head_name", "name"),
        _shown(known[book], "address", "address"),
        _shown(latest, "address", "address"),
    ]
    people = known.groupby(["kind", "cluster"])["person"].nunique().rename("size").reset_index()
    people["rid"] = people["cluster"]
    parts.append(_shown(people.astype({"size": "str"}), "size", "size"))
    return pd.concat(parts, ignore_index=True)


def _shown(rows: pd.DataFrame, name: str, source: str) -> pd.DataFrame:
    first = rows.dropna(subset=[source]).drop_duplicates(["kind", "cluster"])
    frame = {"type": "household", "kind": first["kind"], "cluster": first["cluster"], "property": name}
    return pd.DataFrame({**frame, "value": first[source], "rid": first["rid"]})


def _relations(rows: pd.DataFrame, members: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """member_of and head_of a household, the household's dwelling and the person's."""
    known = members.merge(rows[["rid", "person", "relation_to_head"]], on="rid").sort_values("rid")
    one = known.drop_duplicates(["person", "kind", "cluster"])
    shown = one["person"].map(homes["rid"]).where(one["kind"] == "residential")  # it dates the move
    one = one.assign(rid=shown.fillna(one["rid"]).astype("int64"))
    lead = known[(known["kind"] == "registered") & known["relation_to_head"].isin(HEAD_ROLES)]
    lead = lead.drop_duplicates(["kind", "cluster"])
    lives = homes.dropna(subset=["dwelling"]).reset_index()
    where = one[one["kind"] == "residential"].merge(lives[["person", "dwelling"]], on="person")
    where = where.drop_duplicates("cluster")
    person, dwelling = ("person", ""), ("place", "dwelling")
    return pd.concat(
        [
            _relation(person, one["person"], "member_of", ("household", one["kind"]), one["cluster"], one["rid"]),
            _relation(person, lead["person"], "head_of", ("household", lead["kind"]), lead["cluster"], lead["rid"]),
            _relation(
                ("household", "residential"), where["cluster"], "located_in", dwelling, where["dwelling"], where["rid"]
            ),
            _relation(person, lives["person"], "lives_at", dwelling, lives["dwelling"], lives["rid"]),
        ],
        ignore_index=True,
    )


def _relation(
    of: tuple[str, str],
    cluster: pd.Series,
    name: str,
    to: tuple[str, str | pd.Series],
    target: pd.Series,
    rid: pd.Series,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "type": of[0],
            "kind": of[1],
            "cluster": cluster,
            "relation": name,
            "to_type": to[0],
            "to_kind": to[1],
            "to_cluster": target.astype("int64"),
            "rid": rid,
        }
    )
