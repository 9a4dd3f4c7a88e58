"""Training runs."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class Run(Base):
    """One training run; a restart after a crash is the same run."""

    __tablename__ = "runs"
    __table_args__ = (Index("ix_runs_started_at", "started_at", "run_id"),)

    run_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    model_type: Mapped[str] = mapped_column(String(16))
    engine: Mapped[str] = mapped_column(String(64))
    trigger: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    message: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[str | None] = mapped_column(String(63))
    report_uri: Mapped[str | None] = mapped_column(String(1024))
    steps: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=1)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
