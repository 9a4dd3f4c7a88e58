"""Queries about judgements and the queue."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from api.tables import Campaign, Feedback, Review, Scan

MOST_SHOWN = 500
"""Items that one decision on a campaign settles at most."""


def judged_by(session: Session, feedback_id: str, reviewer: str) -> bool:
    """Tell whether a reviewer has a standing judgement on an item."""
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
    """Return a reviewer's standing judgement on an item."""
    return session.scalar(
        select(Review).where(
            Review.feedback_id == feedback_id,
            Review.reviewer == reviewer,
            Review.undone_at.is_(None),
        )
    )


def standing_actions(session: Session, feedback_id: str) -> Sequence[str]:
    """Return the judgements on an item that were not taken back."""
    return session.scalars(
        select(Review.action).where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
    ).all()


def somebody_else_reviews(session: Session, reviewer: str, since: datetime, reporter: str) -> bool:
    """Tell whether another reviewer, not the reporter either, was active since then."""
    return bool(
        session.scalar(
            select(exists().where(Review.reviewer.not_in([reviewer, reporter]), Review.at >= since))
        )
    )


def last_decision(session: Session, feedback_id: str) -> str | None:
    """Return the id of the decision that settled an item."""
    return session.scalar(
        select(Review.decision)
        .where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
        .order_by(Review.at.desc(), Review.id.desc())
        .limit(1)
    )


def last_decided(session: Session, item: Feedback) -> Feedback | None:
    """Return the item of the same campaign that was decided last and still is."""
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
    """Take back all standing judgements on an item; they stay on record."""
    session.execute(
        update(Review)
        .where(Review.feedback_id == feedback_id, Review.undone_at.is_(None))
        .values(undone_at=now)
    )


def take_back(session: Session, decision: str, now: datetime) -> None:
    """Take back all standing judgements of one decision; they stay on record."""
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
    """Return the other item about the same scan (a report's sample, or a sample's report)."""
    return session.scalar(
        select(Feedback)
        .where(Feedback.scan_id == item.scan_id, Feedback.id != item.id, Feedback.source != "gold")
        .with_for_update()
    )


def coverable(
    session: Session, item: Feedback, reviewer: str, now: datetime, shown: Sequence[str] | None
) -> Sequence[Feedback]:
    """Return what else of the item's campaign one decision may settle; locked.

    `shown` are the items that the reviewer has seen; `None`: what reads like the item.
    """
    seen: ColumnElement[bool] = Feedback.id.in_(shown or [])
    if shown is None:
        form = select(Scan.fingerprint).where(Scan.id == item.scan_id).scalar_subquery()
        seen = exists().where(Scan.id == Feedback.scan_id, Scan.fingerprint == form)
    return session.scalars(
        select(Feedback)
        .where(
            Feedback.campaign_id == item.campaign_id,
            Feedback.id != item.id,
            Feedback.source != "gold",
            Feedback.looks == 0,
            seen,
            free_for(reviewer, now),
        )
        .order_by(Feedback.id)
        .with_for_update()
    ).all()


def shown_with(
    session: Session, campaign_id: str, forms: Sequence[str], reviewer: str, now: datetime
) -> Sequence[str]:
    """Return the items of a campaign that wait, and read like one of the forms that are shown."""
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
    """Return the items that a reviewer may decide."""
    return select(Feedback).where(free_for(reviewer, now), *filters)


def campaign_queue(
    reviewer: str, now: datetime, filters: Sequence[ColumnElement[bool]]
) -> Select[Campaign]:
    """Return the campaigns that hold an item which a reviewer may decide."""
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
    """Return the first items of each campaign, `most` at most, that stand for it in the queue."""
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
    found: dict[str, list[tuple[Feedback, Scan]]] = {}
    for item, scan in rows:
        found.setdefault(item.campaign_id or "", []).append((item, scan))
    return found
