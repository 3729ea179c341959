"""The few records that an explanation needs: those of some entities, and all others that bear their document numbers.

Whose a number is, is judged with every row that bears it; so the records are closed under numbers. What addresses mean
was learned from all records, which these are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.errors import NotFound
from onegrid.frames import read_frame
from onegrid.sealing import Keyring
from registry.models import find_model
from registry.read import judgements, open_values
from schemas.numbering import Numbering
from schemas.properties import entity_types
from schemas.records import Feed, Records
from schemas.sources import LEVELS

MOST = 2000  # records of a neighbourhood; a placeholder number may be borne by more
_MODEL = "SELECT model FROM run WHERE state = 'published' AND model IS NOT NULL ORDER BY id DESC LIMIT 1"
_NEAR = """
    SELECT DISTINCT b.code FROM alias a JOIN alias b ON (b.scheme, b.blind) = (a.scheme, a.blind)
    WHERE a.code = ANY(%(codes)s) AND a.blind IS NOT NULL AND a.known_to IS NULL AND b.known_to IS NULL"""
_RECORDS = """
    WITH own AS (
        SELECT r.source, r.key FROM membership m JOIN record r ON r.id = m.record
        WHERE m.code = ANY(%(codes)s) AND m.type = 'person' AND m.known_to IS NULL LIMIT %(most)s
    )
    SELECT r.id AS rid, r.source, r.key, r.role, r."values", r.sealed, m.code, m.how, m.weight
    FROM (SELECT DISTINCT source, key FROM own) o
    JOIN record r ON r.source = o.source AND r.key = o.key AND r.type = 'person' AND NOT r.deleted
    JOIN membership m ON m.record = r.id AND m.type = 'person' AND m.known_to IS NULL
    ORDER BY r.source COLLATE "C", r.key COLLATE "C", r.role COLLATE "C" """
_EDGES = """
    SELECT record_a, record_b, weight, levels FROM edge
    WHERE model = %(model)s AND record_a = ANY(%(records)s) AND record_b = ANY(%(records)s) AND levels IS NOT NULL"""
_FEEDS = "SELECT name, level, division, owner FROM source"


@dataclass(frozen=True)
class Neighbourhood:
    """records: of people, numbered 0..n-1 in the order of their names. members: a line a record, aligned: `source`,
    `key`, `role`, `code`, `how`, `weight`. edges: `a`, `b` (numbers), `weight`, `levels`. judged: `rid_a`, `rid_b`,
    `verdict`. model: version and JSON of what scored. whole: whether all records that bear the numbers are here.
    """

    records: Records
    members: pd.DataFrame
    edges: pd.DataFrame
    judged: pd.DataFrame
    model: tuple[str, str]
    whole: bool


def read_neighbourhood(connection: Connection, keyring: Keyring, codes: list[str]) -> Neighbourhood:
    """The neighbourhood of entities of type person; NotFound before people were ever matched."""
    version = connection.execute(text(_MODEL)).scalar()
    if version is None:
        raise NotFound("No run has matched people yet.")
    near = read_frame(connection, _NEAR, {"codes": codes})["code"].tolist()
    asked = {"codes": [*codes, *near], "most": MOST}
    raw = read_frame(connection, _RECORDS, asked)
    members = raw[["source", "key", "role", "code", "how", "weight"]]
    opened = open_values(raw.drop(columns=["code", "how", "weight"]), keyring, entity_types()["person"])
    stored = Records({"person": opened}, _feeds(connection))
    numbering = Numbering.of(stored)
    ids = raw["rid"].tolist()
    edges = read_frame(connection, _EDGES, {"model": version, "records": ids})
    named = numbering.number_pairs(edges.rename(columns={"record_a": "rid_a", "record_b": "rid_b"}))
    return Neighbourhood(
        records=numbering.number(stored),
        members=members,
        edges=named.rename(columns={"rid_a": "a", "rid_b": "b"})[["a", "b", "weight", "levels"]],
        judged=numbering.number_pairs(judgements(connection, stored)),
        model=find_model(connection, keyring, str(version)),
        whole=len(raw) < MOST,
    )


def _feeds(connection: Connection) -> dict[str, Feed]:
    rows = connection.execute(text(_FEEDS)).all()
    return {row.name: Feed(row.name, row.level, row.division, row.owner, LEVELS.index(row.level)) for row in rows}
