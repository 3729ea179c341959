"""The tables that say who is meant (`ask_*`), brought to what the records say: only what differs is written."""

from __future__ import annotations

from base64 import b64encode
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from registry.published import load_temporary
from schemas.codes import SERIAL_AT

SEALED_FOR = "ask_person.body"
PURPOSE = "asking"  # of the key of the tokens
MARK = "version"  # the text of the row that says which version made the others, and when
_PERSONS = f"""
    SELECT m.record AS rid, substr(m.code, {SERIAL_AT[0]}, {SERIAL_AT[1]})::bigint AS person, e.code, e.division
    FROM membership m JOIN entity e ON e.code = m.code WHERE m.type = 'person' AND m.known_to IS NULL"""
_HOMES = "SELECT record AS rid, code FROM membership WHERE type = 'place' AND kind = 'dwelling' AND known_to IS NULL"
_BEFORE = "SELECT person, digest FROM ask_person"
_FORGET = """
    WITH gone AS (DELETE FROM ask_person p USING unasked u WHERE p.person = u.person RETURNING p.person, p.tokens)
    DELETE FROM ask_key k USING (SELECT person, unnest(tokens) AS token FROM gone) g
    WHERE k.token = g.token AND k.person = g.person"""
_MARKED = "SELECT head FROM ask_head WHERE area = '' AND text = :mark"


class Kept(Protocol):
    """What is kept of the records, as `matching.doorstep` makes it: `bodies` by `rid`; `tokens`: `rid`, `token`;
    `homes`: `rid`, `dwelling`; `heads`: `area`, `text`, `head`."""

    @property
    def bodies(self) -> pd.Series: ...
    @property
    def tokens(self) -> pd.DataFrame: ...
    @property
    def homes(self) -> pd.DataFrame: ...
    @property
    def heads(self) -> pd.DataFrame: ...


def secret_of(keyring: Keyring) -> str:
    """The key of the tokens: 16 characters (96 bits)."""
    return b64encode(keyring.blind("tokens", PURPOSE)[:12]).decode()


def is_kept(connection: Connection, version: int) -> bool:
    """Whether this version of what is kept has been written."""
    return str(connection.execute(text(_MARKED), {"mark": MARK}).scalar() or "").startswith(f"{version}.")


def keep(connection: Connection, keyring: Keyring, kept: Kept, version: int, run: int) -> int:
    """Writes what is kept of all records, as the memberships now say whose they are; how many persons differed."""
    persons = read_frame(connection, _PERSONS, types={"division": "str"})
    wanted = _persons(persons, kept, secret_of(keyring), version)
    before = read_frame(connection, _BEFORE).set_index("person")["digest"]
    same = before.reindex(wanted["person"]).eq(wanted.set_index("person")["digest"]).to_numpy(dtype=bool)
    fresh = wanted[~same].reset_index(drop=True)
    gone = before.index[~before.index.isin(wanted["person"])].union(
        before.index.intersection(pd.Index(fresh["person"]))
    )
    if len(gone):
        load_temporary(connection, "unasked", "ask_person", pd.DataFrame({"person": gone.to_numpy(np.int64)}))
        connection.execute(text(_FORGET))
    sizes = [len(found) for found in fresh["tokens"]]
    flat = np.concatenate([*fresh["tokens"], np.empty(0, dtype=np.int64)])
    keys = pd.DataFrame({"token": flat, "person": np.repeat(fresh["person"].to_numpy(), sizes)})
    copy_frame(connection, "ask_key", keys.sort_values(["token", "person"]))
    arrays = pd.Series(["{" + ",".join(map(str, found.tolist())) + "}" for found in fresh["tokens"]], dtype="str")
    sealed = keyring.seal_many(fresh["body"], SEALED_FOR)
    copy_frame(connection, "ask_person", fresh.assign(tokens=arrays, body=sealed))
    _keep_places(connection, kept, f"{version}.{run}")
    return len(fresh) + len(gone)


def _persons(persons: pd.DataFrame, kept: Kept, secret: str, version: int) -> pd.DataFrame:
    """`person`, `code`, `division`, `digest`, `tokens` (arrays), `body` (JSON: its records, each once)."""
    lines = persons.assign(body=kept.bodies.reindex(persons["rid"]).array).sort_values(["person", "body"])
    lines = lines.drop_duplicates(["person", "body"])
    first = np.flatnonzero(~lines["person"].duplicated().to_numpy())
    texts = np.split(lines["body"].to_numpy(dtype=object), first[1:])
    found = lines.iloc[first][["person", "code", "division"]].reset_index(drop=True)
    found["body"] = pd.Series(["[" + ",".join(said) + "]" for said in texts[: len(found)]], dtype="str")
    whole = found["body"] + found["code"] + found["division"].fillna("") + str(version)
    found["digest"] = pd.util.hash_array(whole.to_numpy(dtype=object), hash_key=secret, categorize=False).view(np.int64)
    found["tokens"] = pd.Series(_tokens(persons, kept.tokens, found["person"].to_numpy(np.int64)), dtype=object)
    return found


def _tokens(persons: pd.DataFrame, tokens: pd.DataFrame, wanted: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The tokens of each person, each once. wanted: ascending."""
    owner = persons.set_index("rid")["person"]
    pairs = pd.DataFrame({"person": owner.reindex(tokens["rid"]).to_numpy(), "token": tokens["token"].to_numpy()})
    pairs = pairs.dropna().astype("int64").drop_duplicates().sort_values(["person", "token"])
    cuts = np.searchsorted(pairs["person"].to_numpy(), wanted)
    return np.split(pairs["token"].to_numpy(), cuts)[1:]


def _keep_places(connection: Connection, kept: Kept, mark: str) -> None:
    homes = kept.homes.merge(read_frame(connection, _HOMES), on="rid")[["dwelling", "code"]].drop_duplicates()
    heads = pd.concat([kept.heads, pd.DataFrame({"area": [""], "text": [MARK], "head": [mark]})], ignore_index=True)
    for table, rows in (("ask_home", homes), ("ask_head", heads)):
        connection.execute(text(f"DELETE FROM {table}"))
        copy_frame(connection, table, rows)
