"""Known campaigns: reviewers' decisions that answer scans."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class KnownCampaign(Base):
    """One known campaign with its decided label."""

    __tablename__ = "known_campaigns"
    __table_args__ = (
        UniqueConstraint("campaign_id", "label", name="uq_known_campaigns_campaign_label"),
        Index("ix_known_campaigns_sequence", "sequence"),
        Index("ix_known_campaigns_standing", "standing", "expires_at"),
        Index("ix_known_campaigns_model", "model_type", "id"),
        Index("ix_known_campaigns_origin", "origin", "origin_ref"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int]
    """Number of the latest change; replicas load all entries with higher numbers."""
    model_type: Mapped[str] = mapped_column(String(16))
    campaign_id: Mapped[str] = mapped_column(String(32))
    label: Mapped[str] = mapped_column(String(16))
    positive: Mapped[bool]
    standing: Mapped[str] = mapped_column(String(16))
    """`checking`: matches are shown as unsure. `confirmed`: matches are answered. `refused`,
    `ended`, `undone`, `expired`: no matches."""
    any_host: Mapped[bool]
    """For a scam: whether the same words with another host are shown as unsure, because no harmless
    use of them is known."""
    kin: Mapped[bool] = mapped_column(default=False)
    """For a scam: whether similar messages are shown as unsure, for the same reason."""
    sketch: Mapped[bytes] = mapped_column(LargeBinary)
    """Keyed sketch of the message; empty after the erasure of all its messages."""
    signed: Mapped[str] = mapped_column(String(4))
    """Mark of the key and algorithm of the sketch."""
    reviewers: Mapped[list[str]]
    reporters: Mapped[int]
    """Distinct reporters at the time of the latest decision."""
    why: Mapped[str] = mapped_column(Text)
    """Reason for the standing."""
    checked: Mapped[dict[str, Any]]
    """Counts of the check against the last days' scans."""
    origin: Mapped[str | None] = mapped_column(String(32))
    """The feed that it came from; NULL: from our own reviewers."""
    origin_ref: Mapped[str | None] = mapped_column(String(64))
    """What it is called there."""
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    expires_at: Mapped[datetime]
