"""The linkage models the registry has kept, and which of them scores now."""

from __future__ import annotations

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.errors import NotFound
from onegrid.frames import read_frame
from onegrid.sealing import Keyring

_CURRENT = "SELECT body FROM model WHERE current"
_KEEP = """
    INSERT INTO model (version, body, current) VALUES (:version, :body, :current)
    ON CONFLICT (version) DO UPDATE SET current = model.current OR :current"""
_LIST = """
    SELECT m.version, m.made_at, m.current, count(r.id) AS runs, max(r.finished_at) AS last_run FROM model m
    LEFT JOIN run r ON r.model = m.version AND r.state = 'published' GROUP BY m.version ORDER BY m.made_at, m.version"""
_CHOSEN = "SELECT version, body FROM model WHERE version LIKE :start || '%' ORDER BY version LIMIT 2"
SEALED_FOR = "model.body"


def current_model(connection: Connection, keyring: Keyring) -> str | None:
    """The JSON of the model in use; None before the first was trained."""
    body = connection.execute(text(_CURRENT)).scalar()
    return None if body is None else keyring.unseal(bytes(body), SEALED_FOR)


def current_version(connection: Connection) -> str | None:
    """The version of the model in use; None before the first was trained."""
    return connection.execute(text("SELECT version FROM model WHERE current")).scalar()


def has_model(connection: Connection) -> bool:
    """Whether a model was trained."""
    return bool(connection.execute(text("SELECT EXISTS (SELECT FROM model WHERE current)")).scalar_one())


def keep_model(connection: Connection, keyring: Keyring, version: str, body: str, *, current: bool = True) -> None:
    """Keeps a model, as the one in use unless `current` is False; earlier ones are kept.

    Sealed: its frequencies hold names and digests of numbers.
    """
    if current:
        connection.execute(text("UPDATE model SET current = false WHERE current"))
    sealed = keyring.seal(body, SEALED_FOR)
    connection.execute(text(_KEEP), {"version": version, "body": sealed, "current": current})


def list_models(connection: Connection) -> pd.DataFrame:
    """Every model kept: `version`, `made_at`, `current`, published `runs` that scored with it, and the last of them."""
    return read_frame(connection, _LIST)


def find_model(connection: Connection, keyring: Keyring, start: str) -> tuple[str, str]:
    """Version and JSON of the one model whose version begins so; NotFound for none or several."""
    rows = connection.execute(text(_CHOSEN), {"start": start}).all()
    if len(rows) != 1:
        known = "several models begin" if rows else "no model begins"
        raise NotFound(f"{known.capitalize()} with {start}: `onegrid models list` shows those there are.")
    return str(rows[0].version), keyring.unseal(bytes(rows[0].body), SEALED_FOR)


def use_model(connection: Connection, version: str) -> None:
    """Makes a kept model the one in use; the next run scores all anew with it."""
    connection.execute(text("UPDATE model SET current = false WHERE current AND version <> :v"), {"v": version})
    connection.execute(text("UPDATE model SET current = true WHERE version = :v AND NOT current"), {"v": version})
