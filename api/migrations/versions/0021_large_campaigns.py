"""Indexes for campaigns of very many items: their latest, decided and commented ones.

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_PARTIAL = {
    "ix_feedback_campaign_decided": (["campaign_id", "reviewed_at"], "reviewed_at IS NOT NULL"),
    "ix_feedback_campaign_comments": (["campaign_id", "id"], "comment_sealed IS NOT NULL"),
}


def upgrade() -> None:
    op.drop_index("ix_feedback_campaign", table_name="feedback")
    op.create_index("ix_feedback_campaign", "feedback", ["campaign_id", "id"])
    for name, (columns, condition) in _PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, "feedback", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name in _PARTIAL:
        op.drop_index(name, table_name="feedback")
    op.drop_index("ix_feedback_campaign", table_name="feedback")
    op.create_index("ix_feedback_campaign", "feedback", ["campaign_id", "status"])
