"""Sealed batches and their corrections."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Batch(Base):
    """A snapshot in the artifact store, and the run that holds its lease."""

    __tablename__ = "batches"
    __table_args__ = (
        Index("ix_batches_lease", "model_type", "status"),
        Index("ix_batches_run", "run_id"),
        Index("ix_batches_sealed_at", "sealed_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(String(71))
    uri: Mapped[str] = mapped_column(String(1024))
    count: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[str] = mapped_column(String(128))
    version: Mapped[str | None] = mapped_column(String(63))
    reason: Mapped[str | None] = mapped_column(Text)
    sealed_at: Mapped[datetime]
    lease_expires_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


class BatchItem(Base):
    """Membership of a correction in a batch; kept after the lease ends, for lineage."""

    __tablename__ = "batch_items"

    batch_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    feedback_id: Mapped[str] = mapped_column(String(32), primary_key=True, index=True)
    user_id: Mapped[str | None] = mapped_column(String(128), index=True)
