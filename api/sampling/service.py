"""Draw scans for review that nobody reported.

The audit sample: a few, drawn uniformly at scan time, so that true error rates can be known.
Disagreements: those of which a shadow candidate said otherwise; one of the two versions is wrong.

Both only from users who agreed. In the queue they look like any report: the claim is drawn by lot,
so a reviewer who always agrees is as often wrong as right.
"""

from sqlalchemy import func, select

from api.campaigns import rank
from api.campaigns import service as campaigns
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.lots import lot
from api.tables import Feedback, Scan, User
from api.tables.feedback import pending_values
from shield.labels import FeedbackType, ModelType, corrected_label
from shield.wire import ReportFacts

AUDIT, SHADOW = "audit", "shadow"
DISAGREEMENTS_WAITING = 200
"""Of one model type; a candidate that contradicts everything must not flood the queue."""


def draw(ctx: Context, scan: Scan, text: str, user: User) -> Feedback | None:
    """Put a scan into the sample by lot; return the item, or `None` when it was not drawn."""
    share = ctx.settings.audit_sample_share
    if not user.audit_consent or lot(ctx.ring.fingerprint_key, "sample", scan.id) >= share:
        return None
    return _put(ctx, scan, text, user, AUDIT, scan.probability)


def disagree(ctx: Context, scan: Scan, text: str, user: User) -> Feedback | None:
    """Queue a scan on which a shadow candidate disagreed, unless too many wait."""
    if not user.audit_consent or _waiting(ctx, scan.model_type) >= DISAGREEMENTS_WAITING:
        return None
    # Two versions contradict each other: nothing is less certain, whatever each says of itself.
    return _put(ctx, scan, text, user, SHADOW, 0.5)


def _waiting(ctx: Context, model_type: str) -> int:
    query = select(func.count()).where(
        Feedback.model_type == model_type,
        Feedback.status == "pending",
        Feedback.source == SHADOW,
    )
    return ctx.session.scalar(query) or 0


def _put(
    ctx: Context, scan: Scan, text: str, user: User, source: str, probability: float
) -> Feedback:
    claim = FeedbackType.CONFIRMED
    if lot(ctx.ring.fingerprint_key, "claim", scan.id) < 0.5:
        claim = FeedbackType.FALSE_POSITIVE if scan.positive else FeedbackType.FALSE_NEGATIVE
    ctx.session.flush()  # the scan, and its owner: counting it in its campaign may start again
    bonus = rank.item_bonus_seconds(user.record.trust(ctx.now), probability)
    key = ctx.now.timestamp() - bonus
    arrival = campaigns.attach(ctx, scan, text, key)
    values = pending_values(
        scan,
        ReportFacts(feedback_type=claim),
        id=new_id(ctx.now),
        source=source,
        corrected_label=corrected_label(ModelType(scan.model_type), scan.verdict, claim),
        campaign_id=arrival.campaign_id,
        queue_key=key,
        now=ctx.now,
    )
    item = Feedback(**values)
    ctx.session.add(item)
    return item
