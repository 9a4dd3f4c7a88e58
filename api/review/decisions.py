"""Deciding: one item or its campaign, with second looks, gold items and undo."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from api.audit import service as audit
from api.batches import service as batches
from api.campaigns.models import Campaign
from api.feedback import repository
from api.feedback.models import Feedback, User
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.tokens import Role
from api.metrics.prometheus import DECISIONS
from api.review import repository as reviews
from api.review.models import Review
from shield.errors import AlreadyReviewed, Conflict, Forbidden
from shield.labels import LABELS, ModelType
from shield.wire import FeedbackRead, FeedbackStatus, ReviewAction, ReviewRequest

ACTIVE_SECONDS = 30 * 86400
_STATUS = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True)
class Decided:
    """What a decision led to."""

    item: FeedbackRead
    covered: int
    """Items that were decided by it, this one included; 0 while another look is wanted."""
    message: str


def decide(ctx: Context, feedback_id: str, request: ReviewRequest) -> Decided:
    """Approve or reject an item, or with it its whole campaign.

    Raises:
        NotFound: There is no such item.
        Forbidden: It is the reviewer's own report.
        AlreadyReviewed: Somebody else, or the reviewer, has decided; the message names who.
        Conflict: Another reviewer has claimed it.
    """
    item = repository.locked(ctx, feedback_id)
    _may_decide(ctx, item)
    decision = new_id(ctx.now)
    if item.source == "gold":
        return _judge_gold(ctx, item, request, decision)
    outcome = _look(ctx, item, request, decision)
    if outcome is None:
        shown = repository.readable(ctx, item)
        return Decided(shown, 0, "Recorded. Another reviewer takes a look as well.")
    settle(ctx, item, outcome, request.notes)
    _settle_twin(ctx, item, outcome, decision, request)
    covered = 1
    if request.scope == "campaign":
        covered += _cover_campaign(ctx, item, decision, request)
    audit.record(
        ctx,
        "feedback." + outcome,
        item.id,
        request.notes or "",
        scope=request.scope,
        covered=covered,
        campaign=item.campaign_id,
    )
    word = _STATUS[outcome]
    message = f"Feedback {word}." if covered == 1 else f"{covered} items of the campaign decided."
    return Decided(repository.readable(ctx, item), covered, message)


def _may_decide(ctx: Context, item: Feedback) -> None:
    if item.user_id == ctx.user:
        raise Forbidden(
            f"{item.id} is your own report. Another reviewer has to decide it; take the next one."
        )
    if item.status != "pending":
        raise AlreadyReviewed(
            f"{item.reviewed_by} has {item.status} {item.id} already. Take the next one.",
            reviewedBy=item.reviewed_by,
            decision=item.status,
        )
    claimed_by_other = item.claimed_by not in (None, ctx.user)
    if claimed_by_other and item.claimed_until and item.claimed_until > ctx.now:
        raise Conflict(
            f"{item.claimed_by} is looking at {item.id} until "
            f"{item.claimed_until:%H:%M:%S} UTC. Take the next one.",
            claimedBy=item.claimed_by,
        )
    if reviews.judged_by(ctx.session, item.id, ctx.user):
        raise AlreadyReviewed(
            f"You have judged {item.id} already; another reviewer takes the next look.",
            reviewedBy=ctx.user,
        )


def _judge_gold(ctx: Context, item: Feedback, request: ReviewRequest, decision: str) -> Decided:
    _write_review(ctx, item, request, decision, correct=request.action == item.gold_answer)
    # The answer looks like any other: whoever knows which items are gold reviews them better.
    shown = repository.readable(ctx, item)
    shown = shown.model_copy(
        update={
            "status": FeedbackStatus(_STATUS[request.action]),
            "reviewed_by": ctx.user,
            "reviewed_at": ctx.now,
            "review_notes": request.notes,
        }
    )
    return Decided(shown, 1, f"Feedback {_STATUS[request.action]}.")


def _look(ctx: Context, item: Feedback, request: ReviewRequest, decision: str) -> str | None:
    """Record one judgement; return the decision, or `None` while another look is needed."""
    if item.looks == 0 and _drawn_for_second_look(ctx, item):
        item.looks_needed = 2
    _write_review(ctx, item, request, decision, correct=None)
    item.looks += 1
    item.claimed_by = item.claimed_until = None
    if item.looks < item.looks_needed:
        return None
    actions = reviews.standing_actions(ctx.session, item.id)
    approvals = sum(action == ReviewAction.APPROVE for action in actions)
    if 2 * approvals == len(actions):
        item.looks_needed = 3
        return None
    return "approve" if 2 * approvals > len(actions) else "reject"


def _drawn_for_second_look(ctx: Context, item: Feedback) -> bool:
    draw = int.from_bytes(hashlib.blake2b(item.id.encode(), digest_size=8).digest()) / 2**64
    if draw >= ctx.settings.second_review_share:
        return False
    since = ctx.now - timedelta(seconds=ACTIVE_SECONDS)
    # A lone reviewer would wait for ever for a second opinion.
    return reviews.somebody_else_reviews(ctx.session, ctx.user, since, item.user_id)


def _write_review(
    ctx: Context, item: Feedback, request: ReviewRequest, decision: str, correct: bool | None
) -> None:
    ctx.session.add(
        Review(
            id=new_id(ctx.now),
            decision=decision,
            feedback_id=item.id,
            reviewer=ctx.user,
            action=request.action.value,
            notes=request.notes,
            scope=request.scope,
            look=item.looks + 1,
            correct=correct,
            at=ctx.now,
        )
    )
    ctx.session.flush()


def settle(ctx: Context, item: Feedback, action: str, notes: str | None) -> None:
    """Write a decision into an item, its reporter's record and its campaign."""
    item.status = _STATUS[action]
    item.reviewed_by = ctx.user
    item.reviewed_at = item.updated_at = ctx.now
    item.review_notes = notes
    item.approved_at = ctx.now if action == "approve" else None
    item.undo_until = ctx.now + timedelta(seconds=ctx.settings.undo_seconds)
    item.claimed_by = item.claimed_until = None
    _count(ctx, item, action, +1)
    ctx.after_commit.append(lambda: DECISIONS.labels(action).inc())


def _count(ctx: Context, item: Feedback, action: str, by: int) -> None:
    if item.source == "report":
        column = User.approved if action == "approve" else User.rejected
        ctx.session.execute(
            update(User).where(User.id == item.user_id).values({column: column + by})
        )
    values: dict[str, Any] = {"pending": Campaign.pending - by}
    if by > 0:
        truth = truth_of(item, action)
        values |= {"decided_label": truth, "decided_by": ctx.user, "decided_at": ctx.now}
    else:
        values |= {"decided_label": None, "decided_by": None, "decided_at": None}
    ctx.session.execute(
        update(Campaign)
        .where(Campaign.id == item.campaign_id)
        .values(values)
        .execution_options(synchronize_session="fetch")
    )


def truth_of(item: Feedback, action: str) -> str:
    """Return the label that a decision makes true."""
    if action == "approve":
        return item.corrected_label
    labels = LABELS[ModelType(item.model_type)]
    return labels.negative if item.corrected_label == labels.positive else labels.positive


def _settle_twin(
    ctx: Context, item: Feedback, action: str, decision: str, request: ReviewRequest
) -> None:
    """Settle a report and a sampled item of the same scan together: they ask the same question."""
    twin = reviews.twin(ctx.session, item)
    if twin is None or twin.status != "pending" or twin.user_id == ctx.user or twin.looks:
        return
    same = twin.corrected_label == truth_of(item, action)
    judged = ReviewAction.APPROVE if same else ReviewAction.REJECT
    _write_review(ctx, twin, request.model_copy(update={"action": judged}), decision, correct=None)
    twin.looks += 1
    settle(ctx, twin, judged.value, request.notes)


def _cover_campaign(ctx: Context, item: Feedback, decision: str, request: ReviewRequest) -> int:
    """Settle what else waits in the campaign by the label that is now known to be true."""
    truth = truth_of(item, request.action.value)
    others = reviews.coverable(ctx.session, item, ctx.user, ctx.now)
    for other in others:
        action = ReviewAction.APPROVE if other.corrected_label == truth else ReviewAction.REJECT
        covered = request.model_copy(update={"action": action})
        _write_review(ctx, other, covered, decision, correct=None)
        other.looks += 1
        settle(ctx, other, action.value, request.notes)
    return len(others)


def undo(ctx: Context, feedback_id: str, reason: str | None) -> FeedbackRead:
    """Take back a decision, with everything that it covered.

    Raises:
        NotFound: There is no such item.
        Forbidden: Somebody else decided, and the caller is no admin.
        Conflict: It is not decided, it is too late, or a batch holds one of its items.
    """
    item = repository.locked(ctx, feedback_id)
    if item.status == "pending":
        return _undo_look(ctx, item, reason)
    if item.reviewed_by != ctx.user and Role.ADMIN not in ctx.principal.roles:
        raise Forbidden(f"{item.reviewed_by} decided {item.id}; they or an admin may undo it.")
    if item.undo_until is None or item.undo_until < ctx.now:
        raise Conflict(f"The decision on {item.id} is too old to be undone.")
    batches.expire(ctx)  # a dead run's lease holds nothing back
    covered = _covered_by_decision(ctx, item)
    for one in covered:
        if one.batch_id is not None:
            raise Conflict(
                f"The training batch {one.batch_id} holds {one.id}, so the decision stands until "
                "that batch is released. If the message is poison, an admin can taint the version "
                "that learned from it (`shieldctl model taint`).",
                batchId=one.batch_id,
            )
    for one in covered:
        _reopen(ctx, one)
    audit.record(ctx, "feedback.undo", item.id, reason or "", covered=len(covered))
    ctx.session.flush()
    return repository.readable(ctx, item)


def _undo_look(ctx: Context, item: Feedback, reason: str | None) -> FeedbackRead:
    """Take back the caller's own judgement of an item that is not settled by it.

    Gold items answer just like the others: nobody shall learn which they are.
    """
    own = reviews.standing_review(ctx.session, item.id, ctx.user)
    if own is None:
        raise Conflict(f"{item.id} is not decided, so there is nothing to undo.")
    if own.at < ctx.now - timedelta(seconds=ctx.settings.undo_seconds):
        raise Conflict(f"The decision on {item.id} is too old to be undone.")
    own.undone_at = ctx.now
    if item.source != "gold":
        item.looks -= 1
        item.looks_needed = min(item.looks_needed, item.looks + 1)
    audit.record(ctx, "feedback.undo", item.id, reason or "", covered=1)
    ctx.session.flush()
    return repository.readable(ctx, item)


def _covered_by_decision(ctx: Context, item: Feedback) -> list[Feedback]:
    decision = reviews.last_decision(ctx.session, item.id)
    if decision is None:
        return [item]
    rows = ctx.session.scalars(
        select(Feedback)
        .join(Review, Review.feedback_id == Feedback.id)
        .where(Review.decision == decision, Feedback.status != "pending")
        .order_by(Feedback.id)
        .with_for_update(of=Feedback)
    )
    return list(rows)


def _reopen(ctx: Context, item: Feedback) -> None:
    action = "approve" if item.status == "approved" else "reject"
    _count(ctx, item, action, -1)
    item.status = "pending"
    item.reviewed_by = item.reviewed_at = item.review_notes = None
    item.approved_at = item.undo_until = None
    item.looks, item.looks_needed = 0, 1
    item.updated_at = ctx.now
    reviews.mark_undone(ctx.session, item.id, ctx.now)
