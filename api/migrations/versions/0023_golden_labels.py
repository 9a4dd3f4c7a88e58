"""Golden labels that reviewers are asked about.

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "golden_labels",
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("feedback_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("model_type", "message_id", name=op.f("pk_golden_labels")),
    )


def downgrade() -> None:
    op.drop_table("golden_labels")
