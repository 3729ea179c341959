"""The first tables, and who may do what with them."""

from __future__ import annotations

from alembic import op

from schemas.tables import APPEND_ONLY, FOR_AUDITOR, metadata

revision = "0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    for name in metadata.tables:
        rights = "SELECT, INSERT" if name in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        op.execute(f'GRANT {rights} ON "{name}" TO onegrid_app')
    for name in FOR_AUDITOR:
        op.execute(f'GRANT SELECT ON "{name}" TO onegrid_auditor')
    op.execute("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO onegrid_app")


def downgrade() -> None:
    metadata.drop_all(op.get_bind())
