"""What users and the samples claim about scans."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Feedback(Base):
    """One claim about one scan. A review changes its status; a batch borrows it."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("scan_id", "source", name="uq_feedback_scan_source"),
        Index("ix_feedback_queue", "status", "queue_key", "id"),
        Index("ix_feedback_campaign", "campaign_id", "status"),
        Index("ix_feedback_sealing", "model_type", "status", "source", "batch_id"),
        Index("ix_feedback_owner", "user_id"),
        Index("ix_feedback_batch", "batch_id"),
        Index("ix_feedback_export", "status", "approved_at", "id"),
        Index("ix_feedback_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), default="report")
    """`report`: a user's. `audit`: drawn from unreported scans. `shadow`: a shadow candidate said
    otherwise. `gold`: seeded, answer known."""
    scan_id: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str] = mapped_column(String(128))
    scan_type: Mapped[str] = mapped_column(String(16))
    model_type: Mapped[str] = mapped_column(String(16))
    feedback_type: Mapped[str] = mapped_column(String(16))
    original_label: Mapped[str] = mapped_column(String(16))
    corrected_label: Mapped[str] = mapped_column(String(16))
    comment_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    model_version: Mapped[str] = mapped_column(String(63))
    status: Mapped[str] = mapped_column(String(16), default="pending")
    reviewed_by: Mapped[str | None] = mapped_column(String(128))
    reviewed_at: Mapped[datetime | None]
    review_notes: Mapped[str | None] = mapped_column(Text)
    undo_until: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    looks_needed: Mapped[int] = mapped_column(default=1)
    """Reviewers who must agree before the item is decided."""
    looks: Mapped[int] = mapped_column(default=0)
    """Judgements so far."""
    claimed_by: Mapped[str | None] = mapped_column(String(128))
    claimed_until: Mapped[datetime | None]
    campaign_id: Mapped[str | None] = mapped_column(String(32))
    queue_key: Mapped[float]
    """Seconds since 1970 at birth, less the bonus: the smaller, the sooner. Never starves."""
    gold_answer: Mapped[str | None] = mapped_column(String(8))
    batch_id: Mapped[str | None] = mapped_column(String(64))
    """The batch that holds the row now: leased or acknowledged. NULL: free."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
