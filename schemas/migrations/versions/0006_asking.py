"""What is kept for asking who is meant: records of persons in short, the keys they are found by, homes and heads of
addresses.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0004"

STATEMENTS = """
CREATE TABLE ask_person (
    person BIGINT NOT NULL,
    code TEXT NOT NULL,
    division TEXT,
    digest BIGINT NOT NULL,
    tokens BIGINT[] NOT NULL,
    body BYTEA NOT NULL,
    CONSTRAINT pk_ask_person PRIMARY KEY (person)
);
CREATE TABLE ask_key (
    token BIGINT NOT NULL,
    person BIGINT NOT NULL,
    CONSTRAINT pk_ask_key PRIMARY KEY (token, person)
);
CREATE TABLE ask_home (
    dwelling BIGINT NOT NULL,
    code TEXT NOT NULL,
    CONSTRAINT pk_ask_home PRIMARY KEY (dwelling, code)
);
CREATE TABLE ask_head (
    area TEXT NOT NULL,
    text TEXT NOT NULL,
    head TEXT NOT NULL,
    CONSTRAINT pk_ask_head PRIMARY KEY (area, text)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ask_person, ask_key, ask_home, ask_head TO onegrid_app;
"""


def upgrade() -> None:
    """Empty: the next run fills them."""
    op.get_bind().exec_driver_sql(STATEMENTS)


def downgrade() -> None:
    """All of it can be made again from the records."""
    op.get_bind().exec_driver_sql("DROP TABLE ask_person, ask_key, ask_home, ask_head")
