"""Feeds of known campaigns from other deployments.

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_feeds",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_feeds")),
        sa.UniqueConstraint("public_key", name="uq_known_feeds_public_key"),
    )
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("origin_ref", sa.String(length=64), nullable=True))
        batch_op.create_index("ix_known_campaigns_origin", ["origin", "origin_ref"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.drop_index("ix_known_campaigns_origin")
        batch_op.drop_column("origin_ref")
        batch_op.drop_column("origin")
    op.drop_table("known_feeds")
