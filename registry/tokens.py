"""Tokens of the API: made, listed and revoked. The database keeps a digest; the secret is shown once and never again.

A secret has 256 random bits, so that a plain SHA-256 of it can be neither guessed nor turned back; a slow digest, as
for passwords, would buy nothing and cost every request.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256

import pandas as pd
from sqlalchemy import Connection, text

from onegrid.errors import NotFound, SettingsError
from onegrid.frames import read_frame
from registry.access import RIGHTS, area_of
from schemas.sources import DIVISION

PREFIX = "og_"  # so that scanners for lost secrets can know one
SECRET_BYTES = 32
MASKED = ("reconciler",)
_MAKE = """
    INSERT INTO api_token (name, hash, role, department, division, numbers, expires_at)
    VALUES (:name, :hash, :role, :department, :division, :numbers, now() + :lasts) RETURNING id"""
_LIST = """
    SELECT id, name, role, department, division, numbers, created_at, expires_at, revoked_at,
        CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'valid' END AS state
    FROM api_token ORDER BY id"""
_REVOKE = "UPDATE api_token SET revoked_at = coalesce(revoked_at, now()) WHERE id = :id RETURNING id"


def digest(secret: str) -> bytes:
    """What the database keeps of a secret."""
    return sha256(secret.encode()).digest()


def create_token(
    connection: Connection, role: str, department: str, division: str, *, numbers: bool, days: int, name: str = ""
) -> tuple[int, str]:
    """A new token: its number and its secret. SettingsError for a role, division or time that cannot be."""
    if role not in RIGHTS:
        raise SettingsError(f"--role knows {', '.join(RIGHTS)}; not {role}.")
    if not DIVISION.fullmatch(division):
        raise SettingsError("--division must be a division code of 6, 9 or 12 digits.")
    if numbers and role in MASKED:
        raise SettingsError(f"A {role} sees no number unmasked: its token stands in addresses.")
    if days < 1:
        raise SettingsError("--days must be 1 or more.")
    if not department.strip():
        raise SettingsError("--department must name the department that answers for the token.")
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    values = {
        "name": name or f"{department} {role}",
        "hash": digest(secret),
        "role": role,
        "department": department,
        "division": area_of(division),
        "numbers": numbers,
        "lasts": timedelta(days=days),
    }
    return int(connection.execute(text(_MAKE), values).scalar_one()), secret


def list_tokens(connection: Connection) -> pd.DataFrame:
    """Every token ever made, without its digest."""
    return read_frame(connection, _LIST)


def revoke_token(connection: Connection, number: int) -> None:
    """Ends a token at once; NotFound when there is none of that number."""
    if connection.execute(text(_REVOKE), {"id": number}).scalar() is None:
        raise NotFound(f"There is no token {number}: `onegrid token list` shows those there are.")
