"""Known campaigns: what reviewers have decided, and scans are answered by."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class KnownCampaign(Base):
    """One campaign, known as what reviewers have found it to be."""

    __tablename__ = "known_campaigns"
    __table_args__ = (
        UniqueConstraint("campaign_id", "label", name="uq_known_campaigns_campaign_label"),
        Index("ix_known_campaigns_sequence", "sequence"),
        Index("ix_known_campaigns_standing", "standing", "expires_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int]
    """Number of the latest change; replicas ask for what is newer than what they have."""
    model_type: Mapped[str] = mapped_column(String(16))
    campaign_id: Mapped[str] = mapped_column(String(32))
    label: Mapped[str] = mapped_column(String(16))
    positive: Mapped[bool]
    standing: Mapped[str] = mapped_column(String(16))
    """`checking`: matches are unsure. `confirmed`: matches are answered. `refused`, `ended`,
    `undone`, `expired`: no matches."""
    any_host: Mapped[bool]
    """Of a scam: the same words with another host are unsure, since nobody was seen to send them
    harmlessly."""
    kin: Mapped[bool] = mapped_column(default=False)
    """Of a scam: messages that read much like it are unsure, for the same reason."""
    sketch: Mapped[bytes] = mapped_column(LargeBinary)
    """Keyed sketch of its message; empty once nobody's message is left."""
    signed: Mapped[str] = mapped_column(String(4))
    """Mark of the key and definition that the sketch was made with."""
    reviewers: Mapped[list[str]]
    reporters: Mapped[int]
    """Distinct users who had reported it when it was last decided."""
    why: Mapped[str] = mapped_column(Text)
    """Why it stands as it does, in words."""
    checked: Mapped[dict[str, Any]]
    """What the look at the last days' scans has counted."""
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime]
    expires_at: Mapped[datetime]
