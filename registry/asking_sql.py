"""The two statements of a question at the door, with psycopg's named parameters; each checks token and area itself.

The first leads tokens to the records of the persons who may be meant. These stay in the process that weighs them:
nothing is disclosed yet. The second says what is known of those it found, and writes the access events.
"""

from __future__ import annotations

from registry.asking import MARK
from registry.views import CALLER, EVENT, INSIDE, WHO

PER_TOKEN = 80  # persons that one token may bring: of commoner ones a part, rarer ones decide
MOST = 40  # persons whose records are weighed at the door
FACTS_MOST = 40  # properties of one person
STAMP = f"""
    (SELECT coalesce((SELECT version FROM model WHERE current), '') || ' '
        || coalesce((SELECT head FROM ask_head WHERE area = '' AND text = '{MARK}'), ''))"""

MET = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    met AS (
        SELECT k.person, sum(a.bits) AS bits FROM unnest(%(tokens)s::bigint[], %(bits)s::float8[]) AS a(token, bits)
        CROSS JOIN LATERAL (SELECT s.person FROM ask_key s WHERE s.token = a.token LIMIT {PER_TOKEN}) k
        GROUP BY k.person)
    SELECT row_to_json(c) AS caller, {STAMP} AS stamp, f.codes, f.bodies
    FROM c CROSS JOIN LATERAL (
        SELECT array_agg(x.code) AS codes, array_agg(x.body) AS bodies FROM (
            SELECT e.code, e.body FROM met CROSS JOIN LATERAL (
                SELECT p.person, p.code, p.division, p.body FROM ask_person p WHERE p.person = met.person LIMIT 1) e
            WHERE c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}
            ORDER BY met.bits DESC, met.person LIMIT {MOST}) x) f"""

DISCLOSED = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    f AS MATERIALIZED (
        SELECT e.code FROM entity e, c
        WHERE e.code = ANY(%(codes)s) AND e.status = 'active' AND c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}),
    d AS MATERIALIZED (SELECT DISTINCT code FROM ask_home WHERE dwelling = ANY(%(dwellings)s::bigint[])),
    h AS MATERIALIZED (
        SELECT DISTINCT e.code FROM d
        CROSS JOIN LATERAL (SELECT r.code FROM relation r
            WHERE r.to_code = d.code AND r.relation = 'located_in' AND r.known_to IS NULL
                AND r.code >= 'H' AND r.code < 'I' LIMIT 20) r
        JOIN entity e ON e.code = r.code, c
        WHERE e.status = 'active' AND c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}),
    told AS (
        {EVENT} SELECT {WHO}, 'check', t.code, %(properties)s::jsonb, %(origin)s
        FROM (SELECT code FROM f UNION ALL SELECT code FROM h) t, c)
    SELECT row_to_json(c) AS caller, ARRAY(SELECT code FROM h ORDER BY code) AS households, (
        SELECT coalesce(json_agg(json_build_object('code', f.code, 'property', v.property, 'said', v.said,
            'source', v.source, 'owner', s.owner)), '[]')
        FROM f CROSS JOIN LATERAL (
            SELECT t.property, r.source, coalesce(t.valid_from, l.finished_at::date, t.known_from::date) AS said
            FROM entity_value t LEFT JOIN record r ON r.id = t.record LEFT JOIN load l ON l.id = r.load
            WHERE t.code = f.code AND t.known_to IS NULL LIMIT {FACTS_MOST}) v
        LEFT JOIN source s ON s.name = v.source)::text AS facts
    FROM c"""

STATE = f"SELECT {STAMP} AS stamp, (SELECT body FROM model WHERE current) AS model"
HEADS = "SELECT area, text, head FROM ask_head WHERE area <> ''"
"""What addresses may be headed by; no person's."""
