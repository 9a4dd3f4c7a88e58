"""Queries about feedback, and its readable form."""

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from api.feedback.models import Feedback
from api.kit.context import Context
from shield.errors import NotFound
from shield.wire import FeedbackRead

LISTED_BY = "`GET /api/v2/feedback/pending` or `shieldctl feedback list` shows those that wait."


def report_of(session: Session, scan_id: str) -> Feedback | None:
    """Return the user's report of a scan, if there is one."""
    return session.scalar(
        select(Feedback).where(Feedback.scan_id == scan_id, Feedback.source == "report")
    )


def reports_by(user_id: str) -> Select[Feedback]:
    """Return what one user has reported."""
    return select(Feedback).where(Feedback.user_id == user_id, Feedback.source == "report")


def locked(ctx: Context, feedback_id: str) -> Feedback:
    """Return one item, held until the transaction ends. Raises `NotFound`."""
    row = ctx.session.get(Feedback, feedback_id, with_for_update=True)
    if row is None:
        raise NotFound.of("feedback", feedback_id, LISTED_BY)
    return row


def comment_of(ctx: Context, row: Feedback) -> str | None:
    """Return what the reporter wrote."""
    return None if row.comment_sealed is None else ctx.ring.open(row.comment_sealed, row.id)


def readable(ctx: Context, row: Feedback) -> FeedbackRead:
    """Return an item as callers see it."""
    found = FeedbackRead.model_validate(row)
    found.comment = comment_of(ctx, row)
    return found
