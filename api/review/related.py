"""What belongs to an item of the queue: its campaign, reporters, comments and decided messages."""

from collections.abc import Sequence

from sqlalchemy import func, select

from api.feedback import repository as feedback
from api.kit.context import Context
from api.kit.keyring import UNREADABLE
from api.review import repository as reviews
from api.tables import IS_PENDING, Campaign, Feedback, Scan, User
from api.users.service import reporter_summary
from shield.wire import (
    CampaignSummary,
    CommentRead,
    FeedbackRead,
    FeedbackStatus,
    ReporterSummary,
    SimilarItem,
)

_VARIANTS = 5
_REPORTERS = 20
_READ = 10 * _REPORTERS
"""Most reports looked through for reporters: a campaign may have a million."""


def text_of(ctx: Context, scan: Scan) -> str:
    """Return the message of a scan; empty if it was erased, `UNREADABLE` if it cannot be read."""
    if scan.text_sealed is None:
        return ""
    return ctx.ring.shown(scan.text_sealed, scan.id) or UNREADABLE


def campaign(
    ctx: Context, campaign: Campaign, scan: Scan, *, reach: int, reporters: int
) -> CampaignSummary:
    """Return the campaign of `scan` as it is shown beside its item, with other forms of it."""
    texts = {text_of(ctx, scan): scan.fingerprint}
    shown: Sequence[str] = []
    if campaign.reports > 1:
        # Chosen before they are joined: a planner that underestimates a campaign reads it all.
        latest = (
            select(Feedback.id, Feedback.scan_id)
            .where(Feedback.campaign_id == campaign.id, Feedback.scan_id != scan.id)
            .order_by(Feedback.id.desc())
            .limit(20 * _VARIANTS)
            .subquery()
        )
        others = ctx.session.scalars(
            select(Scan).join(latest, latest.c.scan_id == Scan.id).order_by(latest.c.id.desc())
        )
        opened = {text_of(ctx, other): other.fingerprint for other in others}
        read = {text: print_ for text, print_ in opened.items() if text not in ("", UNREADABLE)}
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
        size=reach,
        pending=campaign.pending,
        reporters=reporters,
        variants=variants,
        shown=list(shown),
        first_seen=campaign.first_seen,
        last_seen=campaign.last_seen,
        burst=campaign.burst,
    )


def reporters(
    ctx: Context, row: Feedback, user: User | None, *, alone: bool
) -> list[ReporterSummary]:
    """Return who reported: the item's reporter first, then others of its campaign."""
    users = [user] if user else []
    if not alone:
        first = (
            select(Feedback.user_id, Feedback.id)
            .where(
                Feedback.campaign_id == row.campaign_id,
                Feedback.source == "report",
                IS_PENDING,
                Feedback.user_id != row.user_id,
            )
            .order_by(Feedback.queue_key, Feedback.id)
            .limit(_READ)
            .subquery()
        )
        ids = (
            select(first.c.user_id)
            .group_by(first.c.user_id)
            .order_by(func.min(first.c.id))
            .limit(_REPORTERS - 1)
        )
        users += ctx.session.scalars(select(User).where(User.id.in_(ids)).order_by(User.id))
    return [reporter_summary(one, ctx.now) for one in users]


def comments(ctx: Context, row: Feedback, read: FeedbackRead, *, alone: bool) -> list[CommentRead]:
    """Return what reporters of the campaign wrote, the item's own first."""
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


def similar(ctx: Context, row: Feedback) -> list[SimilarItem]:
    """Return what was decided in the same campaign; nothing for a blind second look."""
    if row.campaign_id is None or row.looks:
        return []
    decided = ctx.session.execute(
        select(Feedback, Scan)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(
            Feedback.campaign_id == row.campaign_id,
            Feedback.status != "pending",
            Feedback.reviewed_at.is_not(None),
            Feedback.id != row.id,
        )
        .order_by(Feedback.reviewed_at.desc())
        .limit(3)
    ).all()
    return [
        SimilarItem(
            text=text_of(ctx, scan),
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
