"""Codes that another hub issued and its package names: taken over where a new code would be issued, else told apart.

A record says the code in `registry_code`. A group that bears no code yet takes the code most of its records say, when it
is of its type, of another hub's serials, and borne by nobody here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from onegrid.frames import read_frame
from registry.groups import Groups
from registry.origins import Integers
from schemas.codes import LETTERS, serials_of
from schemas.records import Records, column

PROPERTY = "registry_code"
_BORNE = """
    SELECT e.code AS said, coalesce(e.merged_into, e.code) AS code, m.record FROM entity e
    JOIN LATERAL (
        SELECT min(record) AS record FROM membership WHERE code = coalesce(e.merged_into, e.code) AND known_to IS NULL
    ) m ON m.record IS NOT NULL
    WHERE e.type = 'person' AND e.code = ANY(%(codes)s)"""


def said_codes(groups: Groups, records: Records) -> pd.DataFrame:
    """`group`, `code`: what each record says of a group of its own type and, where it names one, its own kind."""
    parts = []
    for name in LETTERS:
        frame = records.frame(name)
        if PROPERTY not in frame.columns:
            continue
        told = frame.loc[frame[PROPERTY].notna(), ["rid", PROPERTY]].assign(said=column(frame, "kind"))
        lines = groups.members[groups.members["sort"].isin(groups.sorts_of(name))].merge(told, on="rid")
        kind = groups.table["kind"].take(lines["group"].to_numpy()).reset_index(drop=True)
        fits = (kind == "").to_numpy(bool) | (kind == lines["said"]).fillna(False).to_numpy(bool)
        parts.append(lines.loc[fits, ["group", PROPERTY]].rename(columns={PROPERTY: "code"}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"group": [], "code": []})


def claims(said: pd.DataFrame, groups: Groups, free: Integers, serials: Integers, own: range) -> pd.Series:
    """The code that each of the groups `free` takes over, by group. serials: those borne here; own: this hub's block."""
    found = said[said["group"].isin(free)]
    if found.empty:
        return pd.Series(dtype="str", index=pd.Index([], dtype="int64"))
    serial = serials_of(found["code"])
    letter = groups.table["type"].take(found["group"].to_numpy(np.int64)).map(LETTERS).to_numpy()
    foreign = ~serial.between(own.start, own.stop - 1) & ~serial.isin(serials)
    found = found[(foreign & (found["code"].str.slice(0, 1) == letter)).to_numpy(bool)]
    votes = found.groupby(["group", "code"]).size().rename("votes").reset_index()
    votes = votes.sort_values(["votes", "code", "group"], ascending=[False, True, True]).drop_duplicates("group")
    votes = votes[~serials_of(votes["code"]).duplicated().to_numpy(bool)]
    return votes.set_index("group")["code"]


def claimed_pairs(connection: Connection, records: Records) -> pd.DataFrame:
    """Persons that a record names by a code of ours: `rid_a`, `rid_b` (a standing record of that code), `verdict` same.

    A record with another document number than that one is not bound to it: matching decides.
    """
    people = records.frame("person")
    said = column(people, PROPERTY).dropna()
    none = pd.DataFrame(
        {"rid_a": np.empty(0, np.int64), "rid_b": np.empty(0, np.int64), "verdict": pd.Series(dtype="str")}
    )
    if said.empty:
        return none
    borne = read_frame(connection, _BORNE, {"codes": said.unique().tolist()})
    rows = pd.DataFrame(
        {"rid": people["rid"].reindex(said.index), "said": said, "id": column(people, "id_number")[said.index]}
    )
    pairs = rows.merge(borne, on="said").rename(columns={"record": "other"})
    known = people.assign(id_other=column(people, "id_number"))[["rid", "id_other"]].rename(columns={"rid": "other"})
    pairs = pairs.merge(known, on="other")
    apart = pairs["id"].notna() & pairs["id_other"].notna() & (pairs["id"] != pairs["id_other"])
    pairs = pairs[(pairs["rid"] != pairs["other"]) & ~apart]
    low, high = pairs[["rid", "other"]].min(axis=1), pairs[["rid", "other"]].max(axis=1)
    found = pd.DataFrame({"rid_a": low.to_numpy(np.int64), "rid_b": high.to_numpy(np.int64), "verdict": "same"})
    return pd.concat([none, found.drop_duplicates()], ignore_index=True) if len(found) else none
