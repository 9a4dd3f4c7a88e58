"""Judge messages, and return the verdicts to their owners."""

from collections.abc import Sequence
from typing import NamedTuple

from anyio.to_thread import run_sync

from api.audit import service as audit
from api.kit import signature
from api.kit.auth import Principal
from api.kit.context import Context, Services
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.kit.routing import Routed
from api.kit.tokens import Role
from api.known import matching
from api.known.matching import Match
from api.scans import repository, writing
from api.tables import Feedback, KnownCampaign, Revision, Scan, User
from shield.errors import NotFound, Unavailable
from shield.labels import (
    MODEL_OF_SCAN,
    MODEL_TYPES,
    Certainty,
    ModelType,
    ScanType,
    claim_of,
    is_positive,
)
from shield.reasons import Reader, explain
from shield.routing import Arm
from shield.similarity import form
from shield.wire import (
    DecidedBy,
    FeedbackMark,
    KnownMark,
    KnownStanding,
    ModelOpinion,
    Pagination,
    ReasonKind,
    RevisionRead,
    ScanRead,
    ScanReason,
    ScanRequest,
    ScanTypeRead,
)

DECIDED = 0.99
"""Confidence of an answer decided by reviewers, who can be wrong too."""
_INLINE_CHARACTERS = 2_000
"""Longest message that is folded on the event loop: half a millisecond."""


async def scan(
    services: Services,
    principal: Principal,
    request: ScanRequest,
    forced: Arm | None,
    reader: Reader,
    *,
    picked: bool = False,
) -> ScanRead:
    """Judge one message on the caller's arm and store the verdict.

    `picked`: the message is here only because somebody complained of it, so that its verdict is no
    evidence of the version, and it cannot be drawn into the audit sample.

    Raises:
        Forbidden: A user without the role forces an arm.
        Unavailable: No model server answers.
    """
    if forced is not None:
        principal.require(Role.REVIEWER, Role.ADMIN)
    model_type = MODEL_OF_SCAN[request.scan_type]
    # No transaction is open while the model server works: nobody waits for it in the database.
    routed = await services.router.ask(model_type, request.text, principal.subject, forced)
    asked = _Asked(services, principal, request, model_type, picked)
    # Long texts are read on another thread, so that nobody waits for them on the event loop.
    beside = len(request.text) > _INLINE_CHARACTERS
    made = await run_sync(_made, asked, routed, forced) if beside else _made(asked, routed, forced)
    storing = services.together.put(writing.write, made)
    row = made.row
    if row is None:
        await storing  # the failures must be counted
        raise Unavailable(
            f"{MODEL_TYPES[model_type].title} cannot be judged at the moment: the filter does not "
            f"answer ({routed.failures[0].kind}). Try again; nothing is lost.",
            retry_after_seconds=2,
        )
    if made.candidates:
        known = await storing
        answer = read(row, request.text, reader)
    else:  # explained while it is stored
        known = None
        answer = (
            await run_sync(read, row, request.text, reader)
            if beside
            else read(row, request.text, reader)
        )
        await storing
    return _answered(answer, row, _mark(known))


class _Asked(NamedTuple):
    services: Services
    principal: Principal
    request: ScanRequest
    model_type: ModelType
    picked: bool


def _made(asked: _Asked, routed: Routed, forced: Arm | None) -> writing.Made:
    """Return the rows of a request after the model servers have answered or failed."""
    services, principal, request, model_type, picked = asked
    now, said, ring = services.clock(), form(request.text), services.ring
    made = writing.Made(services, principal, now, model_type, request.text, said, routed.failures)
    answer = routed.answer
    if answer is None:
        return made
    packed = None
    if forced is None:
        sketch = signature.sketch(said, ring)
        packed = signature.packed(said, sketch, ring)
        made.candidates = services.known.candidates(model_type.value, sketch)
    scan_id = new_id(now)
    made.row = writing.Row(
        id=scan_id,
        user_id=principal.subject,
        scan_type=request.scan_type.value,
        model_type=model_type.value,
        text_sealed=ring.seal(request.text, scan_id),
        fingerprint=signature.fingerprint(said, ring),
        sketch=packed,
        known_id=None,
        told_label=None,
        forced=forced is not None or picked,
        **answer.columns(),
        created_at=now,
        device_version=request.device.version if request.device else None,
        device_verdict=request.device.verdict if request.device else None,
    )
    return made


def types(ctx: Context) -> list[ScanTypeRead]:
    """Return every scan type, and whether a model serves it."""
    router = ctx.services.router
    return [
        ScanTypeRead(scan_type=record.scan_type, serves=router.split(record.model_type) is not None)
        for record in MODEL_TYPES.values()
    ]


def own_scans(
    ctx: Context, paging: PageRequest, reader: Reader
) -> tuple[list[ScanRead], Pagination]:
    """Return one page of the caller's scans with their texts, newest first."""
    order = Sorted(Scan.id, Scan.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, repository.of_user(ctx.user), order, paging)
    ids = [row.id for row in rows]
    marks = repository.reports_of(ctx.session, ids)
    revised = repository.revisions_of(ctx.session, ids)
    _note_reading(ctx, rows)
    return [
        _own(ctx, row, marks.get(row.id), revised.get(row.id), reader) for row in rows
    ], pagination


def own_scan(ctx: Context, scan_id: str, reader: Reader) -> ScanRead:
    """Return one scan of the caller. Raises `NotFound`, also for other users' scans."""
    row = ctx.session.get(Scan, scan_id)
    if row is None or row.user_id != ctx.user:
        raise NotFound.of("scan of yours", scan_id, "`GET /api/v2/scans` lists them.")
    _note_reading(ctx, [row])
    mark = repository.reports_of(ctx.session, [row.id]).get(row.id)
    return _own(ctx, row, mark, ctx.session.get(Revision, row.id), reader)


def _note_reading(ctx: Context, rows: Sequence[Scan]) -> None:
    """Record in the audit log that the caller reads their own messages.

    By pseudonym, because the log is permanent and erasure must be able to cut the link. At most
    once an hour, so that frequent reads do not fill the permanent log.
    """
    if not any(row.text_sealed is not None for row in rows):
        return
    user = ctx.session.get(User, ctx.user)
    if user is not None and ctx.services.limiter.is_first(audit.OWN_READ, user.pseudonym):
        audit.record_later(ctx, audit.OWN_READ, "scans", "asked by the owner", actor=user.pseudonym)


def read(row: Scan | writing.Row, text: str | None, reader: Reader) -> ScanRead:
    """Return a scan in the form shown to its owner, with reasons while its text is stored."""
    scan_type = ScanType(row.scan_type)
    certainty = (
        Certainty(row.certainty) if row.certainty else Certainty.by_confidence(row.confidence)
    )
    shown = ScanRead(
        id=row.id,
        scan_type=scan_type,
        model_type=ModelType(row.model_type),
        verdict=row.verdict,
        confidence=row.confidence,
        certainty=certainty,
        probability=row.probability,
        model_version=row.model_version,
        arm=Arm(row.arm),
        created_at=row.created_at,
    )
    if text is not None:
        told = is_positive(shown.model_type, row.told_label or row.verdict)
        sure = row.told_label is not None or (certainty is Certainty.SURE and not row.known_id)
        why = explain(text, scan_type, flagged=told, sure=sure, reader=reader)
        shown.reasons, shown.advice = why.reasons, why.advice
    return shown


def _mark(known: Match | None) -> KnownMark | None:
    return KnownMark(id=known.id, standing=known.standing, reason=known.reason) if known else None


def _answered(answer: ScanRead, row: Scan | writing.Row, known: KnownMark | None) -> ScanRead:
    """Replace the shown answer by the reviewers' one; the model's answer stays beside it."""
    if known is None:
        return answer
    answer.known = known
    said = ScanReason(id=f"known:{known.id}", kind=ReasonKind.REVIEWERS, sentence=known.reason)
    answer.reasons = [said, *answer.reasons]
    answer.model = ModelOpinion(
        verdict=row.verdict,
        confidence=row.confidence,
        certainty=answer.certainty,
        probability=row.probability,
    )
    if row.told_label is None:
        answer.certainty = Certainty.UNSURE
        return answer
    scam = is_positive(answer.model_type, row.told_label)
    answer.verdict, answer.decided_by = row.told_label, DecidedBy.REVIEWERS
    answer.certainty = Certainty.SURE
    answer.confidence, answer.probability = DECIDED, DECIDED if scam else 1 - DECIDED
    return answer


def _remembered(ctx: Context, row: Scan) -> KnownMark | None:
    """Return the known campaign of a scan, as shown to its owner at the time."""
    entry = ctx.session.get(KnownCampaign, row.known_id) if row.known_id else None
    if entry is None:
        return None
    standing = KnownStanding.CONFIRMED if row.told_label else KnownStanding.CHECKING
    return KnownMark(id=entry.id, standing=standing, reason=matching.words(entry, standing))


def _own(
    ctx: Context, row: Scan, feedback: Feedback | None, revised: Revision | None, reader: Reader
) -> ScanRead:
    text = ctx.ring.shown(row.text_sealed, row.id) if row.text_sealed is not None else None
    scan_read = _answered(read(row, text, reader), row, _remembered(ctx, row))
    scan_read.text = text
    if revised is not None:
        scan_read.revised = RevisionRead(
            verdict=revised.label, at=revised.at, known_id=revised.known_id
        )
    if feedback is not None:
        scan_read.feedback = FeedbackMark.model_validate(feedback)
        if feedback.told_label is not None:
            claim = claim_of(scan_read.model_type, feedback.told_label, feedback.corrected_label)
            scan_read.feedback.feedback_type = claim
    return scan_read
