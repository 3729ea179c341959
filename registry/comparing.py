"""A list's questions put to the registry in batches: tokens to persons, persons to their records, codes to what a caller
may see of them. Keys are sent as temporary tables, so that a batch is one statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
from sqlalchemy import Connection, text

from onegrid.database import copy_frame, read_frame
from onegrid.sealing import Keyring
from registry.access import Caller
from registry.asking import SEALED_FOR
from registry.published import SEALED_FOR as VALUE_SEALED_FOR
from registry.views import INSIDE
from schemas.kinds import KINDS
from schemas.properties import SEALED_FROM, entity_types

Integers = npt.NDArray[np.int64]
PER_TOKEN = 60  # persons that one token may bring
MOST = 6  # persons that a row is weighed against, those that its tokens tell most of
_TEMPORARY = "CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP"
_KEYS = f"""
    SELECT a.token, k.person FROM asked_token a
    CROSS JOIN LATERAL (SELECT s.person FROM ask_key s WHERE s.token = a.token LIMIT {PER_TOKEN}) k"""
_PERSONS = f"""
    SELECT e.person, e.code, e.body FROM asked_person a JOIN ask_person e ON e.person = a.person,
        (SELECT %(area)s::text AS area) c WHERE {INSIDE.format(e="e")}"""
_VALUES = """
    SELECT v.code, v.property, v.value, v.sealed, v.sensitivity FROM asked_code a JOIN entity_value v ON v.code = a.code
    WHERE v.known_to IS NULL AND v.property = ANY(%(names)s)"""
_TELL = """
    INSERT INTO access_event (actor, role, department, purpose, act, code, properties, origin)
    SELECT :actor, :role, :department, :purpose, 'compare', code, CAST(:properties AS jsonb), :origin FROM asked_code"""


class Pairs(NamedTuple):
    """Candidates: `row` of the list (ascending) and `person`."""

    row: Integers
    person: Integers


class People:
    """Persons that some row of a list may mean, each read and opened once: `code`, and records as `STORED` rows."""

    def __init__(self, connection: Connection, keyring: Keyring, area: str) -> None:
        self.connection, self.keyring, self.area = connection, keyring, area
        self.codes: dict[int, str] = {}
        self.records: dict[int, list[list[object]]] = {}
        self._asked: set[int] = set()

    def read(self, persons: Integers) -> None:
        """Reads those not yet known; who lies outside the area stays unknown."""
        fresh = [int(person) for person in persons if int(person) not in self._asked]
        if not fresh:
            return
        self._asked.update(fresh)
        _send(self.connection, "asked_person", pd.DataFrame({"person": np.array(fresh, dtype=np.int64)}))
        found = read_frame(self.connection, _PERSONS, {"area": self.area})
        bodies = self.keyring.unseal_many(found["body"], SEALED_FOR)
        self.codes.update(zip(found["person"].tolist(), found["code"].tolist(), strict=True))
        self.records.update(zip(found["person"].tolist(), map(orjson.loads, bodies.tolist()), strict=True))


def candidates(connection: Connection, tokens: pd.DataFrame) -> Pairs:
    """The persons that the tokens of rows lead to, at most MOST a row. tokens: `row`, `token`, `bits`."""
    _send(connection, "asked_token", pd.DataFrame({"token": tokens["token"].unique()}))
    keys = read_frame(connection, _KEYS)
    met = tokens.merge(keys, on="token")
    summed = met.groupby(["row", "person"], sort=False)["bits"].sum().reset_index()
    ranked = summed.sort_values(["row", "bits", "person"], ascending=[True, False, True])
    kept = ranked[ranked.groupby("row", sort=False).cumcount() < MOST]
    return Pairs(kept["row"].to_numpy(np.int64), kept["person"].to_numpy(np.int64))


def shown_to(
    connection: Connection, keyring: Keyring, caller: Caller, codes: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Golden values of persons as the caller may see them: a row a code, a column a property of `names`."""
    _send(connection, "asked_code", pd.DataFrame({"code": pd.Series(sorted(set(codes)), dtype="str")}))
    lines = read_frame(connection, _VALUES, {"names": list(names)})
    secret = lines["sensitivity"] >= SEALED_FROM
    values = lines["value"].where(~secret, keyring.unseal_many(lines["sealed"], VALUE_SEALED_FOR))
    if not caller.numbers:
        declared = entity_types()["person"].properties
        for name in lines.loc[secret, "property"].unique():
            where = secret & (lines["property"] == name)
            masked = {value: KINDS[declared[name].kind].mask(value) for value in values[where].dropna().unique()}
            values = values.mask(where, values.map(masked).astype("str"))
    found = lines.assign(value=values).pivot_table(index="code", columns="property", values="value", aggfunc="first")
    return found.reindex(columns=list(names)).astype("str")


def tell(
    connection: Connection,
    caller: Caller,
    purpose: str | None,
    origin: str | None,
    names: Sequence[str],
    codes: Sequence[str],
) -> None:
    """Writes an access event for each code that a result discloses, in the transaction that keeps the result."""
    _send(connection, "asked_code", pd.DataFrame({"code": pd.Series(sorted(set(codes)), dtype="str")}))
    who = {"actor": caller.name, "role": caller.role, "department": caller.department}
    said = {"purpose": purpose, "origin": origin, "properties": orjson.dumps(list(names)).decode()}
    connection.execute(text(_TELL), {**who, **said})


def _send(connection: Connection, name: str, rows: pd.DataFrame) -> None:
    """A temporary table with the rows."""
    kind = {"token": "bigint", "person": "bigint", "code": "text"}
    connection.execute(text(f"DROP TABLE IF EXISTS pg_temp.{name}"))
    columns = ", ".join(f"{column} {kind[str(column)]}" for column in rows.columns)
    connection.execute(text(_TEMPORARY.format(name=name, columns=columns)))
    copy_frame(connection, name, rows)
    connection.execute(text(f"ANALYZE {name}"))
