"""Queries about judgements and the queue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from api.tables import Campaign, Feedback, Review, Scan

MOST_SHOWN = 500
"""Most items that one decision on a campaign covers."""


def judged_by(session: Session, feedback_id: str, reviewer: str) -> bool:
    """Return whether a reviewer has a judgement on an item that was not undone."""
    return bool(
        session.scalar(
            select(
                exists().where(
                    Review.feedback_id == feedback_id,
                    Review.reviewer == reviewer,
                    Review.undone_at.is_(None),
                )
            )
        )
    )


def standing_review(session: Session, feedback_id: str, reviewer: str) -> Review | None:
    """Return a reviewer's judgement on an item that was not undone."""
    return session.scalar(
        select(Review).where(
            Review.feedback_id == feedback_id,
            Review.reviewer == reviewer,
            Review.undone_at.is_(None),
        )
    )


def standing_actions(session: Session, feedback_id: str) -> Sequence[str]:
    """Return the actions of an item's judgements that were not undone."""
    return session.scalars(
        select(Review.action).where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
    ).all()


def somebody_else_reviews(session: Session, reviewer: str, since: datetime, reporter: str) -> bool:
    """Return whether another reviewer, other than the reporter, was active since `since`."""
    return bool(
        session.scalar(
            select(exists().where(Review.reviewer.not_in([reviewer, reporter]), Review.at >= since))
        )
    )


def last_decision(session: Session, feedback_id: str) -> str | None:
    """Return the id of the decision on an item."""
    return session.scalar(
        select(Review.decision)
        .where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
        .order_by(Review.at.desc(), Review.id.desc())
        .limit(1)
    )


def last_decided(session: Session, item: Feedback) -> Feedback | None:
    """Return the item of the same campaign with the latest decision in force."""
    return session.scalar(
        select(Feedback)
        .where(
            Feedback.campaign_id == item.campaign_id,
            Feedback.status != "pending",
            Feedback.reviewed_at.is_not(None),
            Feedback.id != item.id,
        )
        .order_by(Feedback.reviewed_at.desc(), Feedback.id)
        .limit(1)
    )


def mark_undone(session: Session, feedback_id: str, now: datetime) -> None:
    """Mark all judgements on an item as undone; they stay on record."""
    session.execute(
        update(Review)
        .where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
        .values(undone_at=now)
    )


def take_back(session: Session, decision: str, now: datetime) -> None:
    """Mark all judgements of one decision as undone; they stay on record."""
    session.execute(
        update(Review)
        .where(Review.decision == decision, Review.undone_at.is_(None))
        .values(undone_at=now)
    )


def free_for(reviewer: str, now: datetime) -> ColumnElement[bool]:
    """Return the condition of items that a reviewer may decide now."""
    judged = exists().where(
        Review.feedback_id == Feedback.id,
        Review.reviewer == reviewer,
        Review.undone_at.is_(None),
    )
    return and_(
        Feedback.status == "pending",
        Feedback.user_id != reviewer,
        or_(
            Feedback.claimed_by.is_(None),
            Feedback.claimed_by == reviewer,
            Feedback.claimed_until < now,
        ),
        ~judged,
    )


def twin(session: Session, item: Feedback) -> Feedback | None:
    """Return the other item of the same scan (report or sample)."""
    return session.scalar(
        select(Feedback)
        .where(Feedback.scan_id == item.scan_id, Feedback.id != item.id, Feedback.source != "gold")
        .with_for_update()
    )


def coverable(
    session: Session, item: Feedback, reviewer: str, now: datetime, shown: Sequence[str] | None
) -> Sequence[Feedback]:
    """Return the other items of the campaign that a decision covers, locked for update.

    `shown` are ids of items that the reviewer saw; `None`: the items with the same text.
    """
    is_shown: ColumnElement[bool] = Feedback.id.in_(shown or [])
    if shown is None:
        form = select(Scan.fingerprint).where(Scan.id == item.scan_id).scalar_subquery()
        is_shown = exists().where(Scan.id == Feedback.scan_id, Scan.fingerprint == form)
    return session.scalars(
        select(Feedback)
        .where(
            Feedback.campaign_id == item.campaign_id,
            Feedback.id != item.id,
            Feedback.source != "gold",
            Feedback.looks == 0,
            is_shown,
            free_for(reviewer, now),
        )
        .order_by(Feedback.id)
        .with_for_update()
    ).all()


def shown_with(
    session: Session, campaign_id: str, forms: Sequence[str], reviewer: str, now: datetime
) -> Sequence[str]:
    """Return the undecided items of a campaign whose text equals one of the shown forms."""
    return session.scalars(
        select(Feedback.id)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(
            Feedback.campaign_id == campaign_id,
            Feedback.looks == 0,
            Scan.fingerprint.in_(forms),
            free_for(reviewer, now),
        )
        .order_by(Feedback.id)
        .limit(MOST_SHOWN)
    ).all()


def queue(reviewer: str, now: datetime, filters: Sequence[ColumnElement[bool]]) -> Select[Feedback]:
    """Return the query for items that a reviewer may decide."""
    return select(Feedback).where(free_for(reviewer, now), *filters)


def campaign_queue(
    reviewer: str, now: datetime, filters: Sequence[ColumnElement[bool]]
) -> Select[Campaign]:
    """Return the query for campaigns with an item that a reviewer may decide."""
    waiting = exists().where(Feedback.campaign_id == Campaign.id, free_for(reviewer, now), *filters)
    return select(Campaign).where(Campaign.pending > 0, waiting)


def firsts_of(
    session: Session,
    campaign_ids: Sequence[str],
    reviewer: str,
    now: datetime,
    filters: Sequence[ColumnElement[bool]],
    most: int,
) -> dict[str, list[tuple[Feedback, Scan]]]:
    """Return at most `most` first items of each campaign, which represent it in the queue."""
    order = (Feedback.queue_key, Feedback.id)
    place = func.row_number().over(partition_by=Feedback.campaign_id, order_by=order)
    first = (
        select(Feedback.id, place.label("place"))
        .where(Feedback.campaign_id.in_(campaign_ids), free_for(reviewer, now), *filters)
        .subquery()
    )
    rows = session.execute(
        select(Feedback, Scan)
        .join(first, first.c.id == Feedback.id)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(first.c.place <= most)
        .order_by(*order)
    )
    firsts: dict[str, list[tuple[Feedback, Scan]]] = {}
    for item, scan in rows:
        firsts.setdefault(item.campaign_id or "", []).append((item, scan))
    return firsts
