"""Runs that are planned, held, accepted and rolled back; what entities were before a run changed them."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0004"

STATEMENTS = """
ALTER TABLE run ADD COLUMN published_at TIMESTAMP WITH TIME ZONE;
ALTER TABLE run ADD COLUMN plan JSONB DEFAULT '{}' NOT NULL;
ALTER TABLE run ADD COLUMN feeds JSONB DEFAULT '[]' NOT NULL;
ALTER TABLE run ADD COLUMN about BIGINT;
ALTER TABLE run ADD COLUMN by TEXT;
UPDATE run SET published_at = (SELECT max(known_from) FROM membership m WHERE m.run = run.id) WHERE state = 'published';
CREATE TABLE entity_version (
    code TEXT NOT NULL,
    until_run BIGINT NOT NULL,
    status TEXT NOT NULL,
    merged_into TEXT,
    division TEXT,
    grid TEXT,
    basis TEXT,
    records INTEGER NOT NULL,
    sources INTEGER NOT NULL,
    changed_run BIGINT NOT NULL,
    CONSTRAINT pk_entity_version PRIMARY KEY (code, until_run)
);
CREATE INDEX ix_entity_version_until_run ON entity_version (until_run);
GRANT SELECT, INSERT, UPDATE, DELETE ON entity_version TO onegrid_app;
"""


def upgrade() -> None:
    """A run of before is known since the last of its memberships; where it wrote none, since it ended."""
    op.get_bind().exec_driver_sql(STATEMENTS)
    op.get_bind().exec_driver_sql(
        "UPDATE run SET published_at = finished_at WHERE state = 'published' AND published_at IS NULL"
    )


def downgrade() -> None:
    """Plans and earlier versions end; what is published stays."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE entity_version; "
        "ALTER TABLE run DROP COLUMN published_at, DROP COLUMN plan, DROP COLUMN feeds, DROP COLUMN about, DROP COLUMN by"
    )
