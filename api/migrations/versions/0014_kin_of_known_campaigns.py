"""Whether messages that read much like a known scam are marked as unsure.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kin", sa.Boolean(), nullable=False, server_default=sa.false())
        )
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.alter_column("kin", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.drop_column("kin")
