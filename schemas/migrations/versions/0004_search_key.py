"""Search keys without an index by code: what goes is known from the values before, and it was two thirds of the writing."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """The key (token, code) finds and removes."""
    op.get_bind().exec_driver_sql("DROP INDEX ix_search_key_code")


def downgrade() -> None:
    """Keys by code."""
    op.get_bind().exec_driver_sql("CREATE INDEX ix_search_key_code ON search_key (code)")
