"""Deployments whose known campaigns are believed here."""

from datetime import datetime

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class KnownFeed(Base):
    """One deployment, by its key."""

    __tablename__ = "known_feeds"
    __table_args__ = (UniqueConstraint("public_key", name="uq_known_feeds_public_key"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    public_key: Mapped[str] = mapped_column(String(64))
    url: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]
    stated_at: Mapped[datetime | None]
    """`created` of the newest statement that was read: an older one is a replay."""
    read_at: Mapped[datetime | None]
    said: Mapped[str] = mapped_column(Text, default="Not read yet.")
