"""Items of the review queue, with the data for a decision."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from api.campaigns import rank, reach
from api.feedback import repository as feedback
from api.kit import trust
from api.kit.context import Context
from api.kit.keyring import UNREADABLE
from api.review import meaning, related
from api.review import repository as reviews
from api.review.related import text_of
from api.tables import Campaign, Contest, Feedback, Scan, User
from shield.labels import ScanType
from shield.reasons import tactics
from shield.wire import (
    ContestMark,
    FeedbackRead,
    FeedbackStatus,
    PendingItem,
    Proposal,
    ScanSummary,
)

_CONTESTS = 20


@dataclass(frozen=True)
class _Around:
    """Data for the items of a page, queried once per page."""

    reach: dict[str, int]
    reporters: dict[str, int]
    contests: dict[str, list[ContestMark]]
    """What senders say, by campaign."""
    loaded: list[object]
    """Referenced, so that the session's identity map keeps these rows."""


def items(ctx: Context, rows: Sequence[Feedback]) -> list[PendingItem]:
    """Return queue items of feedback rows, decided or not."""
    ids = {row.campaign_id for row in rows if row.campaign_id is not None}
    loaded: list[object] = [
        *ctx.session.scalars(select(Scan).where(Scan.id.in_({row.scan_id for row in rows}))),
        *ctx.session.scalars(select(User).where(User.id.in_({row.user_id for row in rows}))),
        *ctx.session.scalars(select(Campaign).where(Campaign.id.in_(ids))),
    ]
    around = _Around(
        reach.scans(ctx.session, ids),
        reach.reporters(ctx.session, ids),
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
        reason = ctx.ring.shown(row.reason_sealed, row.id) or UNREADABLE
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
    text = text_of(ctx, scan)
    claimed = row.claimed_until is not None and row.claimed_until > ctx.now
    return PendingItem(
        **read.model_dump(),
        scan=_scan(ctx, scan),
        campaign=related.campaign(
            ctx,
            campaign,
            scan,
            reach=reach,
            reporters=around.reporters.get(campaign.id, 0),
        )
        if campaign
        else None,
        reporters=related.reporters(ctx, row, user, alone=alone),
        comments=related.comments(ctx, row, read, alone=alone),
        rank=rank.explain(
            row,
            record=record,
            probability=scan.probability,
            reach=reach,
            now=ctx.now,
        ),
        proposal=_proposal(row, campaign),
        tactic=None if text == UNREADABLE else tactics.nearest(text),
        similar=[] if alone else related.similar(ctx, row),
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


def _scan(ctx: Context, scan: Scan) -> ScanSummary:
    return ScanSummary(
        id=scan.id,
        text=text_of(ctx, scan),
        verdict=scan.verdict,
        scan_type=ScanType(scan.scan_type),
        created_at=scan.created_at,
    )


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
