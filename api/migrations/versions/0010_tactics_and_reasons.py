"""Decisions name a tactic and a reason.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, prefix in (("feedback", "review_"), ("reviews", "")):
        for name in ("tactic", "reason"):
            op.add_column(table, sa.Column(prefix + name, sa.String(length=64), nullable=True))


def downgrade() -> None:
    for table, prefix in (("feedback", "review_"), ("reviews", "")):
        for name in ("tactic", "reason"):
            op.drop_column(table, prefix + name)
