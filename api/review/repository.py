"""Queries about judgements and the queue."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from api.kit.database import by_no_index
from api.kit.paging import Sorted, counted
from api.tables import IS_PENDING, IS_WAITING, Campaign, Feedback, Review, Scan
from api.tables.feedback import ALONE

_LARGEST, _MANY = 100, 100_000
"""Campaigns are counted by their items unless the largest of them have more than so many."""
MOST_SHOWN = 500
"""Most items that one decision on a campaign covers."""
_LOOKED_THROUGH = 4 * MOST_SHOWN
PENDING_OF_SOME: ColumnElement[bool] = by_no_index(Feedback.status) == "pending"


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


def names() -> Select[Any]:
    """Return the query for the names of all who have decided, in order.

    One step through an index for each name: a `DISTINCT` reads every judgement that was ever made.
    """
    first = select(func.min(Review.reviewer).label("name")).cte("names", recursive=True)
    following = (
        select(func.min(Review.reviewer)).where(Review.reviewer > first.c.name).scalar_subquery()
    )
    walked = first.union_all(select(following).where(first.c.name.is_not(None)))
    return select(walked.c.name).where(walked.c.name.is_not(None)).order_by(walked.c.name)


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


def free_for(
    reviewer: str, now: datetime, pending: ColumnElement[bool] = IS_PENDING
) -> ColumnElement[bool]:
    """Return the condition of items that a reviewer may decide now.

    With `PENDING_OF_SOME` the database looks for them by another condition than that they wait.
    """
    # Most items that wait have been judged by nobody: their judgements are not looked up.
    judged = and_(
        or_(Feedback.looks > 0, Feedback.source == "gold"),
        exists().where(
            Review.feedback_id == Feedback.id,
            Review.reviewer == reviewer,
            Review.undone_at.is_(None),
        ),
    )
    return and_(
        pending,
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
            Feedback.source.not_in(ALONE),
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
    """Return the undecided items of a campaign whose text equals one of the shown forms.

    Of a campaign with very many items only the first ones are looked through.
    """
    first = (
        select(Feedback.id, Feedback.scan_id)
        .where(
            Feedback.campaign_id == campaign_id,
            Feedback.looks == 0,
            free_for(reviewer, now),
        )
        .order_by(Feedback.id)
        .limit(_LOOKED_THROUGH)
        .subquery()
    )
    return session.scalars(
        select(first.c.id)
        .join(Scan, Scan.id == first.c.scan_id)
        .where(Scan.fingerprint.in_(forms))
        .order_by(first.c.id)
        .limit(MOST_SHOWN)
    ).all()


def queue(reviewer: str, now: datetime, filters: Sequence[ColumnElement[bool]]) -> Select[Feedback]:
    """Return the query for items that a reviewer may decide."""
    return select(Feedback).where(free_for(reviewer, now), *filters)


def campaigns_in_order(
    reviewer: str,
    now: datetime,
    filters: Sequence[ColumnElement[bool]],
    model_type: str | None,
    order: Sorted,
    *,
    narrow: bool,
    firsts: int,
    pending: ColumnElement[bool] = IS_PENDING,
    within: Sequence[ColumnElement[bool]] = (),
) -> Select[Any]:
    """Return the query for the campaigns with an item that a reviewer may decide.

    Each row has `key` of the order, `id`, and the ids of the first items that represent it.

    Args:
        reviewer: Who asks.
        now: The time of the request.
        filters: Further conditions of the items.
        model_type: Only campaigns of this model type.
        order: The order of the page.
        narrow: Whether the filters leave few items. Then the database looks for these first, and
            sorts their campaigns. Otherwise the campaigns are read in order until the page is full:
            each is asked for an item by a subquery that cannot become a join, since a planner that
            underestimates the join reads and sorts all that wait.
        firsts: Number of items for each campaign.
        pending: See `free_for`.
        within: Conditions of the campaigns.
    """
    free = and_(Feedback.campaign_id == Campaign.id, free_for(reviewer, now), *filters)
    first = select(Feedback.id).where(free).order_by(Feedback.queue_key, Feedback.id).limit(1)
    query = select(
        order.key.label("key"),
        Campaign.id,
        *(first.offset(place).scalar_subquery() for place in range(firsts)),
    )
    query = query.where(IS_WAITING, *within).order_by(*order.order())
    if model_type is not None:
        query = query.where(Campaign.model_type == model_type)
    if narrow:
        few = select(by_no_index(Feedback.campaign_id)).where(
            free_for(reviewer, now, pending), *filters
        )
        return query.where(Campaign.id.in_(few))
    return query.where(first.order_by(None).scalar_subquery().is_not(None))


def waiting_campaigns(
    session: Session,
    reviewer: str,
    now: datetime,
    filters: Sequence[ColumnElement[bool]],
    model_type: str | None = None,
    pending: ColumnElement[bool] = IS_PENDING,
    within: Sequence[ColumnElement[bool]] = (),
) -> int:
    """Return the number of campaigns with an item that a reviewer may decide, up to a bound.

    An index holds all that is needed, campaign by campaign: it is read until the bound. Where few
    campaigns hold very many items, each campaign is asked for one instead.
    """
    largest = select(Campaign.pending).where(IS_WAITING).order_by(Campaign.pending.desc())
    some = largest.limit(_LARGEST).subquery()
    if within or (session.scalar(select(func.sum(some.c.pending))) or 0) > _MANY:
        order = Sorted(Campaign.queue_key, Campaign.id)
        each = campaigns_in_order(
            reviewer, now, filters, model_type, order, narrow=False, firsts=0, within=within
        )
        return counted(session, each)
    free = (Feedback.campaign_id.is_not(None), free_for(reviewer, now, pending), *filters)
    return counted(session, select(Feedback.campaign_id).where(*free).distinct())


def with_scans(session: Session, ids: Sequence[str]) -> dict[str, tuple[Feedback, Scan]]:
    """Return items with their scans, by the items' ids."""
    rows = session.execute(
        select(Feedback, Scan).join(Scan, Scan.id == Feedback.scan_id).where(Feedback.id.in_(ids))
    )
    return {item.id: (item, scan) for item, scan in rows}
