"""Indexes of the queue that hold only what waits, and of the users who are muted.

Every page of the queue read all users three times to find those who are muted, sorted all campaigns
that wait, and counted them all.

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_PENDING = "status = 'pending'"
_WAITING = "pending > 0"
_OF_WAITING = {
    "ix_campaigns_queue": ["queue_key", "id"],
    "ix_campaigns_queue_model": ["model_type", "queue_key", "id"],
    "ix_campaigns_oldest": ["first_seen", "id"],
    "ix_campaigns_largest": ["pending", "id"],
}
_WHO_MAY_DECIDE = [
    "status",
    "campaign_id",
    "queue_key",
    "id",
    "model_type",
    "source",
    "user_id",
    "looks",
    "assigned_to",
    "claimed_by",
    "claimed_until",
]


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, postgresql_where=condition, sqlite_where=condition, unique=False
    )


def upgrade() -> None:
    op.drop_index("ix_campaigns_queue", table_name="campaigns")
    op.drop_index("ix_feedback_queue", table_name="feedback")
    for name, columns in _OF_WAITING.items():
        _partial(name, "campaigns", columns, _WAITING)
    _partial("ix_feedback_queue", "feedback", ["status", "queue_key", "id"], _PENDING)
    _partial("ix_feedback_waiting", "feedback", _WHO_MAY_DECIDE, _PENDING)
    _partial("ix_users_muted", "users", ["muted_until"], "muted_until IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_users_muted", table_name="users")
    op.drop_index("ix_feedback_waiting", table_name="feedback")
    op.drop_index("ix_feedback_queue", table_name="feedback")
    for name in _OF_WAITING:
        op.drop_index(name, table_name="campaigns")
    op.create_index("ix_feedback_queue", "feedback", ["status", "queue_key", "id"], unique=False)
    op.create_index("ix_campaigns_queue", "campaigns", ["pending", "queue_key", "id"], unique=False)
