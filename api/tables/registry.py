"""Model versions and the promotion ledger."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Version(Base):
    """A registered package. Only status, deployment time and taint ever change."""

    __tablename__ = "versions"
    __table_args__ = (
        UniqueConstraint("model_type", "digest", name="uq_versions_model_type_digest"),
        UniqueConstraint("model_type", "number", name="uq_versions_model_type_number"),
    )

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(71))
    uri: Mapped[str] = mapped_column(String(1024))
    parent: Mapped[str | None] = mapped_column(String(63))
    batches: Mapped[list[str]]
    run_id: Mapped[str | None] = mapped_column(String(128))
    metrics: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    refusal: Mapped[str | None] = mapped_column(Text)
    report_uri: Mapped[str | None] = mapped_column(String(1024))
    trained_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    deployed_at: Mapped[datetime | None]
    tainted: Mapped[bool] = mapped_column(default=False)
    taint_reason: Mapped[str | None] = mapped_column(Text)


class LedgerRow(Base):
    """One transition of one rollout. Append-only."""

    __tablename__ = "promotion_ledger"
    __table_args__ = (
        UniqueConstraint("rollout_uid", "sequence", name="uq_promotion_ledger_transition"),
        Index("ix_promotion_ledger_model_type", "model_type", "id"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(63))
    previous_version: Mapped[str | None] = mapped_column(String(63))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(Text)
    rollout_uid: Mapped[str] = mapped_column(String(128))
    sequence: Mapped[int]
    evidence: Mapped[dict[str, Any]]
