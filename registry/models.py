"""The linkage models the registry has kept, and which of them scores now."""

from __future__ import annotations

from sqlalchemy import Connection, text

_CURRENT = "SELECT body::text FROM model WHERE current"
_KEEP = """
    INSERT INTO model (version, body, current) VALUES (:version, CAST(:body AS jsonb), true)
    ON CONFLICT (version) DO UPDATE SET current = true"""


def current_model(connection: Connection) -> str | None:
    """The JSON of the model in use; None before the first was trained."""
    body = connection.execute(text(_CURRENT)).scalar()
    return None if body is None else str(body)


def keep_model(connection: Connection, version: str, body: str) -> None:
    """Makes a model the one in use; earlier ones are kept."""
    connection.execute(text("UPDATE model SET current = false WHERE current"))
    connection.execute(text(_KEEP), {"version": version, "body": body})
