"""Named queues of reviewers, by language and tactic; quality of reviews by index.

Revision ID: 0024
Revises: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INDEXES = {
    "ix_campaigns_language": ("campaigns", ["language", "queue_key", "id"], "pending > 0"),
    "ix_campaigns_unsorted": (
        "campaigns",
        ["language", "queue_key"],
        "pending > 0 AND language IS NULL",
    ),
    "ix_feedback_assigned": (
        "feedback",
        ["assigned_to", "campaign_id"],
        "assigned_to IS NOT NULL",
    ),
    "ix_reviews_gold_at": ("reviews", ["at"], "correct IS NOT NULL"),
    "ix_reviews_further": ("reviews", ["at"], "look >= 2"),
}


def upgrade() -> None:
    # Nobody reads campaigns from the first new column to the end: what is built elsewhere is first.
    _build({name for name, (table, _, _) in _INDEXES.items() if table != "campaigns"})
    op.add_column("campaigns", sa.Column("language", sa.String(length=8), nullable=True))
    op.add_column("campaigns", sa.Column("tactic", sa.String(length=64), nullable=True))
    op.create_table(
        "review_queues",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("tactics", sa.JSON(), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_review_queues")),
    )
    _build({name for name, (table, _, _) in _INDEXES.items() if table == "campaigns"})


def _build(names: set[str]) -> None:
    for name, (table, columns, condition) in _INDEXES.items():
        if name in names:
            where = sa.text(condition)
            op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    op.drop_table("review_queues")
    for name, (table, _, _) in _INDEXES.items():
        op.drop_index(name, table_name=table)
    op.drop_column("campaigns", "tactic")
    op.drop_column("campaigns", "language")
