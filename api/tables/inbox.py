"""Notices to users, the phones that are woken for them, and verdicts that were corrected."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base

_UNREAD = text("read_at IS NULL")


class Notice(Base):
    """One notice to a user. Contains no message text, which is read from the scan when shown."""

    __tablename__ = "notices"
    __table_args__ = (
        Index("ix_notices_owner", "user_id", "sequence"),
        Index("ix_notices_unread", "user_id", postgresql_where=_UNREAD, sqlite_where=_UNREAD),
        Index("ix_notices_subject", "subject", "user_id"),
        Index("ix_notices_sequence", "sequence"),
        Index("ix_notices_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sequence: Mapped[int]
    """Assigned under a lock in the order of commits, so that a cursor misses no notice, whatever
    the clocks of the processes."""
    user_id: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(32))
    """The report or known campaign that caused the notice."""
    scan_id: Mapped[str] = mapped_column(String(32))
    facts: Mapped[dict[str, Any]]
    """JSON members `told`, `found` and, for a report, `campaign`."""
    superseded: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class Revision(Base):
    """The corrected label of a scan. A table of its own, so that scans need not read it."""

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


class PushSubscription(Base):
    """A phone that its user lets us wake (Web Push). Deleted once its push service forgets it."""

    __tablename__ = "push_subscriptions"
    __table_args__ = (Index("ix_push_subscriptions_user", "user_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    """From a hash of the endpoint: one phone is one row, however often it registers."""
    user_id: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """Endpoint and keys as JSON, encrypted: whoever has the endpoint can address the phone."""
    server_key: Mapped[str] = mapped_column(String(100))
    """Our public key that the phone has subscribed with."""
    created_at: Mapped[datetime]
