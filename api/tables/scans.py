"""Scans, and what went wrong while answering them."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Scan(Base):
    """One message and its verdict. The text is encrypted; erasure empties it and the owner."""

    __tablename__ = "scans"
    __table_args__ = (
        Index("ix_scans_owner", "user_id", "created_at", "id"),
        Index("ix_scans_evidence", "model_type", "model_version", "created_at"),
        Index("ix_scans_fingerprint", "fingerprint"),
        Index("ix_scans_created_at", "created_at"),
        Index("ix_scans_known", "known_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    scan_type: Mapped[str] = mapped_column(String(16))
    model_type: Mapped[str] = mapped_column(String(16))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    fingerprint: Mapped[str] = mapped_column(String(32))
    """Keyed hash of folded text and hosts: equal messages count together without being read."""
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed sketch (`api.kit.signature.packed`): what a new known campaign would have changed."""
    known_id: Mapped[str | None] = mapped_column(String(32))
    """The known campaign that it belonged to when it was scanned."""
    told_label: Mapped[str | None] = mapped_column(String(16))
    """What its owner was told where reviewers' decision answered. The columns below are the model's
    own, so that whatever judges models by them is not flattered."""
    verdict: Mapped[str] = mapped_column(String(16))
    positive: Mapped[bool]
    probability: Mapped[float]
    confidence: Mapped[float]
    certainty: Mapped[str | None] = mapped_column(String(8))
    """NULL: judged before versions said it; then it follows from the confidence."""
    model_version: Mapped[str] = mapped_column(String(63))
    arm: Mapped[str] = mapped_column(String(16))
    forced: Mapped[bool] = mapped_column(default=False)
    """A tester chose the arm: no evidence."""
    latency_ms: Mapped[float]
    processor_ms: Mapped[float | None]
    """What the model server itself has spent, waiting apart; NULL if it came from its cache."""
    created_at: Mapped[datetime]
    device_version: Mapped[str | None] = mapped_column(String(63))
    """The version that had judged it on the phone before, where there was one."""
    device_verdict: Mapped[str | None] = mapped_column(String(16))
    """And its label."""


class ShadowScore(Base):
    """What a shadow candidate would have said of a scan."""

    __tablename__ = "shadow_scores"
    __table_args__ = (Index("ix_shadow_scores_version", "model_version", "created_at"),)

    scan_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_version: Mapped[str] = mapped_column(String(63), primary_key=True)
    verdict: Mapped[str] = mapped_column(String(16))
    positive: Mapped[bool]
    probability: Mapped[float]
    latency_ms: Mapped[float]
    processor_ms: Mapped[float | None]
    created_at: Mapped[datetime]


class Comparison(Base):
    """One message of a trial that both versions have scored, of a user who lets people read along.

    What was said by whom stays here, out of the reviewers' sight.
    """

    __tablename__ = "comparisons"
    __table_args__ = (Index("ix_comparisons_trial", "candidate", "stable", "created_at"),)

    scan_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    candidate: Mapped[str] = mapped_column(String(63))
    stable: Mapped[str] = mapped_column(String(63))
    candidate_verdict: Mapped[str] = mapped_column(String(16))
    stable_verdict: Mapped[str] = mapped_column(String(16))
    apart: Mapped[bool]
    """The verdicts differ."""
    counts: Mapped[bool]
    """No repetition, and not one message too many of its user."""
    share: Mapped[float]
    """Share at which it was drawn, or would have been if the verdicts differed; 0 if not at all."""
    drawn: Mapped[bool]
    """A reviewer was asked."""
    created_at: Mapped[datetime]


class ArmFailure(Base):
    """One request that a version should have answered and did not."""

    __tablename__ = "arm_failures"
    __table_args__ = (Index("ix_arm_failures_version", "model_version", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    model_version: Mapped[str] = mapped_column(String(63))
    arm: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
