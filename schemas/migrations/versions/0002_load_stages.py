"""What each stage of a load cost, as runs already say of theirs."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """A column with a default: nothing is rewritten."""
    op.get_bind().exec_driver_sql("ALTER TABLE load ADD COLUMN stages jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    """The costs are lost."""
    op.get_bind().exec_driver_sql("ALTER TABLE load DROP COLUMN stages")
