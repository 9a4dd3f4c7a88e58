"""Queries about batches and the corrections that may go into them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from api.tables import Batch, BatchItem, Feedback, Scan, User


def free_rows(
    session: Session, model_type: str, now: datetime
) -> Sequence[tuple[Feedback, Scan, User]]:
    """Return approved reports that no batch holds and whose decision can no longer be undone.

    `now` is not compared with `undo_until`: a batch may take a fresh decision, which then stands.
    """
    rows = session.execute(
        select(Feedback, Scan, User)
        .join(Scan, Scan.id == Feedback.scan_id)
        .join(User, User.id == Feedback.user_id)
        .where(
            Feedback.model_type == model_type,
            Feedback.status == "approved",
            Feedback.source.in_(("report", "contest")),
            Feedback.batch_id.is_(None),
            Scan.text_sealed.is_not(None),
        )
        .order_by(Feedback.id)
    ).all()
    return [(row[0], row[1], row[2]) for row in rows]


def current_of_run(session: Session, model_type: str, run_id: str) -> Batch | None:
    """Return the newest batch of a run."""
    return session.scalar(
        select(Batch)
        .where(Batch.model_type == model_type, Batch.run_id == run_id)
        .order_by(Batch.sealed_at.desc())
        .limit(1)
    )


def overdue(session: Session, now: datetime) -> Sequence[Batch]:
    """Return batches whose lease has expired, locked for update."""
    return session.scalars(
        select(Batch)
        .where(Batch.status == "leased", Batch.lease_expires_at <= now)
        .order_by(Batch.id)
        .with_for_update()
    ).all()


def members(session: Session, batch_id: str) -> Sequence[str]:
    """Return the ids of the corrections in a batch."""
    return session.scalars(
        select(BatchItem.feedback_id).where(BatchItem.batch_id == batch_id)
    ).all()


def rows(session: Session, batch_id: str) -> Sequence[tuple[Feedback, Scan, User]]:
    """Return the corrections in a batch whose messages are still there."""
    there = session.execute(
        select(Feedback, Scan, User)
        .join(BatchItem, BatchItem.feedback_id == Feedback.id)
        .join(Scan, Scan.id == Feedback.scan_id)
        .join(User, User.id == Feedback.user_id)
        .where(BatchItem.batch_id == batch_id, Scan.text_sealed.is_not(None))
        .order_by(Feedback.id)
    ).all()
    return [(row[0], row[1], row[2]) for row in there]


def take(session: Session, batch_id: str, feedback_ids: Sequence[str]) -> int:
    """Assign unassigned rows to a batch; return how many were assigned."""
    taken = 0
    for at in range(0, len(feedback_ids), 500):
        chunk = feedback_ids[at : at + 500]
        session.execute(
            update(Feedback)
            .where(
                Feedback.id.in_(chunk),
                Feedback.batch_id.is_(None),
                Feedback.status == "approved",
            )
            .values(batch_id=batch_id)
        )
        taken += (
            session.scalar(
                select(func.count()).where(Feedback.id.in_(chunk), Feedback.batch_id == batch_id)
            )
            or 0
        )
    return taken


def let_go(session: Session, batch_id: str) -> None:
    """Free the rows of a batch."""
    session.execute(update(Feedback).where(Feedback.batch_id == batch_id).values(batch_id=None))
