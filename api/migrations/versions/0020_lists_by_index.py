"""Indexes of the lists that read whole tables: decided items, the guide's examples, gold items'
judgements, unread notices, the audit log by action and by subject, known campaigns of a model type.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PARTIAL = {
    "ix_feedback_decided": ("feedback", ["reviewed_at", "id"], "reviewed_at IS NOT NULL"),
    "ix_feedback_agreed": ("feedback", ["scan_id"], "looks >= 2"),
    "ix_reviews_gold": ("reviews", ["reviewer", "at"], "correct IS NOT NULL"),
    "ix_notices_unread": ("notices", ["user_id"], "read_at IS NULL"),
}


def upgrade() -> None:
    for name, (table, columns, condition) in _PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.create_index("ix_audit_log_subject", "audit_log", ["subject", "sequence"])
    op.create_index("ix_audit_log_action", "audit_log", ["action", "sequence"])
    op.create_index("ix_known_campaigns_model", "known_campaigns", ["model_type", "id"])


def downgrade() -> None:
    op.drop_index("ix_known_campaigns_model", table_name="known_campaigns")
    op.drop_index("ix_audit_log_action", table_name="audit_log")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.create_index("ix_audit_log_subject", "audit_log", ["subject"])
    for name, (table, _, _) in _PARTIAL.items():
        op.drop_index(name, table_name=table)
