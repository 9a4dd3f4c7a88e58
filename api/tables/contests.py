"""What senders of flagged messages have to say."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Contest(Base):
    """One sender's objection. How it was decided is read from its item of the queue."""

    __tablename__ = "contests"
    __table_args__ = (
        Index("ix_contests_receipt", "receipt", unique=True),
        Index("ix_contests_campaign", "campaign_id"),
        Index("ix_contests_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    receipt: Mapped[str] = mapped_column(String(64))
    """Keyed hash of what the sender was given."""
    user_id: Mapped[str] = mapped_column(String(128))
    """An invented user, who owns the message: erasing works as for anybody."""
    scan_id: Mapped[str] = mapped_column(String(32))
    scan_type: Mapped[str] = mapped_column(String(16))
    model_type: Mapped[str] = mapped_column(String(16))
    feedback_id: Mapped[str | None] = mapped_column(String(32))
    """Its item in the queue. NULL: nobody was warned of the message."""
    campaign_id: Mapped[str | None] = mapped_column(String(32))
    known_id: Mapped[str | None] = mapped_column(String(32))
    reason_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    contact_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    answered_by: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
