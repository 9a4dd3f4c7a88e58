"""Claims: who is looking at an item of the queue now."""

from datetime import timedelta

from api.feedback import repository as feedback
from api.kit.context import Context
from api.review import meaning
from shield.errors import Conflict, Forbidden
from shield.wire import FeedbackRead


def claim(ctx: Context, feedback_id: str) -> FeedbackRead:
    """Claim an item for a while; a repeated claim extends it.

    Raises:
        NotFound: There is no such item.
        Forbidden: The item is the reviewer's own report.
        AlreadyReviewed: The item is decided.
        Conflict: Another reviewer has claimed the item.
    """
    row = feedback.locked(ctx, feedback_id)
    if row.user_id == ctx.user:
        raise Forbidden(f"{row.id} is your own report. Another reviewer has to decide it.")
    if row.status != "pending":
        raise meaning.already(row)
    taken = row.claimed_by not in (None, ctx.user)
    if taken and row.claimed_until is not None and row.claimed_until > ctx.now:
        raise Conflict(
            f"{row.claimed_by} is looking at {row.id} until {row.claimed_until:%H:%M:%S} UTC. "
            "Take the next one.",
            claimedBy=row.claimed_by,
        )
    row.claimed_by = ctx.user
    row.claimed_until = ctx.now + timedelta(seconds=ctx.settings.claim_seconds)
    return feedback.readable(ctx, row)


def release(ctx: Context, feedback_id: str) -> FeedbackRead:
    """Release a claimed item. Has no effect on an unclaimed one. Raises `NotFound`."""
    row = feedback.locked(ctx, feedback_id)
    if row.claimed_by == ctx.user:
        row.claimed_by = row.claimed_until = None
    return feedback.readable(ctx, row)
