"""Count which version was right where the two versions of a trial disagree."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from api.rollouts.evidence import truth_differs_from_verdict
from api.sampling import trials
from api.sampling.service import SHADOW
from api.tables import Comparison, Feedback
from shield.crds.evidence import PairedEvidence
from shield.rollouts.evidence import Subjects

STALE = timedelta(hours=48)
"""Time after which an undecided message is no longer waited for and counts for no version."""


def of_trial(session: Session, pair: Subjects, now: datetime) -> PairedEvidence:
    """Count the messages of a trial in the order of their arrival.

    Only messages before the first undecided one are evidence, so that the order of decisions cannot
    bias the result.
    """
    drawn = Comparison.drawn & Comparison.counts
    pending = Feedback.status == "pending"
    rows = (
        select(Comparison)
        .outerjoin(Feedback, (Feedback.scan_id == Comparison.scan_id) & (Feedback.source == SHADOW))
        .where(*trials.of_trial(pair))
    )
    first = session.scalar(
        rows.with_only_columns(func.min(Comparison.created_at)).where(
            drawn, pending, Comparison.created_at > now - STALE
        )
    )
    before = Comparison.created_at < (first or now + STALE)
    decided = drawn & Feedback.status.in_(("approved", "rejected"))
    answered_by_trial = Comparison.candidate_verdict == Feedback.original_label
    wrong = case((answered_by_trial, truth_differs_from_verdict), else_=~truth_differs_from_verdict)
    counted = session.execute(
        rows.with_only_columns(
            _sum(and_(Comparison.counts)),
            _sum(and_(Comparison.counts, Comparison.apart)),
            _sum(drawn),
            _sum(and_(drawn, pending)),
            func.coalesce(func.sum(case((before & ~Comparison.drawn, Comparison.share))), 0.0),
            _sum(and_(before, decided, ~wrong)),
            _sum(and_(before, decided, wrong)),
            _sum(and_(before, drawn, func.coalesce(Feedback.status, "pending") == "pending")),
        )
    ).one()
    return PairedEvidence(
        messages=counted[0],
        disagreements=counted[1],
        drawn=counted[2],
        waiting=counted[3],
        weight=float(counted[4]),
        better=counted[5],
        worse=counted[6],
        undecided=counted[7],
    )


def _sum(holds: ColumnElement[Any]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((holds, 1), else_=0)), 0)
