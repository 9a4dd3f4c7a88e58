"""The judge on the phone: releases, counts without text, and what it said of scans judged again.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "device_releases",
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("package", sa.String(length=71), nullable=False),
        sa.Column("judge", sa.Boolean(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("model_type", "number", name=op.f("pk_device_releases")),
    )
    op.create_table(
        "device_tallies",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("harmless", sa.Integer(), nullable=False),
        sa.Column("scam", sa.Integer(), nullable=False),
        sa.Column("unsure", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_tallies")),
    )
    op.create_index("ix_device_tallies_version", "device_tallies", ["model_type", "version"])
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.add_column(sa.Column("device_version", sa.String(length=63), nullable=True))
        batch_op.add_column(sa.Column("device_verdict", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.drop_column("device_verdict")
        batch_op.drop_column("device_version")
    op.drop_index("ix_device_tallies_version", table_name="device_tallies")
    op.drop_table("device_tallies")
    op.drop_table("device_releases")
