"""Scans, comparisons of versions on them, and failures."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Scan(Base):
    """One message and its verdict. The text is encrypted; erasure clears text and owner."""

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
    """Keyed hash of folded text and hosts, equal for copies of a message."""
    sketch: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Keyed sketch (`api.kit.signature.packed`), to find scans similar to a new known campaign."""
    known_id: Mapped[str | None] = mapped_column(String(32))
    """The known campaign of the message at scan time."""
    told_label: Mapped[str | None] = mapped_column(String(16))
    """The label shown to the owner, if a reviewers' decision answered. The columns below are always
    the model's own, so that evaluations of models are not biased."""
    verdict: Mapped[str] = mapped_column(String(16))
    positive: Mapped[bool]
    probability: Mapped[float]
    confidence: Mapped[float]
    certainty: Mapped[str | None] = mapped_column(String(8))
    """NULL for scans of older releases; then it follows from the confidence."""
    model_version: Mapped[str] = mapped_column(String(63))
    arm: Mapped[str] = mapped_column(String(16))
    forced: Mapped[bool] = mapped_column(default=False)
    """Whether the scan is no evidence of its version: a tester chose the arm, a contest or a gold
    item made it, or a report on a phone's verdict brought it (then `device_version` is set). What
    was picked because somebody complained would make every rate too high."""
    latency_ms: Mapped[float]
    processor_ms: Mapped[float | None]
    """Processing time at the model server, without queueing; NULL for cached answers."""
    created_at: Mapped[datetime]
    device_version: Mapped[str | None] = mapped_column(String(63))
    """The version that judged the message on the phone, if any."""
    device_verdict: Mapped[str | None] = mapped_column(String(16))
    """The label of that version."""


class ShadowScore(Base):
    """A shadow candidate's verdict on a scan."""

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
    """One message of a trial scored by both versions, of a user who has consented to review.

    Reviewers do not see which version gave which verdict.
    """

    __tablename__ = "comparisons"
    __table_args__ = (Index("ix_comparisons_trial", "candidate", "stable", "created_at"),)

    scan_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    candidate: Mapped[str] = mapped_column(String(63))
    stable: Mapped[str] = mapped_column(String(63))
    candidate_verdict: Mapped[str] = mapped_column(String(16))
    stable_verdict: Mapped[str] = mapped_column(String(16))
    apart: Mapped[bool]
    """Whether the verdicts differ."""
    counts: Mapped[bool]
    """Whether the message counts: not a copy, and within its user's daily limit."""
    share: Mapped[float]
    """Probability of being drawn if the verdicts differ; 0 if excluded."""
    drawn: Mapped[bool]
    """Whether the message was drawn for review."""
    created_at: Mapped[datetime]


class ArmFailure(Base):
    """One request that a version failed to answer."""

    __tablename__ = "arm_failures"
    __table_args__ = (Index("ix_arm_failures_version", "model_version", "at"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    model_version: Mapped[str] = mapped_column(String(63))
    arm: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
