"""Lists that are compared on a caller's behalf: who gave which, how far it is, and its result in sealed pages.

Statements for the API check token and right themselves (as `registry.views`); a list is seen by the token that gave it
alone. Everything of it is gone a day after it came.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from onegrid.sealing import Keyring
from registry.access import COMPARE, Caller
from registry.views import CALLER, caller_of

PAGE = 1000  # lines of a result in one page
UPLOAD_FOR, PAGE_FOR = "comparison.upload", "comparison_page.body"
SILENT = "10 minutes"  # without progress: whoever was at it is gone
_MINE = f"""
    SELECT j.id, CASE WHEN j.state = 'running' AND j.moved_at < now() - interval '{SILENT}' THEN 'failed' ELSE j.state END AS state,
        j.rows, j.done, j.counts, j.error, j.spec -> 'map' AS map, j.spec -> 'guessed' AS guessed, j.expires_at
    FROM comparison j, c
    WHERE j.id = %(id)s AND j.token = c.id AND c.role = ANY(%(roles)s) AND j.expires_at > now()"""

BEGIN = f"""
    WITH c AS MATERIALIZED ({CALLER}),
    gone AS (DELETE FROM comparison WHERE expires_at <= now()),
    made AS (
        INSERT INTO comparison (token, purpose, origin, spec, rows, upload, expires_at)
        SELECT c.id, %(purpose)s, %(origin)s, %(spec)s::jsonb, %(rows)s, %(upload)s, now() + interval '1 day'
        FROM c WHERE c.role = ANY(%(roles)s) RETURNING id)
    SELECT row_to_json(c) AS caller, (SELECT id FROM made) AS id FROM c"""
STATUS = f"""
    WITH c AS MATERIALIZED ({CALLER}), f AS ({_MINE})
    SELECT row_to_json(c) AS caller, (SELECT row_to_json(f) FROM f) AS job FROM c"""
RESULT = f"""
    WITH c AS MATERIALIZED ({CALLER}), f AS ({_MINE})
    SELECT row_to_json(c) AS caller, (SELECT row_to_json(f) FROM f) AS job,
        (SELECT p.body FROM comparison_page p, f WHERE p.comparison = f.id AND p.page = %(page)s AND f.state = 'done') AS body,
        EXISTS (SELECT FROM comparison_page p, f WHERE p.comparison = f.id AND p.page = %(page)s + 1) AS more
    FROM c"""
END = f"""
    WITH c AS MATERIALIZED ({CALLER}), f AS ({_MINE}),
    gone AS (DELETE FROM comparison j USING f WHERE j.id = f.id RETURNING j.id)
    SELECT row_to_json(c) AS caller, (SELECT id FROM gone) AS id FROM c"""
_TAKE = """
    UPDATE comparison SET state = 'running', moved_at = now() WHERE id = :id AND state = 'waiting'
    RETURNING token, purpose, origin, spec, upload"""
_HOLDER = """
    SELECT id, name, role, department, division AS area, numbers FROM api_token
    WHERE id = :id AND revoked_at IS NULL AND expires_at > now()"""
_MOVE = "UPDATE comparison SET done = :done, moved_at = now() WHERE id = :id"
_DONE = """
    UPDATE comparison SET state = 'done', done = rows, counts = CAST(:counts AS jsonb), upload = NULL, moved_at = now()
    WHERE id = :id"""
_FAIL = "UPDATE comparison SET state = 'failed', error = :error, upload = NULL, moved_at = now() WHERE id = :id"
_PAGE = "INSERT INTO comparison_page (comparison, page, body) VALUES (:id, :page, :body)"


@dataclass(frozen=True)
class Job:
    """A list taken in hand. caller: None where the token is no longer valid or has no longer the right."""

    caller: Caller | None
    purpose: str | None
    origin: str | None
    spec: dict[str, Any]
    content: bytes


def sealed_upload(keyring: Keyring, content: bytes) -> bytes:
    """A list as it lies in the database."""
    return keyring.seal(b64encode(content).decode(), UPLOAD_FOR)


def take(connection: Connection, keyring: Keyring, number: int) -> Job | None:
    """Takes a waiting list in hand; None where it is no longer there, or somebody else's already."""
    row = connection.execute(text(_TAKE), {"id": number}).mappings().first()
    if row is None:
        return None
    holder = connection.execute(text(_HOLDER), {"id": row["token"]}).mappings().first()
    caller = None if holder is None else caller_of({**holder})
    content = b64decode(keyring.unseal(bytes(row["upload"]), UPLOAD_FOR))
    allowed = caller if caller is not None and caller.may(COMPARE) else None
    return Job(allowed, row["purpose"], row["origin"], row["spec"], content)


def moved(connection: Connection, number: int, done: int) -> None:
    """How many rows are done."""
    connection.execute(text(_MOVE), {"id": number, "done": done})


def finish(
    connection: Connection, keyring: Keyring, number: int, lines: Sequence[dict[str, Any]], counts: dict[str, int]
) -> None:
    """Keeps the result in sealed pages and lets the list itself go."""
    for page, start in enumerate(range(0, len(lines), PAGE)):
        body = keyring.seal(orjson.dumps(lines[start : start + PAGE]).decode(), PAGE_FOR)
        connection.execute(text(_PAGE), {"id": number, "page": page, "body": body})
    connection.execute(text(_DONE), {"id": number, "counts": orjson.dumps(counts).decode()})


def fail(connection: Connection, number: int, error: str) -> None:
    """Why it could not be compared: a sentence without values."""
    connection.execute(text(_FAIL), {"id": number, "error": error})
