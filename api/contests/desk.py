"""What reviewers see of contests, and what they write to senders."""

from collections.abc import Sequence

from sqlalchemy import select

from api.audit import service as audit
from api.contests.service import state_of
from api.kit.context import Context
from api.kit.keyring import UNREADABLE
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.tables import Contest, Feedback, Scan
from shield.errors import NotFound
from shield.labels import ModelType, ScanType
from shield.wire import ContestRead, Pagination


def page(ctx: Context, paging: PageRequest) -> tuple[list[ContestRead], Pagination]:
    """Return contests, the newest first."""
    order = Sorted(Contest.id, Contest.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, select(Contest), order, paging)
    return _shown(ctx, rows), pagination


def one(ctx: Context, contest_id: str) -> ContestRead:
    """Return one contest. Raises `NotFound`."""
    return _shown(ctx, [_contest(ctx, contest_id)])[0]


def answer(ctx: Context, contest_id: str, said: str) -> ContestRead:
    """Record what a reviewer writes to the sender; a later answer replaces it.

    Raises:
        NotFound: There is no such contest.
    """
    row = _contest(ctx, contest_id)
    row.answer_sealed = ctx.ring.seal(said, row.id)
    row.answered_by, row.answered_at = ctx.user, ctx.now
    ctx.session.flush()
    # Without the words: the log is kept for ever, and they may name people.
    audit.record(ctx, "contest.answer", row.id, campaign=row.campaign_id)
    return _shown(ctx, [row])[0]


def note_reading(ctx: Context, shown: Sequence[ContestRead]) -> None:
    """Write into the audit log whose messages somebody has read."""
    if shown:
        ids = [row.id for row in shown]
        audit.record_later(ctx, "message.read", "contests", "review", contests=ids)


def _contest(ctx: Context, contest_id: str) -> Contest:
    row = ctx.session.get(Contest, contest_id)
    if row is None:
        raise NotFound.of("contest", contest_id, "`shieldctl contest list` shows them.")
    return row


def _shown(ctx: Context, rows: Sequence[Contest]) -> list[ContestRead]:
    feedback_ids = [row.feedback_id for row in rows if row.feedback_id]
    reports = ctx.session.scalars(select(Feedback).where(Feedback.id.in_(feedback_ids)))
    items = {item.id: item for item in reports}
    texts = dict(
        ctx.session.execute(
            select(Scan.id, Scan.text_sealed).where(Scan.id.in_([row.scan_id for row in rows]))
        ).all()
    )
    return [_read(ctx, row, items.get(row.feedback_id or ""), texts) for row in rows]


def _opened(ctx: Context, sealed: bytes | None, row_id: str) -> str | None:
    return (ctx.ring.shown(sealed, row_id) or UNREADABLE) if sealed else None


def _read(
    ctx: Context, row: Contest, item: Feedback | None, texts: dict[str, bytes | None]
) -> ContestRead:
    sealed = texts.get(row.scan_id)
    return ContestRead(
        id=row.id,
        state=state_of(row, item),
        scan_type=ScanType(row.scan_type),
        model_type=ModelType(row.model_type),
        text=_opened(ctx, sealed, row.scan_id),
        reason=ctx.ring.shown(row.reason_sealed, row.id) or UNREADABLE,
        contact=_opened(ctx, row.contact_sealed, row.id),
        feedback_id=row.feedback_id,
        campaign_id=row.campaign_id,
        known_id=row.known_id,
        answer=_opened(ctx, row.answer_sealed, row.id),
        answered_by=row.answered_by,
        answered_at=row.answered_at,
        created_at=row.created_at,
        decided_at=item.reviewed_at if item else None,
    )
