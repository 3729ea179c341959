"""All that happened to an entity in the registry, in the order in which the hub learned it.

The histories of the codes that were merged into it, and of the one it was split from until then, are part of it. A line
is there for who may see the entity now and might have seen it then; what another entity is called is not told here.
Statements are as in `registry.views`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onegrid.sealing import Keyring
from registry.access import Caller
from registry.history import every, only
from registry.views import IN_KEY, INSIDE, shown_values, without_numbers
from schemas.properties import EntityType

_BEFORE = """
    SELECT o.code, w.at FROM change w, jsonb_array_elements_text(w.diff -> 'from') o(code)
    WHERE w.code = h.code AND w.at <= h.until AND (w.change = 'created' OR EXISTS (
        SELECT FROM change g WHERE g.code = o.code AND g.run = w.run AND g.change = 'merged'))"""
# One shape a line: when, of which code, what sort of line, what (a name), another code, and the parts of a value.
_LINES = f"""
    SELECT w.at, w.code, 1 AS place, w.change AS what, '' AS name, NULL AS other, NULL::text AS value, NULL::bytea AS sealed,
        NULL::smallint AS sensitivity, NULL::text AS rule, NULL::bigint AS record, w.diff, NULL::date AS valid
    FROM h CROSS JOIN LATERAL (SELECT * FROM change WHERE code = h.code OFFSET 0) w WHERE w.at <= h.until
    UNION ALL
    SELECT v.known_from, v.code, 2, 'value', v.property, NULL, v.value, v.sealed, v.sensitivity, v.rule, v.record, NULL, v.valid_from
    FROM h CROSS JOIN LATERAL {only("entity_value", "code", "h")} v WHERE v.known_from <= h.until
    UNION ALL
    SELECT v.known_to, v.code, 3, 'value ended', v.property, NULL, NULL, NULL, NULL, NULL, v.record, NULL, v.valid_to
    FROM h CROSS JOIN LATERAL {only("entity_value", "code", "h")} v WHERE v.known_to <= h.until
    AND NOT EXISTS (
        SELECT FROM {every("entity_value")} n WHERE n.code = v.code AND n.property = v.property AND n.known_from = v.known_to)
    UNION ALL
    SELECT t.known_from, t.code, 4, 'relation', t.relation, t.to_code, NULL, NULL, NULL, NULL, t.record, NULL, t.valid_from
    FROM h CROSS JOIN LATERAL {only("relation", "code", "h")} t WHERE t.known_from <= h.until
    UNION ALL
    SELECT t.known_to, t.code, 5, 'relation ended', t.relation, t.to_code, NULL, NULL, NULL, NULL, t.record, NULL, t.valid_to
    FROM h CROSS JOIN LATERAL {only("relation", "code", "h")} t WHERE t.known_to <= h.until
    UNION ALL
    SELECT m.known_from, m.code, 6, 'record', m.how, NULL, NULL, NULL, NULL, NULL, m.record, NULL, m.valid_from
    FROM h CROSS JOIN LATERAL (SELECT * FROM membership WHERE code = h.code OFFSET 0) m WHERE m.known_from <= h.until
    UNION ALL
    SELECT m.known_to, m.code, 7, 'record ended', m.how, NULL, NULL, NULL, NULL, NULL, m.record, NULL, m.valid_to
    FROM h CROSS JOIN LATERAL (SELECT * FROM membership WHERE code = h.code OFFSET 0) m WHERE m.known_to <= h.until
    AND NOT EXISTS (
        SELECT FROM membership n WHERE n.code = m.code AND n.record = m.record AND n.known_from = m.known_to)"""
TIMELINE = f"""
    WITH RECURSIVE c AS (SELECT %(area)s::text AS area), h(code, until) AS (
        SELECT e.code, 'infinity'::timestamptz FROM entity e, c WHERE e.code = %(code)s AND {INSIDE.format(e="e")}
        UNION
        SELECT n.code, n.at FROM h CROSS JOIN LATERAL ({_BEFORE}) n(code, at)
            JOIN entity e ON e.code = n.code CROSS JOIN c WHERE {INSIDE.format(e="e")}
    ),
    l AS (SELECT * FROM ({_LINES}) s),
    n AS (
        SELECT l.*, row_number() OVER (ORDER BY l.at, l.place, l.code, l.name, l.other, l.record, l.valid) AS number,
            w.run, r.source, r.key, r.role, s.owner, o.code IS NULL OR {INSIDE.format(e="o")} AS near
        FROM c CROSS JOIN l
        JOIN LATERAL (
            SELECT run, division FROM change WHERE code = l.code AND at <= l.at ORDER BY sequence DESC LIMIT 1
        ) w ON {INSIDE.format(e="w")}
        LEFT JOIN entity o ON o.code = l.other
        LEFT JOIN record r ON r.id = l.record LEFT JOIN source s ON s.name = r.source
    )
    SELECT number, at, run, code, what, name, CASE WHEN near THEN other END AS other, value, encode(sealed, 'hex') AS sealed,
        rule, source, owner, key, role, diff, valid
    FROM n WHERE number > %(after)s ORDER BY number LIMIT %(limit)s"""


def shown_timeline(
    lines: Sequence[Mapping[str, Any]], kind: EntityType, keyring: Keyring, caller: Caller
) -> list[dict[str, Any]]:
    """The lines as the caller may see them: `at`, `run`, `code`, `what`, `name`, `source` and what a line of its sort has."""
    values = {
        line["number"]: shown_values([{**line, "property": line["name"]}], kind, keyring, caller)[0]
        for line in lines
        if line["what"] == "value"
    }
    return [_shown(line, values.get(line["number"]), caller) for line in lines]


def _shown(line: Mapping[str, Any], value: Mapping[str, Any] | None, caller: Caller) -> dict[str, Any]:
    kept = {name: line[name] for name in ("at", "run", "code", "what", "name", "source", "owner", "valid")}
    if line["what"].startswith("record"):
        key = line["key"] if caller.numbers or line["key"] is None else without_numbers(line["key"], IN_KEY)
        kept |= {"key": key, "role": line["role"]}
    if line["what"].startswith("relation"):
        kept["other"] = line["other"]
    if value is not None:
        kept |= {"value": value["value"], "masked": value["masked"], "rule": line["rule"]}
    return kept | ({"diff": line["diff"]} if line["diff"] else {})
