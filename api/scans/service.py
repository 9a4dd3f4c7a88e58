"""Judging messages and reading the verdicts back."""

from collections.abc import Sequence

from api.audit import service as audit
from api.kit.context import Context
from api.kit.counters import SCANS
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.kit.routing import Prediction
from api.kit.signature import fingerprint
from api.kit.tokens import Role
from api.sampling import service as sampling
from api.scans import repository, shadow
from api.tables import Feedback, Scan, User
from api.users.service import get_user
from shield.errors import NotFound, Unavailable
from shield.labels import MODEL_OF_SCAN, ModelType, ScanType
from shield.reasons import Reader, explain, has_words
from shield.routing import Arm
from shield.similarity import form
from shield.wire import FeedbackMark, Pagination, ScanRead, ScanRequest


def scan(ctx: Context, request: ScanRequest, forced: Arm | None, reader: Reader) -> ScanRead:
    """Judge one message on the caller's arm and keep the verdict.

    Raises:
        Forbidden: An arm is forced by a plain user.
        Unavailable: Nobody could answer.
    """
    if forced is not None:
        ctx.principal.require(Role.REVIEWER, Role.ADMIN)
    model_type = MODEL_OF_SCAN[request.scan_type]
    # No transaction is open while the model server works: nobody waits for it in the database.
    routed = ctx.services.router.ask(model_type, request.text, ctx.user, forced)
    ctx = ctx.fresh()
    ctx.session.add_all([shadow.failed(ctx, model_type, one) for one in routed.failures])
    if routed.answer is None:
        ctx.session.commit()  # the error below rolls back, but the failures must be counted
        raise Unavailable(
            f"The {model_type} model does not answer ({routed.failures[0].kind}). "
            "Try again in a moment; `shieldctl status` shows its state.",
            retry_after_seconds=2,
        )
    row = _row(ctx, request, routed.answer, forced is not None)
    user = get_user(ctx, ctx.user)
    ctx.session.add(row)
    if not row.forced:
        sampling.draw(ctx, row, request.text, user)
        shadow.compare_later(ctx, row, request.text, user)
    ctx.after_commit.append(
        lambda: SCANS.labels(row.model_type, row.model_version, row.arm, row.verdict).inc()
    )
    return read(row, request.text, reader)


def _row(ctx: Context, request: ScanRequest, answer: Prediction, forced: bool) -> Scan:
    scan_id = new_id(ctx.now)
    return Scan(
        id=scan_id,
        user_id=ctx.user,
        scan_type=request.scan_type.value,
        model_type=MODEL_OF_SCAN[request.scan_type].value,
        text_sealed=ctx.ring.seal(request.text, scan_id),
        fingerprint=fingerprint(form(request.text), ctx.ring),
        verdict=answer.label,
        positive=answer.positive,
        probability=answer.probability,
        confidence=answer.confidence,
        model_version=answer.version,
        arm=answer.arm.value,
        forced=forced,
        latency_ms=answer.latency_ms,
        processor_ms=answer.processor_ms,
        created_at=ctx.now,
    )


def own_scans(
    ctx: Context, paging: PageRequest, reader: Reader
) -> tuple[list[ScanRead], Pagination]:
    """Return one page of the caller's scans, newest first, with their texts."""
    order = Sorted(Scan.id, Scan.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, repository.of_user(ctx.user), order, paging)
    marks = repository.reports_of(ctx.session, [row.id for row in rows])
    _note_reading(ctx, rows)
    return [_own(ctx, row, marks.get(row.id), reader) for row in rows], pagination


def own_scan(ctx: Context, scan_id: str, reader: Reader) -> ScanRead:
    """Return one of the caller's scans. Raises `NotFound`, for other people's scans too."""
    row = ctx.session.get(Scan, scan_id)
    if row is None or row.user_id != ctx.user:
        raise NotFound.of("scan of yours", scan_id, "`GET /api/v2/scans` lists them.")
    _note_reading(ctx, [row])
    return _own(ctx, row, repository.reports_of(ctx.session, [row.id]).get(row.id), reader)


def _note_reading(ctx: Context, rows: Sequence[Scan]) -> None:
    """Write into the audit log that the caller reads their own messages.

    By pseudonym: the log is never shortened, and erasure must be able to cut the link. Once an
    hour: a phone looks often, and a loop of reads must not fill a log that is kept for ever.
    """
    if not any(row.text_sealed is not None for row in rows):
        return
    user = ctx.session.get(User, ctx.user)
    if user is not None and ctx.services.limiter.is_first(audit.OWN_READ, user.pseudonym):
        audit.record_later(ctx, audit.OWN_READ, "scans", "asked by the owner", actor=user.pseudonym)


def read(row: Scan, text: str | None, reader: Reader) -> ScanRead:
    """Return a scan as its owner sees it, explained while its text is there."""
    scan_type = ScanType(row.scan_type)
    found = ScanRead(
        id=row.id,
        scan_type=scan_type,
        model_type=ModelType(row.model_type),
        verdict=row.verdict,
        confidence=row.confidence,
        probability=row.probability,
        model_version=row.model_version,
        arm=Arm(row.arm),
        created_at=row.created_at,
    )
    if text is not None:
        why = explain(text, scan_type, flagged=row.positive, sure=has_words(text), reader=reader)
        found.reasons, found.advice = why.reasons, why.advice
    return found


def _own(ctx: Context, row: Scan, feedback: Feedback | None, reader: Reader) -> ScanRead:
    text = ctx.ring.open(row.text_sealed, row.id) if row.text_sealed is not None else None
    scan_read = read(row, text, reader)
    scan_read.text = text
    if feedback is not None:
        scan_read.feedback = FeedbackMark.model_validate(feedback)
    return scan_read
