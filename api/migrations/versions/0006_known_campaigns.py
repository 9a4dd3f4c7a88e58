"""Known campaigns, and what a user was told where it was not the model's verdict.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_campaigns",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("campaign_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=16), nullable=False),
        sa.Column("positive", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("any_host", sa.Boolean(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.Column("signed", sa.String(length=4), nullable=False),
        sa.Column("reviewers", sa.JSON(), nullable=False),
        sa.Column("reporters", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("checked", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_campaigns")),
        sa.UniqueConstraint("campaign_id", "label", name="uq_known_campaigns_campaign_label"),
    )
    with op.batch_alter_table("known_campaigns", schema=None) as batch_op:
        batch_op.create_index("ix_known_campaigns_sequence", ["sequence"], unique=False)
        batch_op.create_index(
            "ix_known_campaigns_standing", ["standing", "expires_at"], unique=False
        )
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sketch", sa.LargeBinary(), nullable=True))
        batch_op.add_column(sa.Column("known_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("told_label", sa.String(length=16), nullable=True))
        batch_op.create_index("ix_scans_known", ["known_id", "created_at"], unique=False)
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.add_column(sa.Column("told_label", sa.String(length=16), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_column("told_label")
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.drop_index("ix_scans_known")
        batch_op.drop_column("told_label")
        batch_op.drop_column("known_id")
        batch_op.drop_column("sketch")
    op.drop_table("known_campaigns")
