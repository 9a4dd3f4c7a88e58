"""Releases of versions to phones, and counts of the phones' verdicts."""

from datetime import date, datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class DeviceRelease(Base):
    """One change of the version on phones. Append-only."""

    __tablename__ = "device_releases"

    model_type: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Increasing, at least the Unix time, so that a restored database does not reuse numbers."""
    version: Mapped[str] = mapped_column(String(63))
    package: Mapped[str] = mapped_column(String(71))
    judge: Mapped[bool]
    issued_at: Mapped[datetime]


class DeviceTally(Base):
    """A count of scans on one phone, stored without the user and the hour."""

    __tablename__ = "device_tallies"
    __table_args__ = (Index("ix_device_tallies_version", "model_type", "version"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(63))
    day: Mapped[date]
    harmless: Mapped[int]
    scam: Mapped[int]
    unsure: Mapped[int]
