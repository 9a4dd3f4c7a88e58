"""Undo decisions on all items that they covered."""

from datetime import timedelta

from sqlalchemy import select

from api.audit import service as audit
from api.batches import service as batches
from api.feedback import repository
from api.kit.context import Context
from api.kit.outbox import post
from api.kit.tokens import Role
from api.known.becoming import reconsider
from api.known.looking import looks_ahead
from api.review import repository as reviews
from api.review.decisions import REPORTS, count
from api.tables import Feedback, Review
from shield.errors import Conflict, Forbidden
from shield.wire import FeedbackRead


@looks_ahead
def undo(ctx: Context, feedback_id: str, reason: str | None) -> FeedbackRead:
    """Undo a decision on all items that it covered.

    Raises:
        NotFound: There is no such item.
        Forbidden: Another reviewer decided, and the caller is not an admin.
        Conflict: The item is not decided, the time for an undo has passed, or a batch contains one
            of the items.
    """
    item = repository.locked(ctx, feedback_id)
    if item.status == "pending" and item.source != "gold":
        return _undo_look(ctx, item, reason)
    decision = _may_undo(ctx, item)
    batches.expire(ctx)  # a dead run's lease holds nothing back
    covered = _covered_by(ctx, item, decision)
    for one in covered:
        if one.batch_id is not None:
            raise Conflict(
                f"The training batch {one.batch_id} holds {one.id}, so the decision stands until "
                "that batch is released. If the message is poison, an admin can taint the version "
                "that learned from it (`shieldctl model taint`).",
                batchId=one.batch_id,
            )
    actions = [(one, "approve" if one.status == "approved" else "reject") for one in covered]
    for one in covered:
        _reopen(ctx, one)
    if decision is not None:
        reviews.take_back(ctx.session, decision, ctx.now)  # gold items that it covered as well
        post(ctx, REPORTS, decision)
    ctx.session.flush()
    for one, action in actions:
        count(ctx, one, action, -1)
    for campaign in {one.campaign_id for one in [item, *covered]}:
        reconsider(ctx, campaign)
    number = len(covered) + (item.source == "gold")
    audit.record(ctx, "feedback.undo", item.id, reason or "", covered=number)
    ctx.session.flush()
    return repository.readable(ctx, item)


def _may_undo(ctx: Context, item: Feedback) -> str | None:
    """Return the id of the decision on an item, if it may be undone."""
    if item.source == "gold":
        return _own_look(ctx, item).decision
    if item.reviewed_by != ctx.user and Role.ADMIN not in ctx.principal.roles:
        raise Forbidden(f"{item.reviewed_by} decided {item.id}; they or an admin may undo it.")
    if item.undo_until is None or item.undo_until < ctx.now:
        raise Conflict(f"The decision on {item.id} is too old to be undone.")
    return reviews.last_decision(ctx.session, item.id)


def _own_look(ctx: Context, item: Feedback) -> Review:
    own = reviews.standing_review(ctx.session, item.id, ctx.user)
    if own is None:
        raise Conflict(f"{item.id} is not decided, so there is nothing to undo.")
    if own.at < ctx.now - timedelta(seconds=ctx.settings.undo_seconds):
        raise Conflict(f"The decision on {item.id} is too old to be undone.")
    return own


def _undo_look(ctx: Context, item: Feedback, reason: str | None) -> FeedbackRead:
    """Undo the caller's judgement of an item that is not decided yet."""
    _own_look(ctx, item).undone_at = ctx.now
    item.looks -= 1
    item.looks_needed = min(item.looks_needed, item.looks + 1)
    reconsider(ctx, item.campaign_id)
    audit.record(ctx, "feedback.undo", item.id, reason or "", covered=1)
    ctx.session.flush()
    return repository.readable(ctx, item)


def _covered_by(ctx: Context, item: Feedback, decision: str | None) -> list[Feedback]:
    if decision is None:
        return [item]
    rows = ctx.session.scalars(
        select(Feedback)
        .join(Review, Review.feedback_id == Feedback.id)
        .where(
            Review.decision == decision, Review.undone_at.is_(None), Feedback.status != "pending"
        )
        .order_by(Feedback.id)
        .with_for_update(of=Feedback)
    )
    return list(rows)


def _reopen(ctx: Context, item: Feedback) -> None:
    item.status = "pending"
    item.reviewed_by = item.reviewed_at = item.review_notes = None
    item.review_tactic = item.review_reason = None
    item.approved_at = item.undo_until = None
    item.looks, item.looks_needed = 0, 1
    item.updated_at = ctx.now
    reviews.mark_undone(ctx.session, item.id, ctx.now)
