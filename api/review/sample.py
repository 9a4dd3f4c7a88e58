"""The audit sample: a few scans that nobody reported, so that true error rates can be known.

Drawn at scan time, uniformly, only from users who agreed. In the queue they look like any report:
the claim is drawn by lot, so a reviewer who always agrees is as often wrong as right.
"""

from api.campaigns import service as campaigns
from api.feedback.models import Feedback, User
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.lots import lot
from api.review import rank
from api.scans.models import Scan
from api.users.trust import trust
from shield.labels import FeedbackType, ModelType, corrected_label


def draw(ctx: Context, scan: Scan, text: str, user: User) -> Feedback | None:
    """Put a scan into the sample by lot; return the item, or `None` when it was not drawn."""
    secret = ctx.ring.fingerprint_key
    if not user.audit_consent or lot(secret, "sample", scan.id) >= ctx.settings.audit_sample_share:
        return None
    claim = FeedbackType.CONFIRMED
    if lot(secret, "claim", scan.id) < 0.5:
        claim = FeedbackType.FALSE_POSITIVE if scan.positive else FeedbackType.FALSE_NEGATIVE
    ctx.session.flush()  # the scan, and its owner: counting it in its campaign may start again
    bonus = rank.item_bonus_seconds(trust(user.approved, user.rejected), scan.probability)
    key = ctx.now.timestamp() - bonus
    arrival = campaigns.attach(ctx, scan, text, key)
    item = Feedback(
        id=new_id(ctx.now),
        source="audit",
        scan_id=scan.id,
        user_id=scan.user_id,
        scan_type=scan.scan_type,
        model_type=scan.model_type,
        feedback_type=claim.value,
        original_label=scan.verdict,
        corrected_label=corrected_label(ModelType(scan.model_type), scan.verdict, claim),
        model_version=scan.model_version,
        status="pending",
        looks_needed=1,
        looks=0,
        campaign_id=arrival.campaign_id,
        queue_key=key,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    ctx.session.add(item)
    return item
