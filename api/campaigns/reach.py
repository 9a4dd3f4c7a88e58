"""How far campaigns reach: their scans and reporters, and bursts of reports by new accounts."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from api.campaigns.service import Arrival
from api.kit import paging
from api.kit.context import Context
from api.kit.trust import NEW_SECONDS
from api.tables import Campaign, CampaignFingerprint, Feedback, Scan, User

BURST_REPORTERS = 5
BURST_SECONDS = 3600
"""Reporters, most of them with new accounts, within `BURST_SECONDS` that make a burst."""
_BURST_NEW_SHARE = 0.6
_BURST_EVERY = 100
"""Reports between two checks for a burst, in a large campaign."""


def scans(session: Session, campaign_ids: Collection[str]) -> dict[str, int]:
    """Return the number of scans of each campaign, reported or not; zeros are left out.

    Scans are counted up to `paging.MOST_COUNTED`: a message may be scanned a million times.
    """
    some = (
        select(Scan.id)
        .join(CampaignFingerprint, CampaignFingerprint.fingerprint == Scan.fingerprint)
        .where(CampaignFingerprint.campaign_id == Campaign.id)
    )
    return _count_of_each(session, campaign_ids, some)


def reporters(session: Session, campaign_ids: Collection[str]) -> dict[str, int]:
    """Return the number of distinct reporters of each campaign; zeros are left out.

    They are counted among as many reports as `paging.MOST_COUNTED`.
    """
    reports = select(Feedback.user_id).where(
        Feedback.campaign_id == Campaign.id, Feedback.source == "report"
    )
    return _count_of_each(session, campaign_ids, reports)


def _count_of_each(
    session: Session, campaign_ids: Collection[str], rows: Select[str]
) -> dict[str, int]:
    """Count for each campaign the distinct values of the first rows of a correlated query."""
    some = rows.limit(paging.MOST_COUNTED).correlate(Campaign).subquery()
    count = select(func.count(func.distinct(some.c[0]))).scalar_subquery()
    counts = session.execute(select(Campaign.id, count).where(Campaign.id.in_(campaign_ids)))
    return {campaign_id: number for campaign_id, number in counts if number}


def may_burst(arrival: Arrival) -> bool:
    """Return whether a check for a burst is due.

    A campaign that is already flagged is not checked. A large one is checked at every hundredth
    report, by its newest reports only, because counting all of them each time is expensive.
    """
    if arrival.burst or arrival.reports < BURST_REPORTERS:
        return False
    return arrival.reports <= _BURST_EVERY or arrival.reports % _BURST_EVERY == 0


def note_burst(ctx: Context, arrival: Arrival) -> None:
    """Flag a campaign that many new accounts report within a short time."""
    newest = (
        select(Feedback.user_id)
        .where(
            Feedback.campaign_id == arrival.campaign_id,
            Feedback.source == "report",
            Feedback.created_at > ctx.now - timedelta(seconds=BURST_SECONDS),
        )
        .order_by(Feedback.id.desc())  # ids begin with the time
        .limit(2 * _BURST_EVERY)
        .subquery()
    )
    recent = select(newest.c.user_id).distinct().subquery()
    born = ctx.session.scalars(
        select(User.created_at).join(recent, recent.c.user_id == User.id)
    ).all()
    youngest = ctx.now - timedelta(seconds=NEW_SECONDS)
    new = sum(1 for at in born if at > youngest)
    if len(born) < BURST_REPORTERS or new < _BURST_NEW_SHARE * len(born):
        return
    old_users = ctx.session.scalar(
        select(func.count()).select_from(
            select(User.id).where(User.created_at <= youngest).limit(1).subquery()
        )
    )
    # On a system whose every account is new, newness says nothing.
    if old_users:
        ctx.session.execute(
            update(Campaign)
            .where(Campaign.id == arrival.campaign_id)
            .values(burst=True)
            .execution_options(synchronize_session=False)
        )
