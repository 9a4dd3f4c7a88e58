"""Count the evidence for and against a version since a rollout began."""

import math
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Integer, and_, case, func, select
from sqlalchemy.orm import Session

from api.sampling.service import SHADOW
from api.scans import repository as scans
from api.tables import Feedback, Scan, ShadowScore
from shield.crds.evidence import ArmEvidence
from shield.labels import FeedbackType, ModelType

_REPORTED = ("report",)

LOOKBACK = timedelta(days=1)
"""Time before a trial from which the stable version's processing times count: during the trial it
may answer from its cache."""


def of_version(
    session: Session,
    model_type: ModelType,
    version: str,
    since: datetime,
    *,
    shadow: bool,
    of_user_and_day: int = 1,
    beside_shadow: bool = False,
    lookback: timedelta = timedelta(0),
) -> tuple[ArmEvidence, list[float]]:
    """Count one version's scans, reports, decided feedback and failures.

    Args:
        session: Session of the database.
        model_type: Model type of the version.
        version: Name of the version.
        since: Start of the period.
        shadow: Count shadow scores instead of answers.
        of_user_and_day: Most verdicts of one user and day that count for the share of scams.
        beside_shadow: The version is compared with a shadow one. Decided disagreements then count
            for both, since their selection does not depend on which version was right.
        lookback: Time before `since` from which processing times count.

    Returns:
        The counts, and the processing times of the version's latest answers, for `timed`.
    """
    if shadow:
        total, positives = scans.shadow_exposures(session, version, since)
        reports, decided, errors = _shadow_verdicts(session, version, since)
    else:
        total, positives = scans.exposures(session, version, model_type.value, since)
        sources = (*_REPORTED, SHADOW) if beside_shadow else _REPORTED
        reports, decided, errors = _verdicts(session, version, model_type, since, sources)
    counted, scams = scans.verdicts(
        session,
        version,
        model_type.value,
        since,
        of_user_and_day=of_user_and_day,
        shadow=shadow,
    )
    in_a_row, unreached = scans.failures_in_a_row(
        session, version, model_type.value, since, shadow=shadow
    )
    latency, processor = scans.times(
        session, version, model_type.value, since, shadow=shadow, lookback=lookback
    )
    users, reporters = (0, 0) if shadow else scans.voters(session, version, model_type.value, since)
    arm = ArmEvidence(
        exposures=total,
        users=users,
        reporters=reporters,
        positives=positives,
        counted=counted,
        counted_positives=scams,
        reports=reports,
        decided=decided,
        verdict_errors=errors,
        failures=scans.failures(session, version, since),
        failures_in_a_row=in_a_row,
        unreached_in_a_row=unreached,
        latency_p95_ms=percentile(latency, 0.95) if latency else None,
    )
    return arm, processor


def timed(arm: ArmEvidence, processor_ms: list[float], slow_above_ms: float | None) -> ArmEvidence:
    """Return an arm's evidence with its processing times, compared with the bound of both arms."""
    if slow_above_ms is None or not processor_ms:
        return arm
    answered = [ms for ms in processor_ms if ms < math.inf]
    return arm.model_copy(
        update={
            "timed": len(processor_ms),
            "slow": sum(ms > slow_above_ms for ms in processor_ms),
            "processor_median_ms": percentile(answered, 0.5) if answered else None,
        }
    )


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


# A decided item says what is true: an approved correction its label, a rejected one the other.
truth_differs_from_verdict = case(
    (Feedback.status == "approved", Feedback.corrected_label != Feedback.original_label),
    else_=Feedback.corrected_label == Feedback.original_label,
)


def _verdicts(
    session: Session,
    version: str,
    model_type: ModelType,
    since: datetime,
    sources: tuple[str, ...],
) -> tuple[int, int, int]:
    decided = Feedback.status != "pending"
    wrong_claim = _objects()
    row = session.execute(
        select(
            func.coalesce(func.sum(wrong_claim.cast(Integer)), 0),
            func.coalesce(func.sum(decided.cast(Integer)), 0),
            func.coalesce(func.sum(case((decided & truth_differs_from_verdict, 1), else_=0)), 0),
        )
        .select_from(Feedback)
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(
            Scan.model_type == model_type.value,
            Scan.model_version == version,
            Scan.created_at >= since,
            Scan.forced.is_(False),
            Feedback.source.in_(sources),
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def _objects() -> ColumnElement[bool]:
    """Return the condition for feedback that objects to a verdict."""
    claims = Feedback.feedback_type != FeedbackType.CONFIRMED.value
    return and_(claims, Feedback.source.in_(_REPORTED))


def _shadow_verdicts(session: Session, version: str, since: datetime) -> tuple[int, int, int]:
    """Compare shadow scores with the labels decided by reviewers."""
    decided = Feedback.status != "pending"
    same_verdict = ShadowScore.verdict == Feedback.original_label
    wrong = case((same_verdict, truth_differs_from_verdict), else_=~truth_differs_from_verdict)
    wrong_claim = _objects() & same_verdict
    row = session.execute(
        select(
            func.coalesce(func.sum(case((wrong_claim, 1), else_=0)), 0),
            func.coalesce(func.sum(case((decided, 1), else_=0)), 0),
            func.coalesce(func.sum(case((decided & wrong, 1), else_=0)), 0),
        )
        .select_from(Feedback)
        .join(ShadowScore, ShadowScore.scan_id == Feedback.scan_id)
        .where(
            ShadowScore.model_version == version,
            ShadowScore.created_at >= since,
            Feedback.source.in_((*_REPORTED, SHADOW)),
        )
    ).one()
    return int(row[0]), int(row[1]), int(row[2])
