"""Judgements and saved views of reviewers."""

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from api.kit.database import Base

_GOLD = text("correct IS NOT NULL")
_FURTHER = text("look >= 2")


class Review(Base):
    """One reviewer's judgement of one item; stays on record when undone."""

    __tablename__ = "reviews"
    __table_args__ = (
        Index("ix_reviews_feedback", "feedback_id", "reviewer"),
        Index("ix_reviews_reviewer", "reviewer", "at"),
        Index("ix_reviews_gold", "reviewer", "at", postgresql_where=_GOLD, sqlite_where=_GOLD),
        Index("ix_reviews_gold_at", "at", postgresql_where=_GOLD, sqlite_where=_GOLD),
        Index("ix_reviews_further", "at", postgresql_where=_FURTHER, sqlite_where=_FURTHER),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    feedback_id: Mapped[str] = mapped_column(String(32))
    reviewer: Mapped[str] = mapped_column(String(128))
    decision: Mapped[str] = mapped_column(String(32), index=True)
    """Id shared by all items of one decision; an undo covers all of them."""
    action: Mapped[str] = mapped_column(String(8))
    notes: Mapped[str | None] = mapped_column(Text)
    tactic: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(8), default="item")
    look: Mapped[int] = mapped_column(default=1)
    """1: first look, 2: blind second look, 3: tie-break."""
    correct: Mapped[bool | None]
    """Whether the judgement was right; gold items only."""
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


IS_GOLD = Review.correct.is_not(None)
IS_FURTHER = Review.look >= literal_column("2")
"""A second look or a third. Written out instead of bound, so that the partial index serves it."""


class SavedView(Base):
    """A saved view of the queue."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("owner", "name", name="uq_saved_views_owner_name"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(String(64))
    query: Mapped[str] = mapped_column(Text)
    """Query string of the page's URL."""
    created_at: Mapped[datetime]


class ReviewQueue(Base):
    """A named queue: what it holds, and who works in it."""

    __tablename__ = "review_queues"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    languages: Mapped[list[str]]
    """ISO 639-1 codes; empty: all languages."""
    tactics: Mapped[list[str]]
    """Ids of tactics of the book of scams; empty: all."""
    members: Mapped[list[str]]
    """Users, and teams as `team:NAME`."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
