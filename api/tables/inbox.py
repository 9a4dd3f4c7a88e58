"""What people are told afterwards, and verdicts that were corrected after they were told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Notice(Base):
    """One thing that a user is told. No message text: it is read from the scan when it is shown."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_owner", "user_id", "sequence"),
        Index("ix_notices_subject", "subject", "user_id"),
        Index("ix_notices_sequence", "sequence"),
        Index("ix_notices_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int]
    """Given under a lock, in the order of commits: a cursor that stands behind it misses nothing,
    whatever the clocks of the processes say."""
    user_id: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(32))
    """The report or the known campaign that it comes of."""
    scan_id: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    """`told`, `found` and, of a report, `campaign`."""
    superseded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Revision(Base):
    """What is right of a scan whose owner was told otherwise. Beside the scan, off its path."""

    __tablename__ = "revisions"
    __table_args__ = (
        Index("ix_revisions_known", "known_id"),
        Index("ix_revisions_owner", "user_id"),
    )

    scan_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    known_id: Mapped[str] = mapped_column(String(32))
    label: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
