"""Finding the campaign that a message belongs to, and keeping its counts."""

from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from api.campaigns import signature
from api.campaigns.models import Campaign, CampaignBand, CampaignFingerprint
from api.feedback.models import Feedback, User
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.review import rank
from api.scans.models import Scan
from api.users.trust import NEW_SECONDS

_CANDIDATES = 20
"""Campaigns that share a band and are compared in full."""
BURST_REPORTERS = 5
BURST_SECONDS = 3600
"""So many reporters, most of them new, within this time: a burst."""
_BURST_NEW_SHARE = 0.6


def find(
    ctx: Context, model_type: str, print_: str, masked: str, keys: list[int] | None = None
) -> Campaign | None:
    """Return the campaign of a masked message, if there is one; `keys` are its bands, if known.

    The exact form is looked up first; else campaigns that share a MinHash band are compared by
    rapidfuzz. Both look-ups go by index: their cost does not grow with the number of campaigns.
    """
    known = ctx.session.get(CampaignFingerprint, (print_, model_type))
    if known is not None:
        return ctx.session.get(Campaign, known.campaign_id)
    keys = keys or signature.bands(masked, model_type)
    shared = (
        select(CampaignBand.campaign_id, func.count().label("bands"))
        .where(CampaignBand.band.in_(keys))
        .group_by(CampaignBand.campaign_id)
        .order_by(func.count().desc(), CampaignBand.campaign_id)
        .limit(_CANDIDATES)
    )
    best: tuple[float, Campaign] | None = None
    for candidate_id, _ in ctx.session.execute(shared).all():
        candidate = ctx.session.get(Campaign, candidate_id)
        if candidate is None:
            continue
        sample = ctx.ring.open(candidate.sample_sealed, candidate.id)
        score = signature.similarity(masked, sample)
        if score >= signature.SIMILAR and (best is None or score > best[0]):
            best = (score, candidate)
    return best[1] if best else None


def attach(ctx: Context, scan: Scan, text: str) -> Campaign:
    """Return the campaign of a scan, made if it is the first of its kind."""
    lock(ctx.session, f"campaign {scan.fingerprint}")
    masked = signature.masked(text)
    keys = sorted(set(signature.bands(masked, scan.model_type)))
    campaign = find(ctx, scan.model_type, scan.fingerprint, masked, keys)
    if campaign is None:
        campaign = _found(ctx, scan, masked, keys)
    if ctx.session.get(CampaignFingerprint, (scan.fingerprint, scan.model_type)) is None:
        ctx.session.add(
            CampaignFingerprint(
                fingerprint=scan.fingerprint,
                model_type=scan.model_type,
                campaign_id=campaign.id,
            )
        )
    campaign.last_seen = max(campaign.last_seen, ctx.now)
    return campaign


def _found(ctx: Context, scan: Scan, masked: str, keys: list[int]) -> Campaign:
    campaign_id = new_id(ctx.now)
    campaign = Campaign(
        id=campaign_id,
        model_type=scan.model_type,
        sample_scan_id=scan.id,
        sample_sealed=ctx.ring.seal(masked, campaign_id),
        pending=0,
        reports=0,
        burst=False,
        queue_key=ctx.now.timestamp(),
        first_seen=scan.created_at,
        last_seen=ctx.now,
    )
    ctx.session.add(campaign)
    ctx.session.flush()
    ctx.session.execute(
        insert(CampaignBand), [{"band": band, "campaign_id": campaign_id} for band in keys]
    )
    return campaign


def reach(session: Session, campaign_id: str) -> int:
    """Return how many scans were of the campaign, reported or not."""
    prints = select(CampaignFingerprint.fingerprint).where(
        CampaignFingerprint.campaign_id == campaign_id
    )
    return session.scalar(select(func.count()).where(Scan.fingerprint.in_(prints))) or 0


def reporters(session: Session, campaign_id: str) -> int:
    """Return how many distinct users reported the campaign."""
    return (
        session.scalar(
            select(func.count(func.distinct(Feedback.user_id))).where(
                Feedback.campaign_id == campaign_id, Feedback.source == "report"
            )
        )
        or 0
    )


def note_burst(ctx: Context, campaign: Campaign) -> None:
    """Flag a campaign that many new accounts report within a short time.

    Looked at only while the flag is down and reports are few: a flood is no reason to count it
    again with every drop.
    """
    if campaign.burst or campaign.reports < BURST_REPORTERS or campaign.reports > 500:
        return
    recent = (
        select(Feedback.user_id)
        .where(
            Feedback.campaign_id == campaign.id,
            Feedback.source == "report",
            Feedback.created_at > ctx.now - timedelta(seconds=BURST_SECONDS),
        )
        .distinct()
        .subquery()
    )
    born = ctx.session.scalars(
        select(User.created_at).join(recent, recent.c.user_id == User.id)
    ).all()
    youngest = ctx.now - timedelta(seconds=NEW_SECONDS)
    new = sum(1 for at in born if at > youngest)
    if len(born) >= BURST_REPORTERS and new >= _BURST_NEW_SHARE * len(born):
        old_users = ctx.session.scalar(
            select(func.count()).select_from(
                select(User.id).where(User.created_at <= youngest).limit(1).subquery()
            )
        )
        # On a system whose every account is new, newness says nothing.
        campaign.burst = bool(old_users)


def count_arrival(ctx: Context, campaign: Campaign, report: Feedback) -> None:
    """Count a report that has just joined a campaign, and move the campaign up the queue."""
    campaign.pending = Campaign.pending + 1
    campaign.reports = Campaign.reports + 1
    ctx.session.flush()
    ctx.session.refresh(campaign)
    bonus = rank.reach_bonus_seconds(campaign.reports)
    key = report.queue_key - bonus
    # The first arrival after everything was decided starts a new wait.
    campaign.queue_key = key if campaign.pending == 1 else min(campaign.queue_key, key)
    note_burst(ctx, campaign)
