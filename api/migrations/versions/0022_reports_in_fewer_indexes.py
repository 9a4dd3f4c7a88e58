"""A new report is in no index of batches or exports, where it was an empty entry.

Revision ID: 0022
Revises: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_feedback_batch": (["batch_id"], "batch_id IS NOT NULL"),
    "ix_feedback_export": (["status", "approved_at", "id"], "approved_at IS NOT NULL"),
}


def upgrade() -> None:
    for name, (columns, condition) in _INDEXES.items():
        where = sa.text(condition)
        op.drop_index(name, table_name="feedback")
        op.create_index(name, "feedback", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name, (columns, _) in _INDEXES.items():
        op.drop_index(name, table_name="feedback")
        op.create_index(name, "feedback", columns)
