"""Queries about feedback, and its form in responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select
from sqlalchemy.orm import Session

from api.campaigns.finding import Place
from api.kit.context import Context
from api.kit.idempotency import RememberedAnswer
from api.kit.keyring import UNREADABLE
from api.kit.trust import Record
from api.tables import Campaign, CampaignFingerprint, Feedback, Revision, Scan, User
from shield.errors import NotFound
from shield.wire import FeedbackRead

LISTED_BY = "`GET /api/v2/feedback/pending` or `shieldctl feedback list` shows those that wait."


@dataclass(frozen=True)
class Opened:
    """A scan with its report, owner and campaign, as read for a new report."""

    id: str
    user_id: str
    scan_type: str
    model_type: str
    text_sealed: bytes
    fingerprint: str
    verdict: str
    told_label: str | None
    probability: float
    model_version: str
    created_at: datetime
    report_id: str | None
    record: Record | None
    """The owner's record of decided corrections; `None` while the owner has no row."""
    place: Place | None


_SCANS = (
    select(
        Scan.id,
        Scan.user_id,
        Scan.scan_type,
        Scan.model_type,
        Scan.text_sealed,
        Scan.fingerprint,
        Scan.verdict,
        func.coalesce(Revision.label, Scan.told_label).label("told_label"),
        Scan.probability,
        Scan.model_version,
        Scan.created_at,
        Feedback.id.label("report_id"),
        User.record_approved,
        User.record_rejected,
        User.record_at,
        Campaign.id.label("campaign_id"),
        Campaign.reports,
        Campaign.burst,
    )
    .outerjoin(Revision, Revision.scan_id == Scan.id)
    .outerjoin(Feedback, and_(Feedback.scan_id == Scan.id, Feedback.source == "report"))
    .outerjoin(User, User.id == Scan.user_id)
    .outerjoin(
        CampaignFingerprint,
        and_(
            CampaignFingerprint.fingerprint == Scan.fingerprint,
            CampaignFingerprint.model_type == Scan.model_type,
        ),
    )
    .outerjoin(Campaign, Campaign.id == CampaignFingerprint.campaign_id)
    .where(Scan.text_sealed.is_not(None))
)
# Shared: an erasure waits, so that nothing is written about a scan that is just forgotten.
_OPENED = _SCANS.where(
    Scan.id == bindparam("scan"), Scan.user_id == bindparam("user")
).with_for_update(read=True, of=Scan)
# A report's key is looked for among those of the scan's owner, who alone may report it.
_OPENED_AT_ONCE = (
    _SCANS.add_columns(RememberedAnswer.key.label("known_key"))
    .outerjoin(
        RememberedAnswer,
        and_(
            RememberedAnswer.caller == Scan.user_id,
            RememberedAnswer.key.in_(bindparam("keys", expanding=True)),
        ),
    )
    .where(Scan.id.in_(bindparam("scans", expanding=True)))
    .order_by(Scan.id)
    .with_for_update(read=True, of=Scan, skip_locked=True)
)


def opened(session: Session, scan_id: str, user_id: str) -> Opened | None:
    """Return a scan with its report, owner and campaign, if it is the user's and not erased."""
    parameters = {"scan": scan_id, "user": user_id}
    row = session.connection().execute(_OPENED, parameters).first()
    return None if row is None else _opened(row)


def opened_at_once(
    session: Session, scan_ids: Sequence[str], keys: Sequence[str]
) -> tuple[dict[str, Opened], set[tuple[str, str]]]:
    """Return scans by id, except erased ones and those that another transaction changes.

    Beside them, owner and key of those `keys` of the scans' owners that have a stored response,
    expired ones included.
    """
    rows = session.connection().execute(_OPENED_AT_ONCE, {"scans": scan_ids, "keys": keys}).all()
    known = {(row.user_id, row.known_key) for row in rows if row.known_key is not None}
    return {row.id: _opened(row) for row in rows}, known


def _opened(row: Any) -> Opened:
    told = row._asdict()
    told.pop("known_key", None)
    record = tuple(told.pop(f"record_{part}") for part in ("approved", "rejected", "at"))
    campaign_id, reports, burst = (told.pop(name) for name in ("campaign_id", "reports", "burst"))
    return Opened(
        **told,
        record=None if record[0] is None else Record(*record),
        place=None if campaign_id is None else Place(campaign_id, reports, burst),
    )


def reports_by(user_id: str) -> Select[Feedback]:
    """Return the query for one user's reports."""
    return select(Feedback).where(Feedback.user_id == user_id, Feedback.source == "report")


def locked(ctx: Context, feedback_id: str) -> Feedback:
    """Return one item, locked until the transaction ends. Raises `NotFound`."""
    row = ctx.session.get(Feedback, feedback_id, with_for_update=True)
    if row is None:
        raise NotFound.of("feedback", feedback_id, LISTED_BY)
    return row


def comment_of(ctx: Context, row: Feedback) -> str | None:
    """Return the decrypted comment of the reporter; `UNREADABLE` if it cannot be decrypted."""
    if row.comment_sealed is None:
        return None
    return ctx.ring.shown(row.comment_sealed, row.id) or UNREADABLE


def readable(ctx: Context, row: Feedback) -> FeedbackRead:
    """Return an item in the form of responses."""
    read = FeedbackRead.model_validate(row)
    read.comment = comment_of(ctx, row)
    return read
