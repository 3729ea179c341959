"""The questions that a search puts to the database, with psycopg's named parameters.

Every table is reached through LATERAL with a LIMIT: by its index, whatever the statistics say of a table that was just
filled, and never more rows than that. A token leads to codes, an address through its place to those who live there.
"""

from __future__ import annotations

GATES = """
    SELECT DISTINCT v.name, v.address FROM unnest(%(tokens)s::text[]) AS a(token)
    CROSS JOIN LATERAL (SELECT s.code FROM search_key s
        WHERE s.token = a.token AND s.code >= 'L' AND s.code < 'M' LIMIT 300) k
    CROSS JOIN LATERAL (SELECT e.code FROM entity e
        WHERE e.code = k.code AND e.kind = 'estate' AND e.status = 'active' LIMIT 1) e
    CROSS JOIN LATERAL (
        SELECT max(value) FILTER (WHERE property = 'name') AS name,
            max(value) FILTER (WHERE property = 'address') AS address
        FROM entity_value WHERE code = e.code AND property IN ('name', 'address') AND known_to IS NULL) v
    WHERE v.name IS NOT NULL AND v.address IS NOT NULL ORDER BY v.name, v.address LIMIT 50"""
CANDIDATES = """
    WITH asked AS (
        SELECT * FROM unnest(%(tokens)s::text[], %(weights)s::float8[], %(lows)s::text[], %(highs)s::text[])
        AS a(token, weight, low, high)),
    found AS MATERIALIZED (
        SELECT a.token, a.weight, k.code FROM asked a CROSS JOIN LATERAL (
            SELECT s.code FROM search_key s WHERE s.token = a.token AND s.code >= a.low AND s.code < a.high
            LIMIT %(per_token)s) k
        UNION ALL SELECT %(id)s::text, %(number)s::float8, code FROM alias
        WHERE scheme = %(scheme)s AND blind = %(blind)s::bytea AND known_to IS NULL),
    rare AS (SELECT token, max(weight) / ln(2 + count(*)) AS weight FROM found GROUP BY token),
    hit AS (SELECT f.code, sum(r.weight) AS weight FROM found f JOIN rare r USING (token) GROUP BY f.code),
    near AS (SELECT code, weight FROM hit WHERE code >= 'L' AND code < 'M' AND %(homes)s::bool
        ORDER BY weight DESC, code LIMIT %(places)s),
    home AS (
        SELECT code, weight FROM near UNION ALL SELECT r.code, n.weight * .9 FROM near n
        CROSS JOIN LATERAL (SELECT t.code FROM relation t
            WHERE t.to_code = n.code AND t.relation = 'located_in' AND t.known_to IS NULL LIMIT 100) r
        ORDER BY weight DESC, code LIMIT %(dwellings)s),
    resident AS (
        SELECT r.code, max(h.weight) AS weight FROM home h CROSS JOIN LATERAL (SELECT t.code FROM relation t
            WHERE t.to_code = h.code AND t.relation IN ('lives_at', 'located_in') AND t.known_to IS NULL LIMIT 30) r
        GROUP BY r.code),
    led AS (SELECT code, sum(weight) AS weight FROM (SELECT * FROM hit UNION ALL SELECT * FROM resident) u GROUP BY code),
    lead AS (SELECT * FROM led WHERE code >= 'P' AND code < 'Q' AND %(type)s::text = 'household'
        ORDER BY weight DESC, code LIMIT %(dwellings)s),
    kin AS (
        SELECT r.to_code AS code, max(l.weight) AS weight FROM lead l CROSS JOIN LATERAL (SELECT t.to_code FROM relation t
            WHERE t.code = l.code AND t.relation IN ('member_of', 'head_of') AND t.known_to IS NULL LIMIT 10) r
        GROUP BY r.to_code),
    every AS (SELECT code, sum(weight) AS weight FROM (SELECT * FROM led UNION ALL SELECT * FROM kin) u GROUP BY code
        ORDER BY weight DESC, code LIMIT %(looked_at)s),
    chosen AS (
        SELECT e.*, v.weight FROM every v CROSS JOIN LATERAL (
            SELECT n.code, n.type, n.kind, n.division, n.grid FROM entity n
            WHERE n.code = v.code AND n.status = 'active' AND (%(type)s::text IS NULL OR n.type = %(type)s::text)
            AND (%(area)s::text = '' OR starts_with(n.division, %(area)s::text)
                OR n.division IS NULL AND length(%(area)s::text) <= 6) LIMIT 1) e
        ORDER BY v.weight DESC, e.code LIMIT %(ranked)s)
    SELECT c.*, ARRAY(SELECT f.token FROM found f WHERE f.code = c.code AND f.token = ANY(%(numbers)s::text[])) AS numbers
    FROM chosen c ORDER BY c.weight DESC, c.code"""
VALUES = """
    SELECT a.code, v.property, v.value FROM unnest(%(codes)s::text[]) AS a(code)
    CROSS JOIN LATERAL (SELECT property, value FROM entity_value WHERE code = a.code AND known_to IS NULL AND property
        IN ('name', 'former_name', 'head_name', 'short_name', 'alias', 'title', 'address') LIMIT 7) v
    UNION ALL SELECT a.code, 'address', v.value FROM unnest(%(codes)s::text[]) AS a(code)
    CROSS JOIN LATERAL (SELECT t.to_code FROM relation t
        WHERE t.code = a.code AND t.relation IN ('lives_at', 'located_in') AND t.known_to IS NULL LIMIT 5) r
    CROSS JOIN LATERAL (SELECT value FROM entity_value
        WHERE code = r.to_code AND property = 'address' AND known_to IS NULL LIMIT 1) v
    UNION ALL SELECT a.code, 'name', v.value FROM unnest(%(households)s::text[]) AS a(code)
    CROSS JOIN LATERAL (SELECT t.code FROM relation t
        WHERE t.to_code = a.code AND t.relation = 'member_of' AND t.known_to IS NULL LIMIT 30) r
    CROSS JOIN LATERAL (SELECT value FROM entity_value
        WHERE code = r.code AND property = 'name' AND known_to IS NULL LIMIT 1) v"""
