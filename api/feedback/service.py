"""Store reports, after checking that the caller may make the claim about the scan."""

from sqlalchemy.exc import DBAPIError

from api.campaigns import rank, reach
from api.campaigns import service as campaigns
from api.feedback import repository
from api.feedback.repository import Opened
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.counters import FEEDBACK
from api.kit.idempotency import once
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.kit.trust import Record
from api.kit.writes import Writes
from api.tables import Feedback
from api.tables.feedback import fact_values, pending_values
from api.users.service import ensure_user
from shield.database_errors import CONFLICTING_WRITES, is_conflict
from shield.errors import AlreadyReviewed, Invalid, NotFound, Unavailable
from shield.labels import ModelType, claim_of, corrected_label
from shield.wire import FeedbackRead, FeedbackRequest, Pagination

ROUTE = "POST /feedback"
"""The route that idempotency keys of reports belong to."""
PRIVATE = ("comment",)
"""What is not stored with the response to a key."""
_TRIES = 5


def submit(ctx: Context, request: FeedbackRequest, key: str | None) -> FeedbackRead:
    """Store the caller's report about a scan of theirs.

    One report per scan; it can be changed until a reviewer has judged it.

    Raises:
        NotFound: The caller has no such scan.
        Invalid: The given scan type differs from the scan's.
        ContradictoryFeedback: The claim contradicts the verdict.
        UnknownLabel: `actualLabel` is not a label of the model type.
        AlreadyReviewed: A reviewer has decided the report.
        IdempotencyKeyReused: The key was used with a different body.
        Unavailable: Concurrent writes conflicted at every attempt.
    """
    # Nothing is locked beforehand: two taps at once, or two first messages of one campaign, meet
    # in a unique index. The slower one starts again, and finds what the quicker one has written.
    for _ in range(_TRIES):
        try:
            return once(
                ctx,
                route=ROUTE,
                key=key,
                body=request,
                kind=FeedbackRead,
                work=lambda writes: _submit(ctx, writes, request),
                private=PRIVATE,
            )
        except DBAPIError as error:
            ctx.session.rollback()
            ctx.after_commit.clear()
            if not is_conflict(error):
                raise
    raise Unavailable(CONFLICTING_WRITES, retry_after_seconds=1)


def submit_alone(
    services: Services, principal: Principal, request: FeedbackRequest, key: str | None
) -> FeedbackRead:
    """Store a report as `submit` does, in a transaction of its own."""
    with open_context(services, principal) as ctx:
        return submit(ctx, request, key)


def _submit(ctx: Context, writes: Writes, request: FeedbackRequest) -> FeedbackRead:
    scan = repository.opened(ctx.session, request.scan_id, ctx.user)
    if scan is None:
        raise NotFound.of("scan of yours", request.scan_id, "`GET /api/v2/scans` lists them.")
    claim, label = claimed(scan, request)
    if scan.report_id is None:
        return _take(ctx, writes, scan, claim, label)
    read = _change(ctx, repository.locked(ctx, scan.report_id), claim, label)
    return _as_told(read, scan.told_label)


def claimed(scan: Opened, request: FeedbackRequest) -> tuple[FeedbackRequest, str]:
    """Return a report as a claim about the model's verdict, and the label that it claims.

    A reporter's claim is about what they were told, which may be reviewers' decision.

    Raises:
        Invalid: The given scan type differs from the scan's.
        ContradictoryFeedback: The claim contradicts the verdict.
        UnknownLabel: `actualLabel` is not a label of the model type.
    """
    if request.scan_type is not None and request.scan_type.value != scan.scan_type:
        raise Invalid(
            f"scanType: the scan {scan.id} is of type {scan.scan_type!r}, not "
            f"{request.scan_type.value!r}. Leave it out: the scan's own type is used."
        )
    model_type = ModelType(scan.model_type)
    told = scan.told_label or scan.verdict
    label = corrected_label(model_type, told, request.feedback_type, request.actual_label)
    kind = claim_of(model_type, scan.verdict, label)
    return request.model_copy(update={"feedback_type": kind}), label


def _as_told(read: FeedbackRead, told_label: str | None) -> FeedbackRead:
    """Return a report as a claim about the verdict that its reporter was shown."""
    if told_label is not None:
        read.original_label = told_label
        read.feedback_type = claim_of(read.model_type, told_label, read.corrected_label)
    return read


def _change(ctx: Context, known: Feedback, request: FeedbackRequest, label: str) -> FeedbackRead:
    if known.status != "pending" or known.looks:
        same = known.feedback_type == request.feedback_type and known.corrected_label == label
        if not same:
            raise AlreadyReviewed(
                f"Your feedback {known.id} on this scan has been reviewed "
                f"({known.status}); it can no longer be changed.",
                feedbackId=known.id,
            )
        return repository.readable(ctx, known)
    for name, value in fact_values(request).items():
        setattr(known, name, value)
    known.corrected_label = label
    known.comment_sealed = _sealed(ctx, request.comment, known.id)
    known.updated_at = ctx.now
    ctx.session.flush()
    return repository.readable(ctx, known)


def _take(
    ctx: Context, writes: Writes, scan: Opened, claim: FeedbackRequest, label: str
) -> FeedbackRead:
    if scan.record is None:
        ensure_user(ctx, ctx.user)
    text = ctx.ring.open(scan.text_sealed, scan.id)
    key = queue_key(ctx, scan)
    arrival = campaigns.arrive(ctx, writes, scan, text, key, scan.place)
    read = keep(ctx, writes, scan, claim, label, arrival.campaign_id, key)
    if reach.may_burst(arrival):
        writes.run(ctx.session)  # this report counts as well
        reach.note_burst(ctx, arrival)
    return read


def queue_key(ctx: Context, scan: Opened) -> float:
    """Return the queue key of a new report; see `Feedback.queue_key`."""
    trust = (scan.record or Record()).trust(ctx.now)
    return ctx.now.timestamp() - rank.item_bonus_seconds(trust, scan.probability)


def keep(
    ctx: Context,
    writes: Writes,
    scan: Opened,
    claim: FeedbackRequest,
    label: str,
    campaign_id: str,
    key: float,
) -> FeedbackRead:
    """Add a new report to `writes`; return it as its reporter is shown it.

    Args:
        ctx: The request's context.
        writes: Collects the rows.
        scan: The scan that the report is about.
        claim: The claim about the model's verdict, with what else the reporter said.
        label: The label that it claims.
        campaign_id: The campaign of the message.
        key: See `queue_key`.
    """
    report_id = new_id(ctx.now)
    values = pending_values(
        scan,
        claim,
        id=report_id,
        source="report",
        corrected_label=label,
        campaign_id=campaign_id,
        queue_key=key,
        now=ctx.now,
        comment_sealed=_sealed(ctx, claim.comment, report_id),
        told_label=scan.told_label,
    )
    writes.add(Feedback, **values)
    ctx.after_commit.append(FEEDBACK.labels(scan.model_type, claim.feedback_type.value).inc)
    return _as_told(FeedbackRead(**values, comment=claim.comment), scan.told_label)


def _sealed(ctx: Context, comment: str | None, report_id: str) -> bytes | None:
    return None if comment is None else ctx.ring.seal(comment, report_id)


def own(ctx: Context, paging: PageRequest) -> tuple[list[FeedbackRead], Pagination]:
    """Return one page of the caller's reports, newest first."""
    order = Sorted(Feedback.id, Feedback.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, repository.reports_by(ctx.user), order, paging)
    return [_as_told(repository.readable(ctx, row), row.told_label) for row in rows], pagination
