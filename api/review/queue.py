"""The review queue: undecided items, the most valuable first, with the data for a decision."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select

from api.audit import service as audit
from api.campaigns import rank
from api.campaigns import service as campaigns
from api.feedback import repository as feedback
from api.kit import trust
from api.kit.context import Context
from api.kit.paging import PageRequest, Sorted, counted, fetch_page
from api.review import meaning, search
from api.review import repository as reviews
from api.review.views import View, conditions
from api.tables import Campaign, Contest, Feedback, Scan, User
from api.users.service import reporter_summary
from shield.errors import Conflict, Forbidden, NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.reasons import tactics
from shield.wire import (
    CampaignSummary,
    CommentRead,
    ContestMark,
    FeedbackRead,
    FeedbackStatus,
    Pagination,
    PendingItem,
    Proposal,
    ReporterSummary,
    ScanSummary,
    SimilarItem,
)

_VARIANTS = 5
_REPORTERS = 20
_CONTESTS = 20


def filters(
    type_: FeedbackType | ScanType | None, model_type: ModelType | None, campaign: str | None
) -> list[ColumnElement[bool]]:
    """Return the conditions of the queue's filters; `type_` is a feedback type or scan type."""
    conditions: list[ColumnElement[bool]] = []
    if type_ is not None:
        column = Feedback.scan_type if isinstance(type_, ScanType) else Feedback.feedback_type
        conditions.append(column == type_.value)
    if model_type is not None:
        conditions.append(Feedback.model_type == model_type.value)
    if campaign is not None:
        conditions.append(Feedback.campaign_id == campaign)
    return conditions


def page(
    ctx: Context,
    paging: PageRequest,
    where: Sequence[ColumnElement[bool]],
    *,
    by_campaign: bool,
    view: View = View(),
) -> tuple[list[PendingItem], Pagination, search.Searched]:
    """Return one page of the queue; with `by_campaign` one item represents its campaign."""
    where = [*where, *conditions(ctx, view)]
    if by_campaign or view.reads_texts or view.state == "decided" or view.sort != "rank":
        rows, pagination, searched = search.look(ctx, paging, view, where)
        return _items(ctx, rows), pagination, searched
    query = reviews.queue(ctx.user, ctx.now, where)
    order = Sorted(Feedback.queue_key, Feedback.id)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return _items(ctx, rows), pagination, search.Searched(len(rows), pagination.next_cursor is None)


def waiting(ctx: Context, where: Sequence[ColumnElement[bool]], view: View = View()) -> int:
    """Return the number of campaigns that wait for the caller. Reads no messages."""
    where = [*where, *conditions(ctx, view)]
    return counted(ctx.session, reviews.campaign_queue(ctx.user, ctx.now, where))


def note_reading(ctx: Context, shown: Sequence[PendingItem]) -> None:
    """Record in the audit log whose messages a reviewer has read."""
    if shown:
        ids = [one.id for one in shown]
        audit.record_later(ctx, "message.read", "queue", "review", feedback=ids)


def one(ctx: Context, feedback_id: str) -> PendingItem:
    """Return one item by its id, decided or not. Raises `NotFound`."""
    row = ctx.session.get(Feedback, feedback_id)
    if row is None:
        raise NotFound.of("feedback", feedback_id, "`shieldctl review list` shows what waits.")
    (item,) = _items(ctx, [row])
    return item


@dataclass(frozen=True)
class _Around:
    """Data for the items of a page, queried once per page."""

    reach: dict[str, int]
    reporters: dict[str, int]
    contests: dict[str, list[ContestMark]]
    """What senders say, by campaign."""
    loaded: list[object]
    """Referenced, so that the session's identity map keeps these rows."""


def _items(ctx: Context, rows: Sequence[Feedback]) -> list[PendingItem]:
    ids = {row.campaign_id for row in rows if row.campaign_id is not None}
    loaded: list[object] = [
        *ctx.session.scalars(select(Scan).where(Scan.id.in_({row.scan_id for row in rows}))),
        *ctx.session.scalars(select(User).where(User.id.in_({row.user_id for row in rows}))),
        *ctx.session.scalars(select(Campaign).where(Campaign.id.in_(ids))),
    ]
    around = _Around(
        campaigns.reach(ctx.session, ids),
        campaigns.reporters(ctx.session, ids),
        _contests(ctx, ids),
        loaded,
    )
    return [_item(ctx, row, around) for row in rows]


def _contests(ctx: Context, campaign_ids: Collection[str]) -> dict[str, list[ContestMark]]:
    """Return what senders say of campaigns whose items wait, the latest first."""
    marks: dict[str, list[ContestMark]] = defaultdict(list)
    rows = ctx.session.scalars(
        select(Contest)
        .join(Feedback, Feedback.id == Contest.feedback_id)
        .where(Contest.campaign_id.in_(campaign_ids), Feedback.status == "pending")
        .order_by(Contest.id.desc())
        .limit(_CONTESTS)
    )
    for row in rows:
        reason = ctx.ring.open(row.reason_sealed, row.id)
        mark = ContestMark(id=row.id, reason=reason, at=row.created_at)
        marks[row.campaign_id or ""].append(mark)
    return marks


def _item(ctx: Context, row: Feedback, around: _Around) -> PendingItem:
    scan = ctx.session.get_one(Scan, row.scan_id)
    user = ctx.session.get(User, row.user_id)
    record = (user.record if user else trust.Record()).faded(ctx.now)
    campaign = ctx.session.get(Campaign, row.campaign_id) if row.campaign_id else None
    reach = around.reach.get(campaign.id, 0) if campaign else 1
    alone = campaign is None or campaign.reports <= 1  # it never had another item
    read = _as_judged(ctx, row, feedback.readable(ctx, row))
    text = _text(ctx, scan)
    claimed = row.claimed_until is not None and row.claimed_until > ctx.now
    return PendingItem(
        **read.model_dump(),
        scan=_scan(ctx, scan),
        campaign=_campaign(ctx, campaign, scan, around) if campaign else None,
        reporters=_reporters(ctx, row, user, alone=alone),
        comments=_comments(ctx, row, read, alone=alone),
        rank=rank.explain(
            row,
            record=record,
            probability=scan.probability,
            reach=reach,
            now=ctx.now,
        ),
        proposal=_proposal(row, campaign),
        tactic=tactics.nearest(text),
        similar=[] if alone else _similar(ctx, row),
        contests=around.contests.get(row.campaign_id or "", []),
        claimed_by=row.claimed_by if claimed else None,
        claimed_until=row.claimed_until if claimed else None,
        blind=row.looks > 0,
        assigned_to=row.assigned_to,
    )


def _as_judged(ctx: Context, row: Feedback, read: FeedbackRead) -> FeedbackRead:
    """Return a gold item that the caller has judged in the form of a decided item."""
    own = reviews.standing_review(ctx.session, row.id, ctx.user) if row.source == "gold" else None
    if own is None:
        return read
    return read.model_copy(
        update={
            "status": FeedbackStatus("approved" if own.action == "approve" else "rejected"),
            "reviewed_by": own.reviewer,
            "reviewed_at": own.at,
            "review_notes": own.notes,
            "review_tactic": own.tactic,
            "review_reason": own.reason,
            "undo_until": own.at + timedelta(seconds=ctx.settings.undo_seconds),
        }
    )


def _text(ctx: Context, scan: Scan) -> str:
    if scan.text_sealed is None:
        return ""
    return ctx.ring.open(scan.text_sealed, scan.id)


def _scan(ctx: Context, scan: Scan) -> ScanSummary:
    return ScanSummary(
        id=scan.id,
        text=_text(ctx, scan),
        verdict=scan.verdict,
        scan_type=ScanType(scan.scan_type),
        created_at=scan.created_at,
    )


def _campaign(ctx: Context, campaign: Campaign, scan: Scan, around: _Around) -> CampaignSummary:
    texts = {_text(ctx, scan): scan.fingerprint}
    shown: Sequence[str] = []
    if campaign.reports > 1:
        others = ctx.session.scalars(
            select(Scan)
            .join(Feedback, Feedback.scan_id == Scan.id)
            .where(Feedback.campaign_id == campaign.id, Scan.id != scan.id)
            .order_by(Feedback.id.desc())
            .limit(20 * _VARIANTS)
        )
        read = {text: other.fingerprint for other in others if (text := _text(ctx, other))}
        # What reads otherwise comes first: what differs in numbers or disguise is covered anyway.
        news = dict(zip(read.values(), read.keys(), strict=True))
        for text in [*news.values(), *read]:
            if len(texts) <= _VARIANTS and text not in texts:
                texts[text] = read[text]
        forms = sorted(set(texts.values()))
        shown = reviews.shown_with(ctx.session, campaign.id, forms, ctx.user, ctx.now)
    variants = list(texts)[1:]
    return CampaignSummary(
        id=campaign.id,
        size=around.reach.get(campaign.id, 0),
        pending=campaign.pending,
        reporters=around.reporters.get(campaign.id, 0),
        variants=variants,
        shown=list(shown),
        first_seen=campaign.first_seen,
        last_seen=campaign.last_seen,
        burst=campaign.burst,
    )


def _reporters(
    ctx: Context, row: Feedback, user: User | None, *, alone: bool
) -> list[ReporterSummary]:
    users = [user] if user else []
    if not alone:
        ids = (
            select(Feedback.user_id)
            .where(
                Feedback.campaign_id == row.campaign_id,
                Feedback.source == "report",
                Feedback.status == "pending",
                Feedback.user_id != row.user_id,
            )
            .group_by(Feedback.user_id)
            .order_by(func.min(Feedback.id))
            .limit(_REPORTERS - 1)
        )
        users += ctx.session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id))
    return [reporter_summary(one, ctx.now) for one in users]


def _comments(ctx: Context, row: Feedback, read: FeedbackRead, *, alone: bool) -> list[CommentRead]:
    comments = [CommentRead(text=read.comment, at=row.updated_at)] if read.comment else []
    if not alone:
        others = ctx.session.scalars(
            select(Feedback)
            .where(
                Feedback.campaign_id == row.campaign_id,
                Feedback.id != row.id,
                Feedback.comment_sealed.is_not(None),
            )
            .order_by(Feedback.id.desc())
            .limit(_VARIANTS)
        )
        for other in others:
            comment = feedback.comment_of(ctx, other)
            if comment:
                comments.append(CommentRead(text=comment, at=other.updated_at))
    return comments


def _proposal(row: Feedback, campaign: Campaign | None) -> Proposal | None:
    # A second look is blind: what the first one led to must not be guessed from here.
    if campaign is None or campaign.decided_label is None or row.looks:
        return None
    approves = row.corrected_label == campaign.decided_label
    when = f" on {campaign.decided_at:%d %B}" if campaign.decided_at else ""
    return Proposal(
        action="approve" if approves else "reject",
        decision=meaning.finding(campaign.decided_label),
        why=f"{campaign.decided_by} found messages like it to be {campaign.decided_label}{when}",
    )


def _similar(ctx: Context, row: Feedback) -> list[SimilarItem]:
    if row.campaign_id is None or row.looks:
        return []
    decided = ctx.session.execute(
        select(Feedback, Scan)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(
            Feedback.campaign_id == row.campaign_id,
            Feedback.status != "pending",
            Feedback.id != row.id,
        )
        .order_by(Feedback.reviewed_at.desc())
        .limit(3)
    ).all()
    return [
        SimilarItem(
            text=_text(ctx, scan),
            decision=FeedbackStatus(other.status),
            label=other.corrected_label,
            decided_at=other.reviewed_at or other.updated_at,
            similarity=1.0 if scan.fingerprint == _print(ctx, row) else 0.9,
        )
        for other, scan in decided
        if scan.text_sealed is not None
    ]


def _print(ctx: Context, row: Feedback) -> str:
    return ctx.session.get_one(Scan, row.scan_id).fingerprint


def claim(ctx: Context, feedback_id: str) -> FeedbackRead:
    """Claim an item for a while; a repeated claim extends it.

    Raises:
        NotFound: There is no such item.
        Forbidden: The item is the reviewer's own report.
        AlreadyReviewed: The item is decided.
        Conflict: Another reviewer has claimed the item.
    """
    row = feedback.locked(ctx, feedback_id)
    if row.user_id == ctx.user:
        raise Forbidden(f"{row.id} is your own report. Another reviewer has to decide it.")
    if row.status != "pending":
        raise meaning.already(row)
    taken = row.claimed_by not in (None, ctx.user)
    if taken and row.claimed_until is not None and row.claimed_until > ctx.now:
        raise Conflict(
            f"{row.claimed_by} is looking at {row.id} until {row.claimed_until:%H:%M:%S} UTC. "
            "Take the next one.",
            claimedBy=row.claimed_by,
        )
    row.claimed_by = ctx.user
    row.claimed_until = ctx.now + timedelta(seconds=ctx.settings.claim_seconds)
    return feedback.readable(ctx, row)


def release(ctx: Context, feedback_id: str) -> FeedbackRead:
    """Release a claimed item. Has no effect on an unclaimed one. Raises `NotFound`."""
    row = feedback.locked(ctx, feedback_id)
    if row.claimed_by == ctx.user:
        row.claimed_by = row.claimed_until = None
    return feedback.readable(ctx, row)
