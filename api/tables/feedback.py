"""Feedback: claims of users and samples about scans."""

from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base
from shield.wire import FeedbackColumns, ReportFacts

GOLDEN = "golden"
"""Source of items that ask for the label of a golden message."""
SEEDED = ("gold", GOLDEN)
"""Sources of items whose messages nobody has reported or scanned."""
CONTEST = "contest"
"""Source of items by which a sender without an account calls a message harmless."""
ALONE = (*SEEDED, CONTEST)
"""Sources of items that no decision on another item settles: reviewers look at each of them, two of
them where there are two."""

_PENDING = text("status = 'pending'")
"""What is decided leaves these indexes. Their first column says so once more, for SQLite, which
takes the index with the most columns that are equal to something."""
_DECIDED = text("reviewed_at IS NOT NULL")
_AGREED = text("looks >= 2")
_APPROVED = text("approved_at IS NOT NULL")
_TAUGHT = text("batch_id IS NOT NULL")
_ASSIGNED = text("assigned_to IS NOT NULL")
_COMMENTED = text("comment_sealed IS NOT NULL")


class Feedback(Base):
    """One claim about one scan. A review changes its status; a batch leases it."""

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("scan_id", "source", name="uq_feedback_scan_source"),
        Index(
            "ix_feedback_queue",
            "status",
            "queue_key",
            "id",
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        # All that says who may decide an item: the queue is counted without reading a row.
        Index(
            "ix_feedback_waiting",
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
            postgresql_where=_PENDING,
            sqlite_where=_PENDING,
        ),
        Index(
            "ix_feedback_decided",
            "reviewed_at",
            "id",
            postgresql_where=_DECIDED,
            sqlite_where=_DECIDED,
        ),
        Index("ix_feedback_agreed", "scan_id", postgresql_where=_AGREED, sqlite_where=_AGREED),
        Index(
            "ix_feedback_assigned",
            "assigned_to",
            "campaign_id",
            postgresql_where=_ASSIGNED,
            sqlite_where=_ASSIGNED,
        ),
        Index("ix_feedback_campaign", "campaign_id", "id"),
        Index(
            "ix_feedback_campaign_decided",
            "campaign_id",
            "reviewed_at",
            postgresql_where=_DECIDED,
            sqlite_where=_DECIDED,
        ),
        Index(
            "ix_feedback_campaign_comments",
            "campaign_id",
            "id",
            postgresql_where=_COMMENTED,
            sqlite_where=_COMMENTED,
        ),
        Index("ix_feedback_sealing", "model_type", "status", "source", "batch_id"),
        Index("ix_feedback_owner", "user_id"),
        # A report is written without entries in these.
        Index("ix_feedback_batch", "batch_id", postgresql_where=_TAUGHT, sqlite_where=_TAUGHT),
        Index(
            "ix_feedback_export",
            "status",
            "approved_at",
            "id",
            postgresql_where=_APPROVED,
            sqlite_where=_APPROVED,
        ),
        Index("ix_feedback_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    source: Mapped[str] = mapped_column(String(8), default="report")
    """`report`: a user's. `audit`: drawn from unreported scans. `shadow`: a shadow candidate said
    otherwise. `gold`: seeded, answer known. `golden`: a message of the golden set whose label every
    model contradicts. `contest`: a sender without an account calls it harmless."""
    scan_id: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[str] = mapped_column(String(128))
    scan_type: Mapped[str] = mapped_column(String(16))
    model_type: Mapped[str] = mapped_column(String(16))
    feedback_type: Mapped[str] = mapped_column(String(16))
    """The claim about the model's verdict, also if reviewers' decisions answered."""
    told_label: Mapped[str | None] = mapped_column(String(16))
    """The label shown to the reporter, if it was not the model's verdict."""
    original_label: Mapped[str] = mapped_column(String(16))
    corrected_label: Mapped[str] = mapped_column(String(16))
    comment_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    model_version: Mapped[str] = mapped_column(String(63))
    status: Mapped[str] = mapped_column(String(16), default="pending")
    reviewed_by: Mapped[str | None] = mapped_column(String(128))
    reviewed_at: Mapped[datetime | None]
    review_notes: Mapped[str | None] = mapped_column(Text)
    review_tactic: Mapped[str | None] = mapped_column(String(64))
    """Tactic from the book of scams, set by the reviewer."""
    review_reason: Mapped[str | None] = mapped_column(String(64))
    """Reason from the team's list."""
    undo_until: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    looks_needed: Mapped[int] = mapped_column(default=1)
    """Number of reviewers who must agree."""
    looks: Mapped[int] = mapped_column(default=0)
    """Number of judgements so far."""
    claimed_by: Mapped[str | None] = mapped_column(String(128))
    claimed_until: Mapped[datetime | None]
    assigned_to: Mapped[str | None] = mapped_column(String(128))
    """Assigned reviewer, or `team:NAME`; NULL: not assigned."""
    campaign_id: Mapped[str | None] = mapped_column(String(32))
    queue_key: Mapped[float]
    """Creation time in Unix seconds minus the bonus; the smallest comes first."""
    gold_answer: Mapped[str | None] = mapped_column(String(8))
    batch_id: Mapped[str | None] = mapped_column(String(64))
    """The leased or acknowledged batch that contains the row; NULL: free."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


IS_PENDING = Feedback.status == literal_column("'pending'")
"""Undecided. Written out instead of bound: a partial index serves no condition that a parameter may
change."""


WAS_AGREED = Feedback.looks >= literal_column("2")
"""At least two reviewers have judged it. Written out for the same reason."""


class JudgedScan(Protocol):
    """The values of a feedback row that come from its scan."""

    @property
    def id(self) -> str:
        """Return the scan's id."""

    @property
    def user_id(self) -> str:
        """Return the scan's owner."""

    @property
    def scan_type(self) -> str:
        """Return the scan type."""

    @property
    def model_type(self) -> str:
        """Return the model type that judged the scan."""

    @property
    def verdict(self) -> str:
        """Return the model's label."""

    @property
    def model_version(self) -> str:
        """Return the version that judged the scan."""


def fact_values(facts: ReportFacts) -> dict[str, Any]:
    """Return the column values of a reporter's facts."""
    values = {name: getattr(facts, name) for name in ReportFacts.model_fields}
    return {n: value.value if isinstance(value, Enum) else value for n, value in values.items()}


def pending_values(
    scan: JudgedScan,
    facts: ReportFacts,
    *,
    id: str,
    source: str,
    corrected_label: str,
    campaign_id: str,
    queue_key: float,
    now: datetime,
    comment_sealed: bytes | None = None,
    gold_answer: str | None = None,
    told_label: str | None = None,
) -> dict[str, Any]:
    """Return the column values of a new, undecided row. The only place that makes feedback rows.

    Args:
        scan: The scan of the row.
        facts: The reporter's claim; for a sampled scan a random one.
        id: Id of the row.
        source: `report`, `audit`, `shadow`, `gold`, `golden` or `contest`; see `Feedback.source`.
        corrected_label: The true label if the claim is right.
        campaign_id: The campaign of the scan.
        queue_key: See `Feedback.queue_key`.
        now: Creation time.
        comment_sealed: The reporter's comment, encrypted.
        gold_answer: The known answer of a gold item.
        told_label: The label shown to the reporter, if it was not the model's verdict.
    """
    return {
        **fact_values(facts),
        "id": id,
        "source": source,
        "scan_id": scan.id,
        "user_id": scan.user_id,
        "scan_type": scan.scan_type,
        "model_type": scan.model_type,
        "told_label": told_label,
        "original_label": scan.verdict,
        "corrected_label": corrected_label,
        "comment_sealed": comment_sealed,
        "model_version": scan.model_version,
        "status": "pending",
        "looks_needed": 1,
        "looks": 0,
        "campaign_id": campaign_id,
        "queue_key": queue_key,
        "gold_answer": gold_answer,
        "created_at": now,
        "updated_at": now,
    }


def shared_columns(row: Feedback) -> dict[str, Any]:
    """Return the columns that listings, exports and snapshots have in common."""
    return {name: getattr(row, name) for name in FeedbackColumns.model_fields}
