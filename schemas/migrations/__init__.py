"""Brings the registry's tables to the present schema, step by step (Alembic), without any file of configuration."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from onegrid.database import Database

FOLDER = Path(__file__).parent
MIGRATION_LOCK = 0x6F6E6567_6D


def migrate(database: Database) -> None:
    """Applies the steps that are missing, as onegrid_owner in one transaction; two processes at once take turns."""
    with database.owner_session() as connection:
        if _revision(connection) == newest():
            return
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        _upgrade(connection)


def newest() -> str:
    """The last step's number, from its file's name: Alembic itself is too slow to ask when nothing is to be done."""
    return max(path.name.split("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    command.upgrade(config, "head")
