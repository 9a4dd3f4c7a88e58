"""The first schema.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "arm_failures",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("model_version", sa.String(length=63), nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arm_failures")),
    )
    with op.batch_alter_table("arm_failures", schema=None) as batch_op:
        batch_op.create_index("ix_arm_failures_version", ["model_version", "at"], unique=False)

    op.create_table(
        "audit_log",
        sa.Column("sequence", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=256), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_log")),
    )
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.create_index("ix_audit_log_subject", ["subject"], unique=False)

    op.create_table(
        "batch_items",
        sa.Column("batch_id", sa.String(length=64), nullable=False),
        sa.Column("feedback_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", "feedback_id", name=op.f("pk_batch_items")),
    )
    with op.batch_alter_table("batch_items", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_batch_items_feedback_id"), ["feedback_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_batch_items_user_id"), ["user_id"], unique=False)

    op.create_table(
        "batches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("uri", sa.String(length=1024), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("run_id", sa.String(length=128), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.create_index("ix_batches_lease", ["model_type", "status"], unique=False)
        batch_op.create_index("ix_batches_run", ["run_id"], unique=False)
        batch_op.create_index("ix_batches_sealed_at", ["sealed_at", "id"], unique=False)

    op.create_table(
        "campaign_bands",
        sa.Column("band", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("band", "campaign_id", name=op.f("pk_campaign_bands")),
    )
    with op.batch_alter_table("campaign_bands", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_bands_campaign_id"), ["campaign_id"], unique=False
        )

    op.create_table(
        "campaign_fingerprints",
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("campaign_id", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", "model_type", name=op.f("pk_campaign_fingerprints")),
    )
    with op.batch_alter_table("campaign_fingerprints", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_fingerprints_campaign_id"), ["campaign_id"], unique=False
        )

    op.create_table(
        "campaigns",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("sample_scan_id", sa.String(length=32), nullable=False),
        sa.Column("sample_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("decided_label", sa.String(length=16), nullable=True),
        sa.Column("decided_by", sa.String(length=128), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("burst", sa.Boolean(), nullable=False),
        sa.Column("queue_key", sa.Double(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
    )
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.create_index("ix_campaigns_queue", ["pending", "queue_key", "id"], unique=False)

    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("scan_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("scan_type", sa.String(length=16), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("feedback_type", sa.String(length=16), nullable=False),
        sa.Column("original_label", sa.String(length=16), nullable=False),
        sa.Column("corrected_label", sa.String(length=16), nullable=False),
        sa.Column("comment_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("model_version", sa.String(length=63), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reviewed_by", sa.String(length=128), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_notes", sa.Text(), nullable=True),
        sa.Column("undo_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looks_needed", sa.Integer(), nullable=False),
        sa.Column("looks", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("claimed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("campaign_id", sa.String(length=32), nullable=True),
        sa.Column("queue_key", sa.Double(), nullable=False),
        sa.Column("gold_answer", sa.String(length=8), nullable=True),
        sa.Column("batch_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("scan_id", "source", name="uq_feedback_scan_source"),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index("ix_feedback_batch", ["batch_id"], unique=False)
        batch_op.create_index("ix_feedback_campaign", ["campaign_id", "status"], unique=False)
        batch_op.create_index("ix_feedback_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_feedback_export", ["status", "approved_at", "id"], unique=False)
        batch_op.create_index("ix_feedback_owner", ["user_id"], unique=False)
        batch_op.create_index("ix_feedback_queue", ["status", "queue_key", "id"], unique=False)
        batch_op.create_index(
            "ix_feedback_sealing", ["model_type", "status", "source", "batch_id"], unique=False
        )

    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.String(length=128), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("body_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("caller", "key", name=op.f("pk_idempotency_keys")),
    )
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.create_index("ix_idempotency_keys_created_at", ["created_at"], unique=False)

    op.create_table(
        "promotion_ledger",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=False),
        sa.Column("previous_version", sa.String(length=63), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rollout_uid", sa.String(length=128), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotion_ledger")),
        sa.UniqueConstraint("rollout_uid", "sequence", name="uq_promotion_ledger_transition"),
    )
    with op.batch_alter_table("promotion_ledger", schema=None) as batch_op:
        batch_op.create_index("ix_promotion_ledger_model_type", ["model_type", "id"], unique=False)

    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("feedback_id", sa.String(length=32), nullable=False),
        sa.Column("reviewer", sa.String(length=128), nullable=False),
        sa.Column("decision", sa.String(length=32), nullable=False),
        sa.Column("action", sa.String(length=8), nullable=False),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("correct", sa.Boolean(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_decision"), ["decision"], unique=False)
        batch_op.create_index("ix_reviews_feedback", ["feedback_id", "reviewer"], unique=False)
        batch_op.create_index("ix_reviews_reviewer", ["reviewer", "at"], unique=False)

    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(length=128), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("trigger", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=63), nullable=True),
        sa.Column("report_uri", sa.String(length=1024), nullable=True),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_started_at", ["started_at", "run_id"], unique=False)

    op.create_table(
        "scans",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("scan_type", sa.String(length=16), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("positive", sa.Boolean(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("model_version", sa.String(length=63), nullable=False),
        sa.Column("arm", sa.String(length=16), nullable=False),
        sa.Column("forced", sa.Boolean(), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.create_index("ix_scans_created_at", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_scans_evidence", ["model_type", "model_version", "created_at"], unique=False
        )
        batch_op.create_index("ix_scans_fingerprint", ["fingerprint"], unique=False)
        batch_op.create_index("ix_scans_owner", ["user_id", "created_at", "id"], unique=False)

    op.create_table(
        "shadow_scores",
        sa.Column("scan_id", sa.String(length=32), nullable=False),
        sa.Column("model_version", sa.String(length=63), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("positive", sa.Boolean(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("latency_ms", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scan_id", "model_version", name=op.f("pk_shadow_scores")),
    )
    with op.batch_alter_table("shadow_scores", schema=None) as batch_op:
        batch_op.create_index(
            "ix_shadow_scores_version", ["model_version", "created_at"], unique=False
        )

    op.create_table(
        "users",
        sa.Column("id", sa.String(length=128), nullable=False),
        sa.Column("pseudonym", sa.String(length=32), nullable=False),
        sa.Column("audit_consent", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("pseudonym", name=op.f("uq_users_pseudonym")),
    )
    op.create_table(
        "versions",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("model_type", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("uri", sa.String(length=1024), nullable=False),
        sa.Column("parent", sa.String(length=63), nullable=True),
        sa.Column("batches", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.String(length=128), nullable=True),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("report_uri", sa.String(length=1024), nullable=True),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tainted", sa.Boolean(), nullable=False),
        sa.Column("taint_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_versions")),
        sa.UniqueConstraint("model_type", "digest", name="uq_versions_model_type_digest"),
        sa.UniqueConstraint("model_type", "number", name="uq_versions_model_type_number"),
    )
    op.create_table(
        "rollouts",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("uid", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("resource_version", sa.BigInteger(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    op.drop_table("rollouts")
    op.drop_table("versions")
    op.drop_table("users")
    with op.batch_alter_table("shadow_scores", schema=None) as batch_op:
        batch_op.drop_index("ix_shadow_scores_version")

    op.drop_table("shadow_scores")
    with op.batch_alter_table("scans", schema=None) as batch_op:
        batch_op.drop_index("ix_scans_owner")
        batch_op.drop_index("ix_scans_fingerprint")
        batch_op.drop_index("ix_scans_evidence")
        batch_op.drop_index("ix_scans_created_at")

    op.drop_table("scans")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_started_at")

    op.drop_table("runs")
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.drop_index("ix_reviews_reviewer")
        batch_op.drop_index("ix_reviews_feedback")
        batch_op.drop_index(batch_op.f("ix_reviews_decision"))

    op.drop_table("reviews")
    with op.batch_alter_table("promotion_ledger", schema=None) as batch_op:
        batch_op.drop_index("ix_promotion_ledger_model_type")

    op.drop_table("promotion_ledger")
    with op.batch_alter_table("idempotency_keys", schema=None) as batch_op:
        batch_op.drop_index("ix_idempotency_keys_created_at")

    op.drop_table("idempotency_keys")
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index("ix_feedback_sealing")
        batch_op.drop_index("ix_feedback_queue")
        batch_op.drop_index("ix_feedback_owner")
        batch_op.drop_index("ix_feedback_export")
        batch_op.drop_index("ix_feedback_created_at")
        batch_op.drop_index("ix_feedback_campaign")
        batch_op.drop_index("ix_feedback_batch")

    op.drop_table("feedback")
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_index("ix_campaigns_queue")

    op.drop_table("campaigns")
    with op.batch_alter_table("campaign_fingerprints", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_fingerprints_campaign_id"))

    op.drop_table("campaign_fingerprints")
    with op.batch_alter_table("campaign_bands", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_bands_campaign_id"))

    op.drop_table("campaign_bands")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_index("ix_batches_sealed_at")
        batch_op.drop_index("ix_batches_run")
        batch_op.drop_index("ix_batches_lease")

    op.drop_table("batches")
    with op.batch_alter_table("batch_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_items_user_id"))
        batch_op.drop_index(batch_op.f("ix_batch_items_feedback_id"))

    op.drop_table("batch_items")
    with op.batch_alter_table("audit_log", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_log_subject")

    op.drop_table("audit_log")
    with op.batch_alter_table("arm_failures", schema=None) as batch_op:
        batch_op.drop_index("ix_arm_failures_version")

    op.drop_table("arm_failures")
