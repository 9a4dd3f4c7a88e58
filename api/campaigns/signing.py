"""Compute the bands and fingerprints of campaigns, again after a change of the key.

After a key rotation, or a release that folds messages differently, look-ups no longer find the
stored rows. The caretaker recomputes them in chunks; it can be stopped and restarted at any time.
"""

from collections.abc import Callable

from sqlalchemy import delete, select

from api.kit import signature
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.tables import Campaign, CampaignBand, CampaignFingerprint, Feedback, Scan
from shield.similarity import Form, form, same_campaign, unpacked

_CHUNK = 200
ELSEWHERE = "elsewhere"
"""In place of a scan: the campaign came from another deployment, without a message of ours."""


def sign(ctx: Context, campaign: Campaign, scan_id: str, sample: Form) -> None:
    """Store the bands and fingerprint of a scan's message for its campaign."""
    campaign.sample_scan_id = scan_id
    campaign.sample_sealed = ctx.ring.seal(sample.packed(), campaign.id)
    campaign.signed = signature.mark(ctx.ring)
    ctx.session.execute(delete(CampaignBand).where(CampaignBand.campaign_id == campaign.id))
    ctx.session.flush()
    ctx.session.add_all(
        CampaignBand(band=band, campaign_id=campaign.id)
        for band in signature.bands(sample, campaign.model_type, ctx.ring)
    )


def resign(
    services: Services, principal: Principal, progress: Callable[[int], None] = lambda done: None
) -> int:
    """Recompute outdated bands and fingerprints with the current key; return the rows changed."""
    done = 0
    for work in (_campaigns, _scans):
        while changed := work(services, principal):
            done += changed
            progress(done)
    with open_context(services, principal) as ctx:
        stale = CampaignFingerprint.fingerprint.not_like(signature.mark(ctx.ring) + "%")
        ctx.session.execute(delete(CampaignFingerprint).where(stale))
    return done


def _campaigns(services: Services, principal: Principal) -> int:
    with open_context(services, principal) as ctx:
        mark = signature.mark(ctx.ring)
        rows = ctx.session.scalars(
            select(Campaign).where(Campaign.signed != mark).order_by(Campaign.id).limit(_CHUNK)
        ).all()
        for row in rows:
            sample = _sample(ctx, row)
            if sample is None:
                row.signed = mark  # without its message it is found no more; its counts stay
                ctx.session.execute(delete(CampaignBand).where(CampaignBand.campaign_id == row.id))
            else:
                sign(ctx, row, row.sample_scan_id, sample)
        return len(rows)


def _sample(ctx: Context, campaign: Campaign) -> Form | None:
    """Return the form of the message that represents a campaign; `None` if it is unreadable."""
    if campaign.sample_scan_id == ELSEWHERE:
        packed = ctx.ring.signable(campaign.sample_sealed, campaign.id)
        return None if packed is None else unpacked(packed)
    scan = ctx.session.get(Scan, campaign.sample_scan_id) if campaign.sample_scan_id else None
    if scan is None or scan.text_sealed is None:
        return None
    text = ctx.ring.signable(scan.text_sealed, scan.id)
    return None if text is None else form(text)


def _scans(services: Services, principal: Principal) -> int:
    with open_context(services, principal) as ctx:
        stale = Scan.fingerprint.not_like(signature.mark(ctx.ring) + "%")
        rows = ctx.session.scalars(
            select(Scan).where(stale, Scan.text_sealed.is_not(None)).order_by(Scan.id).limit(_CHUNK)
        ).all()
        for scan in rows:
            if scan.text_sealed is None:
                continue
            text = ctx.ring.signable(scan.text_sealed, scan.id)
            if text is None:
                # Of no message: found by none, and looked at no more.
                scan.fingerprint = f"{signature.mark(ctx.ring)}{scan.id}"[: len(scan.fingerprint)]
                continue
            said = form(text)
            scan.fingerprint = signature.fingerprint(said, ctx.ring)
            _place(ctx, scan, said)
        return len(rows)


def _place(ctx: Context, scan: Scan, said: Form) -> None:
    """Store the fingerprint of a reported scan for its campaign, if the message belongs there.

    Reports that an older release grouped although their links differ keep their campaign; new
    messages are grouped by their hosts too.
    """
    campaign = ctx.session.scalar(
        select(Campaign)
        .join(Feedback, Feedback.campaign_id == Campaign.id)
        .where(Feedback.scan_id == scan.id)
        .limit(1)
    )
    if campaign is None or not campaign.sample_scan_id:
        return
    sample = ctx.ring.signable(campaign.sample_sealed, campaign.id)
    if sample is None or not same_campaign(said, unpacked(sample)):
        return
    key = (scan.fingerprint, scan.model_type)
    if ctx.session.get(CampaignFingerprint, key) is None:
        ctx.session.add(
            CampaignFingerprint(
                fingerprint=scan.fingerprint,
                model_type=scan.model_type,
                campaign_id=campaign.id,
            )
        )
        ctx.session.flush()
