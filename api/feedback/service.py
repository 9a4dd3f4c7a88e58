"""Taking corrections: who may say what of which scan."""

from api.campaigns import service as campaigns
from api.feedback import repository
from api.feedback.models import Feedback
from api.kit.context import Context
from api.kit.database import lock
from api.kit.idempotency import once
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.metrics.prometheus import FEEDBACK
from api.review import rank
from api.scans.models import Scan
from api.users.service import get_user
from api.users.trust import trust
from shield.errors import AlreadyReviewed, Invalid, NotFound
from shield.labels import ModelType, corrected_label
from shield.wire import FeedbackRead, FeedbackRequest, Pagination


def submit(ctx: Context, request: FeedbackRequest, key: str | None) -> FeedbackRead:
    """Keep what the caller says of their scan.

    One report per scan; it may be changed while nobody has looked at it.

    Raises:
        NotFound: The caller has no such scan.
        Invalid: The scan type is not the scan's.
        ContradictoryFeedback: The claim does not fit the verdict.
        UnknownLabel: `actualLabel` is not in the vocabulary.
        AlreadyReviewed: A reviewer has decided.
        IdempotencyKeyReused: The key came with another body.
    """
    return once(
        ctx.session,
        ctx.now,
        caller=ctx.user,
        route="POST /feedback",
        key=key,
        body=request,
        kind=FeedbackRead,
        work=lambda: _submit(ctx, request),
    )


def _submit(ctx: Context, request: FeedbackRequest) -> FeedbackRead:
    scan = ctx.session.get(Scan, request.scan_id)
    if scan is None or scan.user_id != ctx.user or scan.text_sealed is None:
        raise NotFound.of("scan of yours", request.scan_id, "`GET /api/v2/scans` lists them.")
    if request.scan_type is not None and request.scan_type.value != scan.scan_type:
        raise Invalid(
            f"scanType: the scan {scan.id} is of type {scan.scan_type!r}, not "
            f"{request.scan_type.value!r}. Leave it out: the scan knows."
        )
    label = corrected_label(
        ModelType(scan.model_type), scan.verdict, request.feedback_type, request.actual_label
    )
    lock(ctx.session, f"feedback {scan.id}")
    known = repository.report_of(ctx.session, scan.id)
    if known is None:
        known = _new_report(ctx, scan)
        ctx.session.add(known)
    elif known.status != "pending" or known.looks:
        same = known.feedback_type == request.feedback_type and known.corrected_label == label
        if not same:
            raise AlreadyReviewed(
                f"Your feedback {known.id} on this scan has been reviewed "
                f"({known.status}); it can no longer be changed.",
                feedbackId=known.id,
            )
        return repository.readable(ctx, known)
    known.feedback_type = request.feedback_type.value
    known.corrected_label = label
    known.comment_sealed = (
        ctx.ring.seal(request.comment, known.id) if request.comment is not None else None
    )
    known.updated_at = ctx.now
    ctx.session.flush()
    return repository.readable(ctx, known)


def _new_report(ctx: Context, scan: Scan) -> Feedback:
    assert scan.text_sealed is not None
    text = ctx.ring.open(scan.text_sealed, scan.id)
    user = get_user(ctx, scan.user_id)
    campaign = campaigns.attach(ctx, scan, text)
    bonus = rank.item_bonus_seconds(trust(user.approved, user.rejected), scan.probability)
    report = Feedback(
        id=new_id(ctx.now),
        source="report",
        scan_id=scan.id,
        user_id=scan.user_id,
        scan_type=scan.scan_type,
        model_type=scan.model_type,
        original_label=scan.verdict,
        model_version=scan.model_version,
        status="pending",
        looks_needed=1,
        looks=0,
        campaign_id=campaign.id,
        queue_key=ctx.now.timestamp() - bonus,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    campaigns.count_arrival(ctx, campaign, report)
    ctx.after_commit.append(lambda: FEEDBACK.labels(report.model_type, report.feedback_type).inc())
    return report


def own(ctx: Context, wanted: PageRequest) -> tuple[list[FeedbackRead], Pagination]:
    """Return one page of the caller's reports, newest first."""
    order = Sorted(Feedback.id, Feedback.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, repository.reports_by(ctx.user), order, wanted)
    return [repository.readable(ctx, row) for row in rows], pagination
