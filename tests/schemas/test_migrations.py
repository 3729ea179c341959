"""The steps lead to the tables the program knows, once, whoever asks and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

import schemas.migrations
from onegrid.database import Database
from onegrid.errors import DatabaseError
from schemas.migrations import migrate, newest
from schemas.tables import metadata


def test_the_steps_make_the_tables_the_program_knows(database: Database) -> None:
    with database.owner_session() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_step_is_alembics_one_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schemas.migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_heads() == [newest()]


def empty(database: Database) -> None:
    with database.owner_session() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("GRANT USAGE ON SCHEMA public TO onegrid_app, onegrid_auditor"))


def test_two_at_once_and_again_are_as_one(database: Database) -> None:
    empty(database)
    with ThreadPoolExecutor(2) as both:
        list(both.map(migrate, [database, database]))
    migrate(database)
    with database.owner_session() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [newest()]


def test_a_failed_step_leaves_the_old_schema(database: Database) -> None:
    empty(database)
    with database.owner_session() as connection:
        connection.execute(text("CREATE TABLE ix_load_source_id (in_the_way int)"))
    with pytest.raises(DatabaseError, match="ix_load_source_id"):
        migrate(database)
    with database.owner_session() as connection:
        assert inspect(connection).get_table_names() == ["ix_load_source_id"]
