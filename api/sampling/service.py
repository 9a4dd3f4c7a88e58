"""Draw unreported scans for review.

The audit sample: a small uniform sample at scan time, to estimate the true error rates.
Disagreements (`trials`): scans with different verdicts from the two versions of a trial.

Both only from users who have consented. In the queue they look like reports: the claim is random,
so that a reviewer who always agrees is wrong half of the time.
"""

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
"""Sources of items; `shadow` is a disagreement of two versions."""


def is_drawn(ctx: Context, scan_id: str) -> bool:
    """Return whether a scan of a consenting user is in the sample. Repeatable."""
    return lot(ctx.ring.lot_key, "sample", scan_id) < ctx.settings.audit_sample_share


def put(
    ctx: Context,
    scan: Scan,
    text: str,
    user: User,
    source: str,
    bonus_seconds: float | None = None,
) -> Feedback:
    """Add a scan to the review queue with a bonus of `bonus_seconds` (default: a report's)."""
    claim = FeedbackType.CONFIRMED
    if lot(ctx.ring.lot_key, "claim", scan.id) < 0.5:
        claim = FeedbackType.FALSE_POSITIVE if scan.positive else FeedbackType.FALSE_NEGATIVE
    ctx.session.flush()  # the scan, and its owner: counting it in its campaign may start again
    if bonus_seconds is None:
        bonus_seconds = rank.item_bonus_seconds(user.record.trust(ctx.now), scan.probability)
    key = ctx.now.timestamp() - bonus_seconds
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
