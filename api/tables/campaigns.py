"""Campaigns and the index that finds them."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, LargeBinary, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base

_WAITING = text("pending > 0")
_UNSORTED = text("pending > 0 AND language IS NULL")


def _order(name: str, *columns: str) -> Index:
    """Return the index of an order of the queue: it holds the campaigns that wait, no others."""
    return Index(name, *columns, "id", postgresql_where=_WAITING, sqlite_where=_WAITING)


class Campaign(Base):
    """Near-identical messages of one model type."""

    __tablename__ = "campaigns"
    __table_args__ = (
        _order("ix_campaigns_queue", "queue_key"),
        _order("ix_campaigns_queue_model", "model_type", "queue_key"),
        _order("ix_campaigns_oldest", "first_seen"),
        _order("ix_campaigns_largest", "pending"),
        _order("ix_campaigns_language", "language", "queue_key"),
        Index(
            "ix_campaigns_unsorted",
            "language",
            "queue_key",
            postgresql_where=_UNSORTED,
            sqlite_where=_UNSORTED,
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    sample_scan_id: Mapped[str] = mapped_column(String(32))
    sample_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    """The first message, folded (`Form.packed`); new messages are compared with it."""
    signed: Mapped[str] = mapped_column(String(4), default="")
    """Mark of the key and algorithm of the bands."""
    pending: Mapped[int] = mapped_column(default=0)
    reports: Mapped[int] = mapped_column(default=0)
    decided_label: Mapped[str | None] = mapped_column(String(16))
    decided_by: Mapped[str | None] = mapped_column(String(128))
    decided_at: Mapped[datetime | None]
    burst: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(8))
    """ISO 639-1 code, or empty if it is uncertain. NULL until a queue first asks (`api.review.
    sorting`)."""
    tactic: Mapped[str | None] = mapped_column(String(64))
    """The nearest tactic of the book of scams, or empty; noted together with the language."""
    queue_key: Mapped[float]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]


IS_WAITING = Campaign.pending > literal_column("0")
"""Undecided items are in it. Written out instead of bound, so that partial indexes serve it."""


IS_UNSORTED = IS_WAITING & Campaign.language.is_(None)
"""It waits, and nobody has looked yet which language it is."""


class CampaignBand(Base):
    """One band of a campaign's sketch; messages that share a band are compared in full."""

    __tablename__ = "campaign_bands"

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    """Keyed hash of model type, hosts, band number and values, as a signed 64-bit number."""
    campaign_id: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)


class CampaignFingerprint(Base):
    """Fingerprint of an exact form of a campaign's message; its scans are the campaign's reach."""

    __tablename__ = "campaign_fingerprints"

    fingerprint: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16), primary_key=True)
    campaign_id: Mapped[str] = mapped_column(String(32), index=True)
