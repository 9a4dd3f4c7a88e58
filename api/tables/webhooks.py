"""Webhooks, events and their deliveries."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Webhook(Base):
    """A URL that receives events."""

    __tablename__ = "webhooks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[list[str]]
    """Event kinds; `known.*` includes all kinds with this prefix."""
    with_text: Mapped[bool]
    """Whether events include the messages' texts."""
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_by: Mapped[str] = mapped_column(String(128))
    created_at: Mapped[datetime]
    gone_at: Mapped[datetime | None]
    """When the receiver answered 410 Gone; no events are sent afterwards."""


class WebhookMessage(Base):
    """One event, without the messages' texts."""

    __tablename__ = "webhook_messages"
    __table_args__ = (Index("ix_webhook_messages_at", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class WebhookDelivery(Base):
    """The delivery of one event to one webhook."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("webhook_id", "message_id", name="uq_webhook_deliveries_once"),
        Index("ix_webhook_deliveries_message", "message_id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    webhook_id: Mapped[str] = mapped_column(String(32))
    message_id: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(16))
    """`waiting`, `delivered` or `failed`: given up."""
    attempts: Mapped[int]
    said: Mapped[str] = mapped_column(Text)
    """Result of the latest attempt."""
    tried_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
