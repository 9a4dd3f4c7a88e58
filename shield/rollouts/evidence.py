"""What a rollout is judged by, which two versions it is counted for, and what counts as slow.

The API counts (it has the scans), the operator judges. They agree here on whom the counts are
about.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import NamedTuple

from shield.crds.evidence import ArmEvidence, Evidence
from shield.crds.v1alpha1 import Analysis, ModelRolloutStatus, VersionRef

__all__ = ["ArmEvidence", "Evidence", "Subjects", "slow_above_ms", "subjects"]


class Subjects(NamedTuple):
    """The two versions of a trial, and since when scans count for it."""

    candidate: VersionRef
    """The version on trial."""
    stable: VersionRef
    """The version that it is compared with."""
    since: datetime
    """Scans from this time on count; `Evidence.rollout_started` repeats it."""


def subjects(status: ModelRolloutStatus) -> Subjects | None:
    """Return whom to count for, or None while nothing is on trial.

    During a rollout that is the candidate against the stable version. Within the guard window it is
    the version just promoted against the last known good one, counted since the rollout began: so
    the trial goes on without forgetting, and what the older version had shown remains its
    yardstick. Count by version, not by arm, because the arms have changed places in between.
    """
    if status.rollout_started is None:
        return None
    if status.candidate is not None and status.stable is not None:
        return Subjects(status.candidate, status.stable, status.rollout_started)
    if status.guarded is not None and status.last_known_good is not None:
        return Subjects(status.guarded, status.last_known_good, status.rollout_started)
    return None


def slow_above_ms(analysis: Analysis, stable: Sequence[float]) -> float | None:
    """Return the processor time above which an answer is slow, in milliseconds.

    Args:
        analysis: Of the rollout.
        stable: Processor times of the stable version's answers; infinite for those refused.

    Returns:
        `maxLatencyRatio` times the median of those given, at least `latencyFloorMs`; None without
        any.
    """
    answered = [ms for ms in stable if ms < math.inf]
    if not answered:
        return None
    return max(analysis.latency_floor_ms, analysis.max_latency_ratio * median(answered))
