"""The first tables, and who may do what with them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Runs the SQL beside this file: frozen, so that `schemas.tables` may move on without changing this step."""
    op.get_bind().exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))


def downgrade() -> None:
    """There is nothing before the first step: drop the database instead."""
    raise NotImplementedError("Drop the database to go back before the first step.")
