"""Records of reporters: corrections alone, fading with time.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNTED = """
UPDATE users SET
  record_at = CURRENT_TIMESTAMP,
  record_approved = (SELECT count(*) FROM feedback WHERE feedback.user_id = users.id
    AND source = 'report' AND status = 'approved' AND feedback_type <> 'confirmed'),
  record_rejected = (SELECT count(*) FROM feedback WHERE feedback.user_id = users.id
    AND source = 'report' AND status = 'rejected' AND feedback_type <> 'confirmed')
"""


def upgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("record_approved", "record_rejected"):
            batch_op.add_column(sa.Column(name, sa.Double(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("record_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(_COUNTED)
    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("record_approved", "record_rejected"):
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("users", schema=None) as batch_op:
        for name in ("record_approved", "record_rejected", "record_at"):
            batch_op.drop_column(name)
