"""Golden labels that reviewers were asked about."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base


class GoldenLabel(Base):
    """A golden message whose label models contradicted; its item tells how it was decided."""

    __tablename__ = "golden_labels"

    model_type: Mapped[str] = mapped_column(String(16), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    """In its corpus."""
    label: Mapped[str] = mapped_column(String(16))
    """In the golden set, when reviewers were asked."""
    version: Mapped[str] = mapped_column(String(63))
    """The version whose evaluation asked."""
    feedback_id: Mapped[str] = mapped_column(String(32))
    """Its item in the queue."""
    created_at: Mapped[datetime]
