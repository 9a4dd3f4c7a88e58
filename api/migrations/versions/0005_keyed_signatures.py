"""Keyed signatures: bands and fingerprints of campaigns are made anew, under the deployment's key.

What was there had no key: who had the database could confirm a guessed message. The API makes them
anew from the stored messages when it starts (`api.campaigns.signing`); the migration has no key.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("signed", sa.String(length=4), nullable=False, server_default="")
        )
    op.execute("DELETE FROM campaign_bands")
    op.execute("DELETE FROM campaign_fingerprints")


def downgrade() -> None:
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("signed")
