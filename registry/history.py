"""Two clocks: what the registry held true at one date (`valid_at`), as the hub knew it at a moment (`known_at`).

A row counts from the moment it was known, for the days from `valid_from` on. When it ends, either it was over: `valid_to`
says up to which day it was true, and that stays known; or it was wrong: from then on it is not known at all. Of two rows
of one series (a property, a home, a record's entity) that claim one day, the one known later is right. A row that does
not say since when counts as always; one that says "since 4 March" says nothing of 1 March. Without `valid_at`: what the
hub held to be so at `known_at`.

Statements are as in `registry.views`: named parameters of psycopg, area and access event in one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from registry.views import CALLER, EVENT, INSIDE, WHO
from schemas.properties import SEALED_FROM

PAGE = {"area": "", "relation": None, "after": 0, "after_direction": "", "after_relation": "", "after_code": ""}
MOST = 10_000

_WHEN = """
    SELECT least(coalesce(%(known_at)s::timestamptz, now()), now()) AS at, %(valid_at)s::date AS day"""
HOLDS = """(
    {t}.known_from <= k.at AND ({t}.valid_from IS NULL OR k.day IS NULL OR {t}.valid_from <= k.day)
    AND ({t}.known_to IS NULL OR {t}.known_to > k.at OR {t}.valid_to > k.day))"""


def every(table: str) -> str:
    """The rows of a table, present and past: each part has its own index."""
    return f"(SELECT * FROM {table} WHERE known_to IS NULL UNION ALL SELECT * FROM {table} WHERE known_to IS NOT NULL)"


def only(table: str, column: str, of: str) -> str:
    """Those that share a column with a row outside. OFFSET 0 keeps them a look-up by index: the planner would read all."""
    return f"(SELECT * FROM {every(table)} x WHERE x.{column} = {of}.{column} OFFSET 0)"


_VALUES = f"""
    SELECT DISTINCT ON (v.property) v.*, CASE WHEN v.known_to <= k.at THEN v.valid_to END AS ended
    FROM k, f, {every("entity_value")} v WHERE v.code = f.code AND {HOLDS.format(t="v")}
    ORDER BY v.property, v.known_from DESC"""
_CALLED = f"""
    (SELECT string_agg(n.value, ' ' ORDER BY n.property DESC) FROM (
        SELECT DISTINCT ON (v.property) v.property, v.value FROM {every("entity_value")} v
        WHERE v.code = e.code AND v.property IN ('name', 'title', 'head_name', 'address') AND {HOLDS.format(t="v")}
        ORDER BY v.property, v.known_from DESC) n)"""
# Where it lay at that moment, and what had become of it, stand with its last change until then. Seen only by who may
# see it now (also the one it was merged into) and might have seen it then.
_FOUND = f"""
    SELECT e.code, e.type, e.kind, w.division, w.grid, w.at AS changed,
        CASE WHEN w.change IN ('merged', 'retired') THEN w.change ELSE 'active' END AS status,
        CASE WHEN w.change = 'merged' THEN w.diff -> 'to' ->> 0 END AS successor,
        (SELECT count(DISTINCT m.record) FROM membership m WHERE m.code = e.code AND {HOLDS.format(t="m")}) AS records
    FROM c CROSS JOIN k CROSS JOIN entity e
    JOIN LATERAL (SELECT * FROM change WHERE code = e.code AND at <= k.at ORDER BY sequence DESC LIMIT 1) w ON true
    LEFT JOIN entity h ON h.code = e.merged_into
    WHERE e.code = %(code)s AND {INSIDE.format(e="e")} AND {INSIDE.format(e="w")}
        AND (h.code IS NULL OR {INSIDE.format(e="h")})"""
_LINES = """
    SELECT coalesce(json_agg(json_build_object(
        'property', v.property, 'value', v.value, 'sealed', encode(v.sealed, 'hex'), 'rule', v.rule, 'agree', v.agree,
        'differ', v.differ, 'source', r.source, 'owner', s.owner, 'since', v.known_from, 'valid_from', v.valid_from,
        'valid_to', v.ended)), '[]') AS lines
    FROM v LEFT JOIN record r ON r.id = v.record LEFT JOIN source s ON s.name = r.source"""

ENTITY_AT = f"""
    WITH c AS MATERIALIZED ({CALLER}), k AS MATERIALIZED ({_WHEN}),
    f AS MATERIALIZED ({_FOUND} AND c.role = ANY(%(roles)s)),
    v AS MATERIALIZED ({_VALUES}),
    told AS (
        {EVENT} SELECT {WHO}, 'as_of', f.code, (
            SELECT coalesce(jsonb_agg(v.property ORDER BY v.property), '[]') FROM v
            WHERE v.sensitivity < {SEALED_FROM} OR c.numbers), %(origin)s FROM f, c
    )
    SELECT row_to_json(c) AS caller, row_to_json(f) AS entity, row_to_json(k) AS "when", ({_LINES}) AS "values"
    FROM c CROSS JOIN k LEFT JOIN f ON true"""
_SEEN = "c AS (SELECT %(area)s::text AS area)"
FOUND_AT = f"WITH {_SEEN}, k AS ({_WHEN}) {_FOUND}"
VALUES_AT = f"WITH {_SEEN}, k AS ({_WHEN}), f AS ({_FOUND}), v AS ({_VALUES}) {_LINES}"

_OVERRULED = f"""
    NOT EXISTS (
        SELECT FROM {only("relation", "code", "t")} n JOIN entity m ON m.code = n.to_code
        WHERE n.relation = t.relation AND (m.type, m.kind) = (o.type, o.kind)
            AND n.known_from > t.known_from AND {HOLDS.format(t="n")})"""
_LINK = f"""
    SELECT t.relation, '{{direction}}' AS direction, t.{{other}} AS other, t.valid_from,
        CASE WHEN t.known_to <= k.at THEN t.valid_to END AS valid_to
    FROM k CROSS JOIN {every("relation")} t JOIN entity o ON o.code = t.to_code
    WHERE t.{{one}} = %(code)s AND %({{wanted}})s AND {HOLDS.format(t="t")} AND {_OVERRULED}"""
RELATIONS_AT = f"""
    WITH {_SEEN}, k AS MATERIALIZED ({_WHEN}), t AS (
        {_LINK.format(direction="out", other="to_code", one="code", wanted="out")}
        UNION ALL {_LINK.format(direction="in", other="code", one="to_code", wanted="into")}
    )
    SELECT t.relation, t.direction, e.code, e.type, e.kind, t.valid_from, t.valid_to, {_CALLED} AS called
    FROM c CROSS JOIN k CROSS JOIN t JOIN entity e ON e.code = t.other
    WHERE {INSIDE.format(e="e")} AND (%(relation)s::text IS NULL OR t.relation = %(relation)s)
        AND (t.direction, t.relation, e.code) > (%(after_direction)s, %(after_relation)s, %(after_code)s)
    ORDER BY t.direction, t.relation, e.code LIMIT %(limit)s"""
MEMBERS_AT = f"""
    WITH k AS MATERIALIZED ({_WHEN})
    SELECT r.id, r.source, s.owner, r.key, r.role, r.type, x."values"::text AS plain, x.sealed, m.how, m.weight,
        l.finished_at AS loaded, m.valid_from, CASE WHEN m.known_to <= k.at THEN m.valid_to END AS valid_to
    FROM k CROSS JOIN membership m JOIN record r ON r.id = m.record LEFT JOIN source s ON s.name = r.source
    JOIN LATERAL (
        SELECT p."values", p.sealed, p.load, p.known_from FROM record p WHERE p.id = r.id AND p.known_from <= k.at
        UNION ALL
        SELECT p."values", p.sealed, p.load, p.known_from FROM record_version p
        WHERE p.record = r.id AND p.known_from <= k.at AND p.known_to > k.at
        ORDER BY known_from DESC LIMIT 1
    ) x ON true
    LEFT JOIN load l ON l.id = x.load
    WHERE m.code = %(code)s AND {HOLDS.format(t="m")} AND r.id > %(after)s AND NOT EXISTS (
        SELECT FROM {only("membership", "record", "m")} n WHERE (n.type, n.kind) = (m.type, m.kind)
            AND n.known_from > m.known_from AND {HOLDS.format(t="n")})
    ORDER BY r.id LIMIT %(limit)s"""


@dataclass(frozen=True)
class When:
    """valid_at: the day asked about; None: what was held to be so. known_at: as the hub knew it then; None: now."""

    valid_at: date | None = None
    known_at: datetime | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the statements here."""
        return {"valid_at": self.valid_at, "known_at": self.known_at}


def _rows(connection: Connection, statement: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.exec_driver_sql(statement, values).mappings()]


def found_at(connection: Connection, code: str, when: When) -> dict[str, Any] | None:
    """Type, kind, status, successor, place and number of records of a code; None: not known at that moment."""
    rows = _rows(connection, FOUND_AT, {**PAGE, **when.values, "code": code})
    return rows[0] if rows else None


def values_at(connection: Connection, code: str, when: When) -> list[dict[str, Any]]:
    """The golden values of a code, a dict a property; sealed ones are hexadecimal in `sealed`."""
    rows = _rows(connection, VALUES_AT, {**PAGE, **when.values, "code": code})
    return list(rows[0]["lines"])


def relations_at(connection: Connection, code: str, when: When) -> list[dict[str, Any]]:
    """What a code was related to (`direction` out) and what to it (in), with the names of that time."""
    asked = {**PAGE, **when.values, "code": code, "out": True, "into": True, "limit": MOST}
    return _rows(connection, RELATIONS_AT, asked)


def members_at(connection: Connection, code: str, when: When) -> list[dict[str, Any]]:
    """The records that spoke of a code, and what they said, as lines for `registry.views.shown_member`."""
    return _rows(connection, MEMBERS_AT, {**PAGE, **when.values, "code": code, "limit": MOST})
