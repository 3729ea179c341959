"""The linkage models the registry has kept, and which of them scores now."""

from __future__ import annotations

from sqlalchemy import Connection, text

from onegrid.sealing import Keyring

_CURRENT = "SELECT body FROM model WHERE current"
_KEEP = """
    INSERT INTO model (version, body, current) VALUES (:version, :body, true)
    ON CONFLICT (version) DO UPDATE SET current = true"""
SEALED_FOR = "model.body"


def current_model(connection: Connection, keyring: Keyring) -> str | None:
    """The JSON of the model in use; None before the first was trained."""
    body = connection.execute(text(_CURRENT)).scalar()
    return None if body is None else keyring.unseal(bytes(body), SEALED_FOR)


def has_model(connection: Connection) -> bool:
    """Whether a model was trained."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM model WHERE current)")).scalar_one())


def keep_model(connection: Connection, keyring: Keyring, version: str, body: str) -> None:
    """Makes a model the one in use; earlier ones are kept. Sealed: its frequencies hold names and digests of numbers."""
    connection.execute(text("UPDATE model SET current = false WHERE current"))
    connection.execute(text(_KEEP), {"version": version, "body": keyring.seal(body, SEALED_FOR)})
