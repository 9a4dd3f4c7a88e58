"""Comparisons: what both versions of a trial said of the same message.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comparisons",
        sa.Column("scan_id", sa.String(length=32), nullable=False),
        sa.Column("candidate", sa.String(length=63), nullable=False),
        sa.Column("stable", sa.String(length=63), nullable=False),
        sa.Column("candidate_verdict", sa.String(length=16), nullable=False),
        sa.Column("stable_verdict", sa.String(length=16), nullable=False),
        sa.Column("apart", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("drawn", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scan_id", name=op.f("pk_comparisons")),
    )
    with op.batch_alter_table("comparisons", schema=None) as batch_op:
        batch_op.create_index(
            "ix_comparisons_trial", ["candidate", "stable", "created_at"], unique=False
        )


def downgrade() -> None:
    op.drop_table("comparisons")
