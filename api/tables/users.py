"""People who scan."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base
from api.kit.trust import Record


class User(Base):
    """A user, identified by the subject of their token."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(32), unique=True)
    """Random: what reviewers and training data see. Erasure cuts the link."""
    audit_consent: Mapped[bool] = mapped_column(default=False)
    approved: Mapped[int] = mapped_column(default=0)
    rejected: Mapped[int] = mapped_column(default=0)
    record_approved: Mapped[float] = mapped_column(default=0.0)
    """Approved corrections, older ones counted less: what trust comes from."""
    record_rejected: Mapped[float] = mapped_column(default=0.0)
    record_at: Mapped[datetime | None]
    """When the two counts before stood so."""
    muted_until: Mapped[datetime | None]
    """Their items are left out of the queue until then."""
    created_at: Mapped[datetime]

    @property
    def record(self) -> Record:
        """Return what trust comes from."""
        return Record(self.record_approved, self.record_rejected, self.record_at)


class PairingCode(Base):
    """What connects one phone to an account, once. Its row goes when it is used or too old."""

    __tablename__ = "pairing_codes"

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime]
