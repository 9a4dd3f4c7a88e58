"""Erase a user, or some of a user's scans.

Erasure covers the database, sealed snapshots, and all later snapshots.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, select, update

from api.audit import service as audit
from api.campaigns import signing
from api.kit.context import Context
from api.kit.database import settle
from api.kit.idempotency import RememberedAnswer
from api.known import service as known
from api.privacy import lineage, snapshots
from api.tables import (
    Campaign,
    CampaignBand,
    CampaignFingerprint,
    Contest,
    Feedback,
    Notice,
    PairingCode,
    PushSubscription,
    Revision,
    SavedView,
    Scan,
    User,
)
from shield.errors import NotFound
from shield.similarity import form
from shield.wire import ErasureRead

_CHUNK = 500


def erase(ctx: Context, user_id: str) -> ErasureRead:
    """Erase a user; return which versions were trained on the user's messages.

    Verdicts and decisions remain in the statistics under a random pseudonym whose link to the user
    is deleted. Erasing an unknown user is not an error.
    """
    erased = _erase_scans(ctx, user_id)
    pseudonym = _pseudonym(ctx, user_id)
    ctx.session.execute(delete(User).where(User.id == user_id))
    ctx.session.execute(delete(SavedView).where(SavedView.owner == user_id))
    for table in (PairingCode, PushSubscription):
        ctx.session.execute(delete(table).where(table.user_id == user_id))
    _settle(ctx, erased, "user.erase", pseudonym)
    return erased


def erase_scans(ctx: Context, user_id: str, before: datetime | None = None) -> ErasureRead:
    """Erase all scans of a user with the feedback on them; the account stays.

    With `before`, only scans created at or before that time: a repeated request must not erase what
    came after the first. A later time than now counts as now.
    """
    until = None if before is None else min(before, ctx.now)
    erased = _erase_scans(ctx, user_id, until=until)
    _settle(ctx, erased, "scan.erase", _pseudonym(ctx, user_id))
    return erased


def erase_scan(ctx: Context, user_id: str, scan_id: str) -> ErasureRead:
    """Erase one scan of a user with the feedback on it.

    Raises:
        NotFound: The user has no such scan.
    """
    erased = _erase_scans(ctx, user_id, scan_id)
    if not erased.scans:
        raise NotFound(f"You have no scan {scan_id}. GET /api/v2/scans lists yours.")
    _settle(ctx, erased, "scan.erase", _pseudonym(ctx, user_id))
    return erased


def _pseudonym(ctx: Context, user_id: str) -> str:
    user = ctx.session.get(User, user_id)
    return user.pseudonym if user else "nobody"


def _erase_scans(
    ctx: Context, user_id: str, scan_id: str | None = None, until: datetime | None = None
) -> ErasureRead:
    """Remove one or all scans of a user, with reports, from the database and snapshots.

    With `until`, those that were created then or before.
    """

    def of_erased(table: type[Feedback | Notice | Revision | Contest]) -> ColumnElement[bool]:
        own = table.user_id == user_id
        if scan_id is not None:
            return and_(own, table.scan_id == scan_id)
        if until is None:
            return own
        # What is still the user's now is kept.
        return and_(own, table.scan_id.not_in(select(Scan.id).where(Scan.user_id == user_id)))

    which = [Scan.user_id == user_id]
    if scan_id is not None:
        which.append(Scan.id == scan_id)
    if until is not None:
        which.append(Scan.created_at <= until)
    nobody = f"erased-{secrets.token_hex(8)}"
    # The scans first: a report that is just being sent holds its scan, so it is waited for here and
    # found below; one that comes later finds no scan.
    scans = [
        (row.id, row.fingerprint)
        for row in ctx.session.execute(
            select(Scan.id, Scan.fingerprint).where(*which).with_for_update()
        )
    ]
    for at in range(0, len(scans), _CHUNK):
        ctx.session.execute(
            update(Scan)
            .where(Scan.id.in_([each for each, _ in scans[at : at + _CHUNK]]))
            .values(user_id=nobody, text_sealed=None, fingerprint="", sketch=None)
        )
    reports = ctx.session.scalars(select(Feedback).where(of_erased(Feedback))).all()
    batches = snapshots.remove_rows(ctx, [report.id for report in reports], "a member was erased")
    versions = lineage.learned_from(ctx.session, batches)
    for report in reports:
        _forget_report(ctx, report, nobody)
    _forget_samples(ctx, [each for each, _ in scans])
    _forget_forms(ctx, sorted({form for _, form in scans if form}))
    for table in (Notice, Revision, Contest):
        ctx.session.execute(delete(table).where(of_erased(table)))
    ctx.session.execute(delete(RememberedAnswer).where(RememberedAnswer.caller == user_id))
    ctx.session.flush()
    return ErasureRead(
        scans=len(scans),
        feedback=len(reports),
        versions=[version.name for version in versions],
        batches=batches,
    )


def _settle(ctx: Context, erased: ErasureRead, action: str, pseudonym: str) -> None:
    """Remove traces from the database's files after the commit, and record the erasure."""
    ctx.after_commit.append(lambda: settle(ctx.services.engine))
    audit.append(
        ctx.session,
        at=ctx.now,
        actor=pseudonym,  # the log must not keep the name that is to be forgotten
        action=action,
        subject=pseudonym,
        reason="requested by the user",
        details={"scans": erased.scans, "feedback": erased.feedback, "batches": erased.batches},
    )


def _forget_report(ctx: Context, report: Feedback, nobody: str) -> None:
    report.user_id, report.comment_sealed = nobody, None
    if report.status == "pending":
        # Without its message nobody could decide it.
        if report.campaign_id is not None:
            ctx.session.execute(
                update(Campaign)
                .where(Campaign.id == report.campaign_id)
                .values(pending=Campaign.pending - 1)
            )
        ctx.session.delete(report)


def _forget_samples(ctx: Context, scan_ids: Sequence[str]) -> None:
    """Replace erased messages that represent a campaign by another one, or remove them."""
    for at in range(0, len(scan_ids), _CHUNK):
        campaigns = ctx.session.scalars(
            select(Campaign).where(Campaign.sample_scan_id.in_(scan_ids[at : at + _CHUNK]))
        ).all()
        for campaign in campaigns:
            _replace_sample(ctx, campaign, set(scan_ids))
            ctx.session.flush()
            known.forget(ctx, campaign)


def _replace_sample(ctx: Context, campaign: Campaign, gone: set[str]) -> None:
    members = ctx.session.scalars(
        select(Scan)
        .join(Feedback, Feedback.scan_id == Scan.id)
        .where(Feedback.campaign_id == campaign.id, Scan.text_sealed.is_not(None))
        .order_by(Scan.id)
    )
    for scan in members:
        if scan.id in gone or scan.text_sealed is None:
            continue
        text = ctx.ring.signable(scan.text_sealed, scan.id)
        if text is not None:
            signing.sign(ctx, campaign, scan.id, form(text))
            return
    # Nobody else has sent it: the shell stays for the statistics, its content goes.
    campaign.sample_sealed = ctx.ring.seal("", campaign.id)
    campaign.sample_scan_id = ""
    for table in (CampaignBand, CampaignFingerprint):
        ctx.session.execute(delete(table).where(table.campaign_id == campaign.id))


def _forget_forms(ctx: Context, forms: Sequence[str]) -> None:
    """Delete fingerprints of messages that no remaining scan has."""
    still_sent = exists().where(Scan.fingerprint == CampaignFingerprint.fingerprint)
    for at in range(0, len(forms), _CHUNK):
        ctx.session.execute(
            delete(CampaignFingerprint)
            .where(CampaignFingerprint.fingerprint.in_(forms[at : at + _CHUNK]), ~still_sent)
            .execution_options(synchronize_session=False)
        )
