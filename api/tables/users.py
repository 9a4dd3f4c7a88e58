"""Users."""

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base
from api.kit.trust import Record

_MUTED = text("muted_until IS NOT NULL")


class User(Base):
    """A user, identified by the subject of their token."""

    __tablename__ = "users"
    __table_args__ = (
        # Every page of the queue asks who is muted: hardly anybody.
        Index("ix_users_muted", "muted_until", postgresql_where=_MUTED, sqlite_where=_MUTED),
    )

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)
    """Random pseudonym for reviewers and training data. Erasure deletes the link."""
    audit_consent: Mapped[bool] = mapped_column(default=False)
    approved: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    record_approved: Mapped[float] = mapped_column(default=0.0)
    """Approved corrections with fading weights, from which trust is computed."""
    record_rejected: Mapped[float] = mapped_column(default=0.0)
    record_at: Mapped[datetime | None]
    """Time of the two counts above."""
    muted_until: Mapped[datetime | None]
    """Until then the user's items are hidden from the queue."""
    created_at: Mapped[datetime]

    @property
    def record(self) -> Record:
        """Return the record from which trust is computed."""
        return Record(self.record_approved, self.record_rejected, self.record_at)


class PairingCode(Base):
    """A single-use code that connects a phone to an account; deleted after use or expiry."""

    __tablename__ = "pairing_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime]
