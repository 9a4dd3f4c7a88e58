"""List, undo, expire and erase known campaigns; recompute them after a change of the key."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Integer, func, or_, select
from sqlalchemy.orm import Session

from api.audit import service as audit
from api.kit import signature
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.known.becoming import change, end
from api.known.replica import ACTIVE
from api.tables import Campaign, KnownCampaign, Scan
from shield.errors import Conflict, NotFound
from shield.labels import ModelType
from shield.similarity import unpacked
from shield.wire import BackCheck, KnownRead, KnownStanding, Pagination

_HOUR = timedelta(hours=1)
_CHUNK = 200
"""Entries of one transaction of `look_after`."""


def page(
    ctx: Context, paging: PageRequest, standing: KnownStanding | None, model_type: ModelType | None
) -> tuple[list[KnownRead], Pagination]:
    """Return one page of known campaigns, newest first."""
    query = select(KnownCampaign)
    if standing is not None:
        query = query.where(KnownCampaign.standing == standing.value)
    if model_type is not None:
        query = query.where(KnownCampaign.model_type == model_type.value)
    order = Sorted(KnownCampaign.id, KnownCampaign.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return _shown(ctx, rows), pagination


def one(ctx: Context, known_id: str) -> KnownRead:
    """Return one known campaign. Raises `NotFound`."""
    return _shown(ctx, [_entry(ctx, known_id)])[0]


def undo(ctx: Context, known_id: str, reason: str) -> KnownRead:
    """Undo a known campaign: it matches no messages from now on.

    Raises:
        NotFound: There is no such entry.
        Conflict: The entry has already ended.
    """
    entry = _entry(ctx, known_id)
    if entry.standing not in ACTIVE:
        raise Conflict(
            f"{known_id} is {entry.standing} already and matches nothing. {entry.why}",
            standing=entry.standing,
        )
    end(ctx, entry, KnownStanding.UNDONE, reason)
    return _shown(ctx, [entry])[0]


def forget(ctx: Context, campaign: Campaign) -> None:
    """Replace the erased message of an entry by another one of its campaign, or end the entry."""
    entries = ctx.session.scalars(
        select(KnownCampaign).where(KnownCampaign.campaign_id == campaign.id)
    )
    for entry in entries:
        if campaign.sample_scan_id:
            _resign(ctx, entry, campaign)
        else:
            entry.sketch = b""
            if entry.standing in ACTIVE:
                end(ctx, entry, KnownStanding.ENDED, "Its messages were erased.")


def withdraw(ctx: Context, campaign_ids: Sequence[str]) -> None:
    """End the entries of campaigns whose reports were withdrawn as poisoned."""
    for at in range(0, len(campaign_ids), 500):
        entries = ctx.session.scalars(
            select(KnownCampaign).where(
                KnownCampaign.campaign_id.in_(campaign_ids[at : at + 500]),
                KnownCampaign.standing.in_(ACTIVE),
            )
        )
        for entry in entries:
            end(ctx, entry, KnownStanding.ENDED, "Its reports were withdrawn.")


def look_after(services: Services, principal: Principal) -> None:
    """Expire entries without recent matches; make sketches anew that are outdated or cut off.

    In chunks, each a transaction of its own.
    """
    for work in (_expire_some, _resign_some):
        last: str | None = ""
        while last is not None:
            with open_context(services, principal) as ctx:
                last = work(ctx, last)


def _expire_some(ctx: Context, last: str) -> str | None:
    """Expire, or extend, some entries after an id; return the last id if there may be more."""
    latest = (
        select(Scan.created_at)
        .where(Scan.known_id == KnownCampaign.id)
        .order_by(Scan.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    due = ctx.session.execute(
        select(KnownCampaign, latest)
        .where(
            KnownCampaign.id > last,
            KnownCampaign.standing.in_(ACTIVE),
            KnownCampaign.expires_at <= ctx.now + _HOUR,
        )
        .order_by(KnownCampaign.id)
        .limit(_CHUNK)
    ).all()
    days = timedelta(days=ctx.settings.known_days)
    for entry, at in due:
        if at is not None and at + days > entry.expires_at:
            entry.expires_at = at + days
        if entry.expires_at <= ctx.now:
            end(
                ctx,
                entry,
                KnownStanding.EXPIRED,
                f"Nothing matched it for {ctx.settings.known_days:g} days.",
            )
    return due[-1][0].id if len(due) == _CHUNK else None


def _resign_some(ctx: Context, last: str) -> str | None:
    """Make some sketches after an id anew; return the last id if there may be more."""
    mark = signature.mark(ctx.ring)
    cut_off = func.length(KnownCampaign.sketch).not_in((0, signature.PACKED_BYTES))
    stale = ctx.session.execute(
        select(KnownCampaign, Campaign)
        .join(Campaign, Campaign.id == KnownCampaign.campaign_id)
        .where(
            KnownCampaign.id > last,
            or_(KnownCampaign.signed != mark, cut_off),
            KnownCampaign.standing.in_(ACTIVE),
        )
        .order_by(KnownCampaign.id)
        .limit(_CHUNK)
    ).all()
    for entry, campaign in stale:
        if campaign.signed == mark and campaign.sample_scan_id:
            _resign(ctx, entry, campaign)
    return stale[-1][0].id if len(stale) == _CHUNK else None


def _resign(ctx: Context, entry: KnownCampaign, campaign: Campaign) -> None:
    if not entry.sketch:  # it matches nothing, and stays so
        entry.signed = signature.mark(ctx.ring)
        return
    packed = ctx.ring.signable(campaign.sample_sealed, campaign.id)
    if packed is None:
        entry.sketch = b""
    else:
        form = unpacked(packed)
        entry.sketch = signature.packed(form, signature.sketch(form, ctx.ring), ctx.ring)
    entry.signed = signature.mark(ctx.ring)
    change(ctx, entry)


def _entry(ctx: Context, known_id: str) -> KnownCampaign:
    entry = ctx.session.get(KnownCampaign, known_id)
    if entry is None:
        raise NotFound.of("known campaign", known_id, "`shieldctl known list` shows them.")
    return entry


def _shown(ctx: Context, rows: Sequence[KnownCampaign]) -> list[KnownRead]:
    ids = [row.id for row in rows]
    matches = _matches(ctx.session, ids, ctx.now)
    campaigns = {
        campaign.id: campaign
        for campaign in ctx.session.scalars(
            select(Campaign).where(Campaign.id.in_({row.campaign_id for row in rows}))
        )
    }
    return [
        _read(ctx, row, campaigns.get(row.campaign_id), *matches.get(row.id, (0, 0)))
        for row in rows
    ]


def busiest(session: Session, now: datetime) -> dict[str, int]:
    """Return the last hour's matches of the entry with the most, by model type."""
    counted = (
        select(Scan.model_type, func.count().label("number"))
        .where(Scan.known_id.is_not(None), Scan.created_at > now - _HOUR)
        .group_by(Scan.model_type, Scan.known_id)
        .subquery()
    )
    most = select(counted.c.model_type, func.max(counted.c.number)).group_by(counted.c.model_type)
    return {model_type: int(number) for model_type, number in session.execute(most)}


def note_reading(ctx: Context, shown: Sequence[KnownRead]) -> None:
    """Record in the audit log whose messages the caller has read."""
    if any(row.text for row in shown):
        audit.record_later(ctx, "message.read", "known", "review", known=[row.id for row in shown])


def _matches(session: Session, ids: Sequence[str], now: datetime) -> dict[str, tuple[int, int]]:
    """Return the number of scans each entry has matched, in total and within the last hour."""
    late = (Scan.created_at > now - _HOUR).cast(Integer)
    counts = session.execute(
        select(Scan.known_id, func.count(), func.coalesce(func.sum(late), 0))
        .where(Scan.known_id.in_(ids))
        .group_by(Scan.known_id)
    )
    return {known_id: (int(total), int(hour)) for known_id, total, hour in counts if known_id}


def _read(
    ctx: Context, row: KnownCampaign, campaign: Campaign | None, matches: int, hour: int
) -> KnownRead:
    standing = KnownStanding(row.standing)
    elsewhere = row.origin is not None and not row.reviewers  # nobody's look is to be hidden
    blind = standing is KnownStanding.CHECKING and not elsewhere
    form = None
    if campaign is not None and campaign.sample_scan_id:
        packed = ctx.ring.shown(campaign.sample_sealed, campaign.id)
        form = None if packed is None else unpacked(packed)
    return KnownRead(
        id=row.id,
        model_type=ModelType(row.model_type),
        campaign_id=row.campaign_id,
        standing=standing,
        label=None if blind else row.label,
        text=form.words if form else None,
        hosts=sorted(form.hosts) if form else [],
        any_host=row.any_host and not blind,
        origin=row.origin,
        reviewers=[] if blind else row.reviewers,
        reporters=row.reporters,
        matches=matches,
        matches_last_hour=hour,
        why=row.why,
        checked=BackCheck.model_validate(row.checked),
        created_at=row.created_at,
        decided_at=row.decided_at,
        expires_at=row.expires_at,
    )
