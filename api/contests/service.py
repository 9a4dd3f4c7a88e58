"""Take what senders of flagged messages say, and tell them how it was decided."""

import secrets

from anyio.to_thread import run_sync
from sqlalchemy import func, select

from api.audit import service as audit
from api.campaigns import rank
from api.campaigns import service as campaigns
from api.contests.receipts import hashed, new_receipt, spaced
from api.kit import signature
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.ids import new_id
from api.kit.routing import Prediction
from api.kit.trust import Record
from api.known import matching
from api.known.matching import Match
from api.privacy import erasure
from api.tables import Contest, Feedback, Scan
from api.tables.feedback import CONTEST, pending_values
from api.users.service import ensure_user
from shield.errors import NotFound, RateLimited, Unavailable
from shield.labels import (
    LABELS,
    MODEL_OF_SCAN,
    MODEL_TYPES,
    Certainty,
    ModelType,
    claim_of,
    is_positive,
)
from shield.routing import Arm
from shield.similarity import form
from shield.wire import (
    ContestAnswer,
    ContestRequest,
    ContestState,
    KnownStanding,
    ReportFacts,
)

_FULL_SECONDS = 3600
SENTENCES = {
    ContestState.WAITING: "Reviewers have not decided yet. Come back with your receipt.",
    ContestState.HARMLESS: "Reviewers found your message harmless, and the filter is corrected.",
    ContestState.SCAM: "Reviewers found your message to be a scam. It stays flagged.",
    ContestState.NOT_FLAGGED: "Nobody who gets this message now is warned of it, so there is "
    "nothing to decide.",
}


async def contest(services: Services, request: ContestRequest) -> ContestAnswer:
    """Put a flagged message into the queue, beside its campaign.

    The stable version is asked once more: what is not flagged, or not any more, is answered at
    once. Any account can ask the same; nothing is told here that a phone would not be told.

    Raises:
        Unavailable: The filter does not answer.
        RateLimited: As many contests wait as the settings allow.
    """
    model_type = MODEL_OF_SCAN[request.scan_type]
    sender = Principal(f"sender-{secrets.token_hex(8)}", frozenset())
    routed = await services.router.ask(model_type, request.text, sender.subject, Arm.STABLE)
    answer = routed.answer
    if answer is None:
        raise Unavailable(
            f"{MODEL_TYPES[model_type].title} cannot be judged for a moment. Try again.",
            retry_after_seconds=2,
        )

    def store() -> ContestAnswer:
        with open_context(services, sender) as ctx:
            return _store(ctx, request, model_type, answer)

    return await run_sync(store)


def _store(
    ctx: Context, request: ContestRequest, model_type: ModelType, answer: Prediction
) -> ContestAnswer:
    _check_room(ctx)
    said = form(request.text)
    match = matching.match(ctx, model_type, said, signature.sketch(said, ctx.ring))
    contest_id, receipt = new_id(ctx.now), new_receipt()
    row = Contest(
        id=contest_id,
        receipt=hashed(receipt, ctx.ring),
        user_id=ctx.user,
        scan_id=new_id(ctx.now),
        scan_type=request.scan_type.value,
        model_type=model_type.value,
        feedback_id=None,
        campaign_id=None,
        known_id=match.id if match else None,
        reason_sealed=ctx.ring.seal(request.reason, contest_id),
        contact_sealed=ctx.ring.seal(request.contact, contest_id) if request.contact else None,
        created_at=ctx.now,
    )
    if _is_flagged(model_type, answer, match):
        _queue(ctx, row, request.text, answer, match)
    ctx.session.add(row)
    audit.record(ctx, "contest.add", contest_id, campaign=row.campaign_id, known=row.known_id)
    return told(ctx, row).model_copy(update={"receipt": spaced(receipt)})


def _check_room(ctx: Context) -> None:
    if _waiting(ctx) >= ctx.settings.contests_waiting:
        raise RateLimited(
            "So many messages are contested that reviewers take no more for now. Try again later.",
            retry_after_seconds=_FULL_SECONDS,
        )


def _waiting(ctx: Context) -> int:
    waiting = select(func.count()).where(Feedback.source == CONTEST, Feedback.status == "pending")
    return ctx.session.scalar(waiting) or 0


def _is_flagged(model_type: ModelType, answer: Prediction, match: Match | None) -> bool:
    """Tell whether people who get the message are warned of it, or told that nobody is sure."""
    if match is not None and match.standing is KnownStanding.CONFIRMED:
        return is_positive(model_type, match.label)
    return answer.positive or answer.certainty is Certainty.UNSURE or match is not None


def _queue(ctx: Context, row: Contest, text: str, answer: Prediction, match: Match | None) -> None:
    """Make an item of the queue of it, in its campaign.

    Its scan is no evidence for or against a version, and is not held against known campaigns: many
    contests must not look like many people.
    """
    ensure_user(ctx, ctx.user)
    model_type = ModelType(row.model_type)
    confirmed = match is not None and match.standing is KnownStanding.CONFIRMED
    told_label = match.label if match is not None and confirmed else None
    scan = Scan(
        id=row.scan_id,
        user_id=row.user_id,
        scan_type=row.scan_type,
        model_type=row.model_type,
        text_sealed=ctx.ring.seal(text, row.scan_id),
        fingerprint=signature.fingerprint(form(text), ctx.ring),
        told_label=told_label,
        forced=True,
        **answer.columns(),
        created_at=ctx.now,
    )
    ctx.session.add(scan)
    ctx.session.flush()
    harmless = LABELS[model_type].negative
    bonus = rank.item_bonus_seconds(Record().trust(ctx.now), answer.probability)
    key = ctx.now.timestamp() - bonus
    arrival = campaigns.attach(ctx, scan, text, key)
    row.feedback_id, row.campaign_id = new_id(ctx.now), arrival.campaign_id
    claim = claim_of(model_type, answer.label, harmless)
    values = pending_values(
        scan,
        ReportFacts(feedback_type=claim),
        id=row.feedback_id,
        source=CONTEST,
        corrected_label=harmless,
        campaign_id=arrival.campaign_id,
        queue_key=key,
        now=ctx.now,
        told_label=told_label,
    )
    ctx.session.add(Feedback(**values))
    ctx.session.flush()


def state_of(row: Contest, item: Feedback | None) -> ContestState:
    """Return where a contest stands, by its item of the queue."""
    if row.feedback_id is None:
        return ContestState.NOT_FLAGGED
    if item is None or item.status == "pending":
        return ContestState.WAITING
    harmless = LABELS[ModelType(row.model_type)].negative
    right = (item.corrected_label == harmless) == (item.status == "approved")
    return ContestState.HARMLESS if right else ContestState.SCAM


def told(ctx: Context, row: Contest) -> ContestAnswer:
    """Return what the sender is told."""
    item = ctx.session.get(Feedback, row.feedback_id) if row.feedback_id else None
    state = state_of(row, item)
    answer = ctx.ring.shown(row.answer_sealed, row.id) if row.answer_sealed else None
    return ContestAnswer(
        state=state,
        sentence=SENTENCES[state],
        answer=answer,
        created_at=row.created_at,
        decided_at=item.reviewed_at if item else None,
    )


def by_receipt(ctx: Context, receipt: str) -> ContestAnswer:
    """Return how a contest stands. Raises `NotFound`."""
    return told(ctx, _found(ctx, receipt))


def withdraw(ctx: Context, receipt: str) -> None:
    """Erase a contest with its message and whatever was said of it. Raises `NotFound`."""
    erasure.erase(ctx, _found(ctx, receipt).user_id)


def _found(ctx: Context, receipt: str) -> Contest:
    kept = hashed(receipt, ctx.ring)
    row = ctx.session.scalar(select(Contest).where(Contest.receipt == kept))
    if row is None:
        raise NotFound(
            "There is no such receipt. It has 20 letters and digits; answers are kept for "
            f"{ctx.settings.inbox_days:g} days."
        )
    return row
