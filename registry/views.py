"""What callers of the API see of the registry, as single statements and their shaping: area, masks and access event in one.

Each statement takes the caller's token as `hash` and the roles that have the right as `roles`, gives back who calls
(none: the token is not valid), and discloses nothing that is not written to `access_event` in the same transaction.
Named parameters are psycopg's. Everything here is text and pure functions: any driver can run it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from onegrid.sealing import Keyring
from registry.access import DISTRICT_DIGITS, Caller
from registry.published import SEALED_FOR
from registry.values import SEALED_FOR as RECORD_SEALED_FOR
from schemas.kinds import KINDS
from schemas.masks import id_number, phone
from schemas.properties import SEALED_FROM, EntityType, entity_types

_LONG = r"\d{14,}[\dXx]"
_ID = r"(?<!\d)[1-8]\d{5}(?:18|19|20)?\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]?(?![\dXx])"
_PHONE = r"(?<!\d)1[3-9]\d{9}(?!\d)"
IN_TEXT, IN_KEY = re.compile(f"(?P<id>{_ID})|{_PHONE}"), re.compile(f"(?P<id>{_LONG})|{_PHONE}")

CALLER = """
    SELECT id, name, role, department, division AS area, numbers,
        set_config('onegrid.actor', name, true) AS actor, set_config('onegrid.role', role, true) AS actor_role,
        set_config('onegrid.department', coalesce(department, ''), true) AS actor_department
    FROM api_token WHERE hash = %(hash)s AND revoked_at IS NULL AND expires_at > now()"""
INSIDE = f"""(starts_with({{e}}.division, c.area) OR {{e}}.division IS NULL AND length(c.area) <= {DISTRICT_DIGITS})"""
_CALLED = """
    (SELECT string_agg(v.value, ' ' ORDER BY v.property DESC) FROM entity_value v
     WHERE v.code = e.code AND v.known_to IS NULL AND v.property IN ('name', 'title', 'head_name', 'address'))"""
WHO = "c.name, c.role, c.department, %(purpose)s"
EVENT = "INSERT INTO access_event (actor, role, department, purpose, act, code, properties, origin)"
_SHOWN = f"""
    (SELECT coalesce(jsonb_agg(property ORDER BY property), '[]') FROM entity_value
     WHERE code = f.code AND known_to IS NULL AND (sensitivity < {SEALED_FROM} OR c.numbers))"""

ENTITY = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    f AS MATERIALIZED (
        SELECT e.* FROM entity e, c WHERE e.code = %(code)s AND c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}
    ),
    told AS (
        {EVENT} SELECT {WHO}, 'read', f.code, {_SHOWN}, %(origin)s FROM f, c WHERE f.status = 'active'
    )
    SELECT row_to_json(c) AS caller, row_to_json(f) AS entity, (
        SELECT json_agg(json_build_object(
            'property', v.property, 'value', v.value, 'sealed', encode(v.sealed, 'hex'), 'rule', v.rule,
            'agree', v.agree, 'differ', v.differ, 'source', r.source, 'owner', s.owner, 'loaded', l.finished_at,
            'since', v.known_from))
        FROM entity_value v LEFT JOIN record r ON r.id = v.record LEFT JOIN source s ON s.name = r.source
        LEFT JOIN load l ON l.id = r.load WHERE v.code = f.code AND v.known_to IS NULL AND f.status = 'active'
    ) AS "values"
    FROM c LEFT JOIN f ON true"""

LOOKUP = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    a AS (
        SELECT DISTINCT code FROM alias WHERE known_to IS NULL AND (
            (scheme = ANY(%(schemes)s) AND value = ANY(%(plain)s)) OR (scheme = %(document)s AND blind = %(blind)s::bytea))
        UNION SELECT unnest(%(codes)s::text[])
    ),
    f AS MATERIALIZED (
        SELECT e.code, e.type, e.kind, e.status, e.merged_into, e.division, e.grid, {_CALLED} AS called
        FROM a JOIN entity e ON e.code = a.code, c WHERE c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}
    ),
    told AS ({EVENT} SELECT {WHO}, 'lookup', f.code, '["name", "address"]', %(origin)s FROM f, c)
    SELECT row_to_json(c) AS caller, (SELECT coalesce(json_agg(f ORDER BY f.code), '[]') FROM f) AS hits FROM c"""

WHERE_IT_IS = f"""
    SELECT e.code, e.type, e.kind, e.status, e.merged_into FROM entity e, (SELECT %(area)s::text AS area) c
    WHERE e.code = %(code)s AND {INSIDE.format(e="e")}"""

NAMED = f"""
    SELECT e.code FROM record r JOIN membership m ON m.record = r.id AND m.type = r.type AND m.known_to IS NULL
    JOIN entity e ON e.code = m.code, (SELECT %(area)s::text AS area) c
    WHERE r.source = %(source)s AND r.key = %(key)s AND r.role = %(role)s AND r.type = 'person' AND NOT r.deleted
        AND {INSIDE.format(e="e")}"""

RESOLVE = f"""
    SELECT e.code, e.type, e.kind, e.status, e.merged_into FROM entity e, (SELECT %(area)s::text AS area) c
    WHERE e.code = ANY(%(codes)s) AND {INSIDE.format(e="e")}"""

MEMBERS = """
    SELECT r.id, r.source, s.owner, r.key, r.role, r.type, r."values"::text AS plain, r.sealed, m.how, m.weight,
        l.finished_at AS loaded
    FROM membership m JOIN record r ON r.id = m.record LEFT JOIN source s ON s.name = r.source
    LEFT JOIN load l ON l.id = r.load
    WHERE m.code = %(code)s AND m.known_to IS NULL AND r.id > %(after)s ORDER BY r.id LIMIT %(limit)s"""

RELATIONS = f"""
    SELECT t.relation, t.direction, e.code, e.type, e.kind, {_CALLED} AS called FROM (
        SELECT relation, 'out' AS direction, to_code AS other FROM relation
        WHERE code = %(code)s AND known_to IS NULL AND %(out)s
        UNION ALL
        SELECT relation, 'in', code FROM relation WHERE to_code = %(code)s AND known_to IS NULL AND %(into)s
    ) t JOIN entity e ON e.code = t.other, (SELECT %(area)s::text AS area) c
    WHERE {INSIDE.format(e="e")} AND (%(relation)s::text IS NULL OR t.relation = %(relation)s)
        AND (t.direction, t.relation, e.code) > (%(after_direction)s, %(after_relation)s, %(after_code)s)
    ORDER BY t.direction, t.relation, e.code LIMIT %(limit)s"""

CALLED = f"""SELECT e.code, {_CALLED} AS called FROM entity e WHERE e.code = ANY(%(codes)s::text[])"""

TELL = f"""
    {EVENT} SELECT %(actor)s, %(role)s, %(department)s, %(purpose)s, %(act)s, code, %(properties)s::jsonb, %(origin)s
    FROM unnest(%(codes)s::text[]) AS code"""

TASKS = f"""
    SELECT e.id, e.type, e.kind, e.code, e.weight, e.reason, e.division, e.grid, e.owner, e.eyes, e.state, e.claimed_at,
        e.run, e.at, e.closed_at, jsonb_array_length(e.parts) - 1 AS candidates
    FROM review_task e, (SELECT %(area)s::text AS area) c
    WHERE e.state = %(state)s AND {INSIDE.format(e="e")}
        AND (%(weight)s::text = '' OR (e.weight, -e.id) < (nullif(%(weight)s, '')::float8, -%(after)s::bigint))
    ORDER BY e.weight DESC, e.id LIMIT %(limit)s"""

TASK = f"""
    SELECT e.id AS task, e.type AS task_type, e.kind, e.code, e.weight AS task_weight, e.reason, e.eyes, e.state,
        p.part::int - 1 AS part, r.source, s.owner, r.key, r.role, r.type, r."values"::text AS plain, r.sealed,
        '' AS how, NULL::float8 AS weight, l.finished_at AS loaded
    FROM (SELECT %(area)s::text AS area) c, review_task e,
        jsonb_array_elements(e.parts) WITH ORDINALITY AS p(rids, part),
        jsonb_array_elements_text(p.rids) WITH ORDINALITY AS n(rid, place)
    JOIN record r ON r.id = n.rid::bigint LEFT JOIN source s ON s.name = r.source LEFT JOIN load l ON l.id = r.load
    WHERE e.id = %(id)s AND {INSIDE.format(e="e")} ORDER BY p.part, n.place"""


def caller_of(row: Mapping[str, Any]) -> Caller:
    """Who calls, from the columns of CALLER."""
    return Caller(row["id"], row["name"], row["role"], row["department"], row["area"], row["numbers"])


def shown_values(
    lines: Sequence[Mapping[str, Any]], kind: EntityType, keyring: Keyring, caller: Caller
) -> list[dict[str, Any]]:
    """The golden values as the caller may see them, in the order the type declares them."""
    order = {name: place for place, name in enumerate(kind.properties)}
    found = [_shown_value(line, kind, keyring, caller) for line in lines]
    return sorted(found, key=lambda line: (order.get(line["property"], len(order)), line["property"]))


def _shown_value(line: Mapping[str, Any], kind: EntityType, keyring: Keyring, caller: Caller) -> dict[str, Any]:
    kept = {name: line[name] for name in line if name != "sealed"}
    if line["sealed"] is None:
        prop = kind.properties.get(line["property"])
        free = prop is not None and prop.kind == "text" and not caller.numbers
        value = without_numbers(line["value"], IN_TEXT) if free else line["value"]
        return {**kept, "value": value, "masked": value != line["value"]}
    value = keyring.unseal(bytes.fromhex(line["sealed"]), SEALED_FOR)
    return {
        **kept,
        "value": value if caller.numbers else _masked(line["property"], value, kind),
        "masked": not caller.numbers,
    }


def _masked(name: str, value: str, kind: EntityType) -> str:
    prop = kind.properties.get(name)
    return KINDS[prop.kind].mask(value) if prop is not None else id_number(value)


def shown_member(line: Mapping[str, Any], keyring: Keyring, caller: Caller) -> dict[str, Any]:
    """A member record as the caller may see it: its name in the feed, what it says, how it came to the entity."""
    kind = entity_types()[line["type"]]
    plain: dict[str, Any] = json.loads(line["plain"])
    secret: dict[str, Any] = {}
    if line["sealed"] is not None:
        secret = json.loads(keyring.unseal(line["sealed"], RECORD_SEALED_FOR))
    if not caller.numbers:
        secret = {name: _masked(name.removesuffix(".withheld"), value, kind) for name, value in secret.items()}
        plain = {name: _shown_plain(name, value, kind) for name, value in plain.items()}
    kept = {name: line[name] for name in ("source", "owner", "role", "type", "how", "weight", "loaded")}
    found = IN_KEY if line["type"] == "person" else IN_TEXT
    key = line["key"] if caller.numbers else without_numbers(line["key"], found)
    return {**kept, "key": key, "values": {**plain, **secret}}


def _shown_plain(name: str, value: Any, kind: EntityType) -> Any:
    prop = kind.properties.get(name)
    free = prop is not None and prop.kind == "text" and isinstance(value, str)
    return without_numbers(value, IN_TEXT) if free else value


def shown_called(lines: Sequence[Mapping[str, Any]], caller: Caller) -> list[dict[str, Any]]:
    """Lines whose `called` the caller may see: titles and names are free text, which may hold numbers."""
    if caller.numbers:
        return [dict(line) for line in lines]
    return [{**line, "called": line["called"] and without_numbers(line["called"], IN_TEXT)} for line in lines]


def without_numbers(text: str, numbers: re.Pattern[str]) -> str:
    """A text whose id and mobile numbers are masked: a feed's key may be a person's number, free text may hold some."""
    return numbers.sub(lambda found: id_number(found[0]) if found["id"] else phone(found[0]), text)
