"""What explanations and as-of reads need: the levels behind an edge's weight, and past relations and memberships by index."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Edges scored before have no levels: the next run writes them anew."""
    bind = op.get_bind()
    bind.exec_driver_sql("ALTER TABLE edge ADD COLUMN levels bigint")
    bind.exec_driver_sql("CREATE INDEX ix_relation_past ON relation (code) WHERE known_to IS NOT NULL")
    bind.exec_driver_sql("CREATE INDEX ix_membership_past ON membership (record) WHERE known_to IS NOT NULL")


def downgrade() -> None:
    """Weights alone."""
    bind = op.get_bind()
    bind.exec_driver_sql("DROP INDEX ix_membership_past")
    bind.exec_driver_sql("DROP INDEX ix_relation_past")
    bind.exec_driver_sql("ALTER TABLE edge DROP COLUMN levels")
