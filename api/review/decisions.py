"""Decide items or campaigns, with second looks and gold items."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import update

from api.audit import service as audit
from api.feedback import repository
from api.kit.context import Context
from api.kit.counters import DECISIONS
from api.kit.ids import new_id
from api.kit.lots import lot
from api.kit.outbox import post
from api.known.becoming import reconsider
from api.known.looking import looks_ahead
from api.review import guide
from api.review import repository as reviews
from api.review.meaning import action_of, acts, already, finding, truth_of
from api.tables import Campaign, Feedback, Review, Scan, User
from api.tables.feedback import CONTEST, GOLDEN
from shield.errors import AlreadyReviewed, Conflict, Forbidden
from shield.labels import FeedbackType, is_scam
from shield.wire import (
    FeedbackRead,
    FeedbackStatus,
    ReviewAction,
    ReviewRequest,
)

ACTIVE_SECONDS = 30 * 86400
REPORTS = "reports"
"""Kind of outbox work that notifies reporters of a decision or its undo."""
_STATUS = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True)
class Decided:
    """The result of a decision."""

    item: FeedbackRead
    covered: int
    """Number of decided items, this one included; 0 while another look is required."""
    message: str


@looks_ahead
def decide(ctx: Context, feedback_id: str, request: ReviewRequest) -> Decided:
    """Approve or reject an item or its campaign.

    Raises:
        NotFound: There is no such item.
        Forbidden: The item is the reviewer's own report.
        AlreadyReviewed: The item is decided; the message names the reviewer.
        Conflict: Another reviewer has claimed the item, its reporter has changed it, or its message
            cannot be read.
        Invalid: The tactic is unknown, or a reason from the team's list is missing.
    """
    item = repository.locked(ctx, feedback_id)
    guide.check(ctx.settings, request)
    _may_decide(ctx, item)
    _same_claim(item, request)
    if not _is_readable(ctx, item):
        raise Conflict(
            f"The stored message of {item.id} cannot be read, so that nobody can tell what it is: "
            "neither approve nor reject it. Take the next one, and tell who runs the server: its "
            "log names the row. The item waits until the message is restored or erased."
        )
    request = request.model_copy(update={"action": action_of(item, request)})
    decision = new_id(ctx.now)
    outcome = _look(ctx, item, request, decision)
    if outcome is None:
        known = reconsider(ctx, item.campaign_id)
        # Without the judgement: the log is read by those who are to judge it blind.
        audit.record(ctx, "feedback.look", item.id, "", look=item.looks)
        shown = repository.readable(ctx, item)
        said = "Recorded. Another reviewer takes a look as well."
        return Decided(shown, 0, said + acts(known))
    if item.source != "gold":
        settle(ctx, item, outcome, request)
        _settle_twin(ctx, item, outcome, decision, request)
    covered = 1
    if request.scope == "campaign":
        covered += _cover_campaign(ctx, item, decision, request)
    post(ctx, REPORTS, decision)
    known = reconsider(ctx, item.campaign_id)
    audit.record(
        ctx,
        "feedback." + outcome,
        item.id,
        request.notes or "",
        scope=request.scope,
        covered=covered,
        campaign=item.campaign_id,
        **({"shown": request.shown} if request.scope == "campaign" and request.shown else {}),
        **({"tactic": request.tactic} if request.tactic else {}),
        **({"chosen": request.reason} if request.reason else {}),
    )
    message = f"{covered} items of the campaign decided."
    if covered == 1:
        said = truth_of(item, outcome)
        word = _STATUS[outcome]
        message = f"Decided: {finding(said)}." if request.decision else f"Feedback {word}."
    message += acts(known)
    shown = repository.readable(ctx, item)
    return Decided(_as_decided(ctx, item, shown, request), covered, message)


def _may_decide(ctx: Context, item: Feedback) -> None:
    if item.user_id == ctx.user:
        raise Forbidden(
            f"{item.id} is your own report. Another reviewer has to decide it; take the next one."
        )
    if item.status != "pending":
        raise already(item)
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


def _is_readable(ctx: Context, item: Feedback) -> bool:
    """Return whether the message of an item can be read. One that was erased is not refused here.

    A rejection states as much as an approval: the opposite label, to the campaign and against the
    reporter. So neither may be said of a message that was shown to nobody.
    """
    scan = ctx.session.get(Scan, item.scan_id)
    if scan is None or scan.text_sealed is None:
        return True
    return ctx.ring.shown(scan.text_sealed, scan.id) is not None


def _same_claim(item: Feedback, request: ReviewRequest) -> None:
    if request.corrected_label not in (None, item.corrected_label):
        raise Conflict(
            f"The reporter has changed {item.id} meanwhile: it says {item.corrected_label} now. "
            "Look at it again.",
            correctedLabel=item.corrected_label,
        )


def _as_decided(
    ctx: Context, item: Feedback, shown: FeedbackRead, request: ReviewRequest
) -> FeedbackRead:
    """Return an item in the form shown to its reviewer after the decision.

    A gold item stays undecided for the next reviewer, but is shown as decided, so that reviewers
    cannot recognise gold items.
    """
    if item.source != "gold":
        return shown
    return shown.model_copy(
        update={
            "status": FeedbackStatus(_STATUS[request.action or ""]),
            "reviewed_by": ctx.user,
            "reviewed_at": ctx.now,
            "updated_at": ctx.now,
            "review_notes": request.notes,
            "review_tactic": request.tactic,
            "review_reason": request.reason,
            "undo_until": ctx.now + timedelta(seconds=ctx.settings.undo_seconds),
        }
    )


def _look(ctx: Context, item: Feedback, request: ReviewRequest, decision: str) -> str | None:
    """Record one judgement; return the decision, or `None` while another look is required."""
    if item.source == "gold":
        right = request.action == item.gold_answer
        _write_review(ctx, item, request, decision, correct=right)
        return str(request.action)
    if item.looks == 0 and (_would_be_known(ctx, item) or _drawn_for_second_look(ctx, item)):
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
    if lot(ctx.ring.lot_key, "second look", item.id) >= ctx.settings.second_review_share:
        return False
    return _somebody_else_reviews(ctx, item)


def _would_be_known(ctx: Context, item: Feedback) -> bool:
    """Return whether a decision would change many verdicts, so that it needs a second look."""
    # What a sender contests goes to many people; a golden label judges every version to come.
    if item.source in (CONTEST, GOLDEN):
        return _somebody_else_reviews(ctx, item)
    if item.corrected_label == item.original_label:
        return False
    campaign = ctx.session.get(Campaign, item.campaign_id) if item.campaign_id else None
    many = campaign is not None and campaign.reports >= ctx.settings.known_second_look_reports
    return many and _somebody_else_reviews(ctx, item)


def _somebody_else_reviews(ctx: Context, item: Feedback) -> bool:
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
            action=str(request.action),
            notes=request.notes,
            tactic=request.tactic,
            reason=request.reason,
            scope=request.scope,
            look=item.looks + 1,
            correct=correct,
            at=ctx.now,
        )
    )
    ctx.session.flush()


def settle(ctx: Context, item: Feedback, action: str, request: ReviewRequest) -> None:
    """Apply a decision to an item, its reporter's record and its campaign."""
    item.status = _STATUS[action]
    item.reviewed_by = ctx.user
    item.reviewed_at = item.updated_at = ctx.now
    item.review_notes = request.notes
    scam = is_scam(truth_of(item, action))
    item.review_tactic = request.tactic if scam else None  # another look may have outvoted it
    item.review_reason = request.reason
    item.approved_at = ctx.now if action == "approve" else None
    item.undo_until = ctx.now + timedelta(seconds=ctx.settings.undo_seconds)
    item.claimed_by = item.claimed_until = None
    count(ctx, item, action, +1)
    ctx.after_commit.append(lambda: DECISIONS.labels(action).inc())


def count(ctx: Context, item: Feedback, action: str, by: int) -> None:
    """Count a decision (`by` 1) or its undo (`by` -1) for the reporter and the campaign."""
    if item.source == "report":
        _count_for(ctx, item, approved=action == "approve", by=by)
    values: dict[str, Any] = {"pending": Campaign.pending - by}
    if by > 0:
        truth = truth_of(item, action)
        values |= {"decided_label": truth, "decided_by": ctx.user, "decided_at": ctx.now}
    else:
        values |= _decided_before(ctx, item)
    ctx.session.execute(
        update(Campaign)
        .where(Campaign.id == item.campaign_id)
        .values(values)
        .execution_options(synchronize_session="fetch")
    )


def _count_for(ctx: Context, item: Feedback, *, approved: bool, by: int) -> None:
    """Count a decision for the reporter; decisions on corrections also change the record."""
    reporter = ctx.session.get(User, item.user_id, with_for_update=True)
    if reporter is None:
        return  # erased meanwhile
    if approved:
        reporter.approved += by
    else:
        reporter.rejected += by
    if item.feedback_type == FeedbackType.CONFIRMED:
        return
    record = reporter.record.decided(approved=approved, by=by, now=ctx.now)
    reporter.record_approved, reporter.record_rejected = record.approved, record.rejected
    reporter.record_at = record.at


def _decided_before(ctx: Context, item: Feedback) -> dict[str, Any]:
    """Return the status of a campaign before the decision on an item."""
    other = reviews.last_decided(ctx.session, item)
    if other is None:
        return {"decided_label": None, "decided_by": None, "decided_at": None}
    truth = truth_of(other, "approve" if other.status == "approved" else "reject")
    return {
        "decided_label": truth,
        "decided_by": other.reviewed_by,
        "decided_at": other.reviewed_at,
    }


def _settle_twin(
    ctx: Context, item: Feedback, action: str, decision: str, request: ReviewRequest
) -> None:
    """Apply the decision to the other item of the same scan (report or sample)."""
    twin = reviews.twin(ctx.session, item)
    if twin is None or twin.status != "pending" or twin.user_id == ctx.user or twin.looks:
        return
    same = twin.corrected_label == truth_of(item, action)
    judged = ReviewAction.APPROVE if same else ReviewAction.REJECT
    _write_review(ctx, twin, request.model_copy(update={"action": judged}), decision, correct=None)
    twin.looks += 1
    settle(ctx, twin, judged.value, request)


def _cover_campaign(ctx: Context, item: Feedback, decision: str, request: ReviewRequest) -> int:
    """Decide the shown items of the campaign by the true label, but those that cannot be read."""
    truth = truth_of(item, str(request.action))
    free = reviews.coverable(ctx.session, item, ctx.user, ctx.now, request.shown)
    others = [other for other in free if _is_readable(ctx, other)]
    for other in others:
        action = ReviewAction.APPROVE if other.corrected_label == truth else ReviewAction.REJECT
        covered = request.model_copy(update={"action": action})
        _write_review(ctx, other, covered, decision, correct=None)
        other.looks += 1
        settle(ctx, other, action.value, request)
    return len(others)
