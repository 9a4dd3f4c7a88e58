"""Store reports, after checking that the caller may make the claim about the scan."""

from sqlalchemy.exc import DBAPIError

from api.campaigns import rank
from api.campaigns import service as campaigns
from api.feedback import repository
from api.kit.context import Context
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
                route="POST /feedback",
                key=key,
                body=request,
                kind=FeedbackRead,
                work=lambda writes: _submit(ctx, writes, request),
                private=("comment",),
            )
        except DBAPIError as error:
            ctx.session.rollback()
            ctx.after_commit.clear()
            if not is_conflict(error):
                raise
    raise Unavailable(CONFLICTING_WRITES, retry_after_seconds=1)


def _submit(ctx: Context, writes: Writes, request: FeedbackRequest) -> FeedbackRead:
    scan = repository.opened(ctx.session, request.scan_id, ctx.user)
    if scan is None:
        raise NotFound.of("scan of yours", request.scan_id, "`GET /api/v2/scans` lists them.")
    if request.scan_type is not None and request.scan_type.value != scan.scan_type:
        raise Invalid(
            f"scanType: the scan {scan.id} is of type {scan.scan_type!r}, not "
            f"{request.scan_type.value!r}. Leave it out: the scan's own type is used."
        )
    # The claim is about what the reporter was told, which may be reviewers' decision; it is kept as
    # what it says of the model's verdict.
    model_type = ModelType(scan.model_type)
    told = scan.told_label or scan.verdict
    label = corrected_label(model_type, told, request.feedback_type, request.actual_label)
    claim = request.model_copy(update={"feedback_type": claim_of(model_type, scan.verdict, label)})
    if scan.report_id is None:
        read = _take(ctx, writes, scan, claim, label)
    else:
        read = _change(ctx, repository.locked(ctx, scan.report_id), claim, label)
    return _as_told(read, scan.told_label)


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
    ctx: Context,
    writes: Writes,
    scan: repository.Opened,
    request: FeedbackRequest,
    label: str,
) -> FeedbackRead:
    if scan.record is None:
        ensure_user(ctx, ctx.user)
    record = scan.record or Record()
    bonus = rank.item_bonus_seconds(record.trust(ctx.now), scan.probability)
    text = ctx.ring.open(scan.text_sealed, scan.id)
    key = ctx.now.timestamp() - bonus
    arrival = campaigns.arrive(ctx, writes, scan, text, key, scan.place)
    report_id = new_id(ctx.now)
    values = pending_values(
        scan,
        request,
        id=report_id,
        source="report",
        corrected_label=label,
        campaign_id=arrival.campaign_id,
        queue_key=key,
        now=ctx.now,
        comment_sealed=_sealed(ctx, request.comment, report_id),
        told_label=scan.told_label,
    )
    writes.add(Feedback, **values)
    if campaigns.may_burst(arrival):
        writes.run(ctx.session)  # this report counts as well
        campaigns.note_burst(ctx, arrival)
    labels = FEEDBACK.labels(scan.model_type, request.feedback_type.value)
    ctx.after_commit.append(labels.inc)
    return FeedbackRead(**values, comment=request.comment)


def _sealed(ctx: Context, comment: str | None, report_id: str) -> bytes | None:
    return None if comment is None else ctx.ring.seal(comment, report_id)


def own(ctx: Context, paging: PageRequest) -> tuple[list[FeedbackRead], Pagination]:
    """Return one page of the caller's reports, newest first."""
    order = Sorted(Feedback.id, Feedback.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, repository.reports_by(ctx.user), order, paging)
    return [_as_told(repository.readable(ctx, row), row.told_label) for row in rows], pagination
