"""What a reconciliation token may see: names of persons, and properties with numbers masked. Statements as `registry.views`."""

from __future__ import annotations

from registry.views import CALLER, EVENT, INSIDE, WHO

NAMED = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    f AS MATERIALIZED (
        SELECT e.code, e.division, (SELECT v.value FROM entity_value v
            WHERE v.code = e.code AND v.property = 'name' AND v.known_to IS NULL) AS name
        FROM entity e, c WHERE e.code = ANY(%(codes)s) AND e.type = 'person' AND e.status = 'active'
            AND c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}),
    told AS ({EVENT} SELECT {WHO}, 'reconcile', f.code, '["name"]', %(origin)s FROM f, c)
    SELECT row_to_json(c) AS caller, (SELECT coalesce(json_agg(f), '[]') FROM f) AS found FROM c"""
EXTENDED = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    f AS MATERIALIZED (
        SELECT e.code FROM entity e, c WHERE e.code = ANY(%(codes)s) AND e.type = 'person' AND e.status = 'active'
            AND c.role = ANY(%(roles)s) AND {INSIDE.format(e="e")}),
    told AS ({EVENT} SELECT {WHO}, 'reconcile', f.code, %(properties)s::jsonb, %(origin)s FROM f, c)
    SELECT row_to_json(c) AS caller, (
        SELECT coalesce(json_agg(json_build_object('code', v.code, 'property', v.property, 'value', v.value,
            'sealed', encode(v.sealed, 'hex'))), '[]')
        FROM f JOIN entity_value v ON v.code = f.code
        WHERE v.known_to IS NULL AND v.property = ANY(%(names)s)) AS found
    FROM c"""
MAY = f"SELECT row_to_json(c) AS caller FROM ({CALLER}) c"
"""Only who asks."""
