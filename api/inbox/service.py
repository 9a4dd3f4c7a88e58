"""Read the caller's inbox and mark notices as read."""

from sqlalchemy import ColumnElement, Select, func, or_, select, update

from api.inbox.revising import people_of
from api.kit.context import Context
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.tables import KnownCampaign, Notice, Scan
from shield.labels import ModelType, ScanType, is_positive
from shield.reasons import Reader, advise
from shield.reasons.sentences import say
from shield.wire import InboxRead, NoticeKind, NoticeRead, Pagination, ReadMarks, ScanAdvice

_WORDS = {
    (NoticeKind.REPORT_RIGHT, True): ("notice-right", "notice-right-scam"),
    (NoticeKind.REPORT_RIGHT, False): ("notice-right", "notice-right-harmless"),
    (NoticeKind.REPORT_WRONG, True): ("notice-careful", "notice-careful-scam"),
    (NoticeKind.REPORT_WRONG, False): ("notice-asked", "notice-asked-harmless"),
    (NoticeKind.REPORT_REOPENED, None): ("notice-again", "notice-again-report"),
    (NoticeKind.REVISED, True): ("notice-wrong", "notice-wrong-scam"),
    (NoticeKind.REVISED, False): ("notice-wrong", "notice-wrong-harmless"),
    (NoticeKind.TAKEN_BACK, None): ("notice-back", "notice-back-decision"),
}
"""Title and text of a notice, by its kind and by whether the message was decided a scam."""


def inbox(
    ctx: Context, paging: PageRequest, after: str | None, reader: Reader
) -> tuple[InboxRead, Pagination]:
    """Return one page of the caller's notices, the newest first; with `after` only newer ones."""
    query = select(Notice).where(Notice.user_id == ctx.user)
    # First of all: what comes in later is newer than the cursor, and answered the next time.
    newest = ctx.session.scalar(select(func.max(Notice.sequence)).where(Notice.user_id == ctx.user))
    if after is not None:
        query = query.where(Notice.sequence > int(after))
    order = Sorted(Notice.sequence, Notice.id, descending=True, kind=int)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    cursor = str(newest or after or 0)
    notices_page = InboxRead(notices=_read(ctx, rows, reader), unread=unread(ctx), cursor=cursor)
    return notices_page, pagination


def mark(ctx: Context, marks: ReadMarks) -> int:
    """Mark notices as read; return the number still unread."""
    meant: ColumnElement[bool] = Notice.id.in_(marks.ids)
    if marks.up_to is not None:
        meant = or_(meant, Notice.sequence <= int(marks.up_to))
    ctx.session.execute(
        update(Notice)
        .where(Notice.user_id == ctx.user, Notice.read_at.is_(None), meant)
        .values(read_at=ctx.now)
    )
    return unread(ctx)


def unread(ctx: Context) -> int:
    """Return the number of the caller's unread notices that were not superseded."""
    return (
        ctx.session.scalar(
            select(func.count()).where(
                Notice.user_id == ctx.user,
                Notice.read_at.is_(None),
                Notice.superseded.is_(False),
            )
        )
        or 0
    )


def _read(ctx: Context, rows: list[Notice], reader: Reader) -> list[NoticeRead]:
    revised_scans: Select[Scan] = select(Scan).where(
        Scan.id.in_({row.scan_id for row in rows}), Scan.user_id == ctx.user
    )
    scans = {scan.id: scan for scan in ctx.session.scalars(revised_scans)}
    people = _people(ctx, rows)
    return [
        _notice(ctx, row, scans[row.scan_id], people.get(row.id, 0), reader)
        for row in rows
        if row.scan_id in scans
    ]


def _people(ctx: Context, rows: list[Notice]) -> dict[str, int]:
    """Return the number of other people that the campaign of each notice has reached."""
    campaigns = {row.facts["campaign"] for row in rows if row.facts["campaign"]}
    entries = {
        (entry.campaign_id, entry.label): entry.id
        for entry in ctx.session.scalars(
            select(KnownCampaign).where(KnownCampaign.campaign_id.in_(campaigns))
        )
    }
    reached = people_of(ctx, sorted(entries.values()), ctx.user)
    return {
        row.id: reached.get(entries.get((row.facts["campaign"], row.facts["found"]), ""), 0)
        for row in rows
    }


def _notice(ctx: Context, row: Notice, scan: Scan, people: int, reader: Reader) -> NoticeRead:
    model_type, kind = ModelType(scan.model_type), NoticeKind(row.kind)
    true_label = row.facts["found"]
    scam = None if true_label is None else is_positive(model_type, true_label)
    title, sentence = _WORDS[kind, scam]
    counted = people and kind in (NoticeKind.REPORT_RIGHT, NoticeKind.REVISED)
    reached = "notice-warned" if scam else "notice-spared"
    return NoticeRead(
        id=row.id,
        kind=kind,
        at=row.created_at,
        read_at=row.read_at,
        superseded=row.superseded,
        scan_id=row.scan_id,
        scan_type=ScanType(scan.scan_type),
        model_type=model_type,
        scanned_at=scan.created_at,
        told=row.facts["told"],
        found=true_label,
        scam=scam,
        people=people,
        title=say(title, reader),
        sentence=say(sentence, reader),
        people_sentence=say(reached, reader, people=str(people)) if counted else None,
        advice=_advice(ctx, scan, reader) if scam else None,
    )


def _advice(ctx: Context, scan: Scan, reader: Reader) -> ScanAdvice | None:
    if scan.text_sealed is None:
        return None
    text = ctx.ring.shown(scan.text_sealed, scan.id)
    return None if text is None else advise(text, ScanType(scan.scan_type), reader=reader)
