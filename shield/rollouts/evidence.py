"""What a rollout is judged by, and which two versions it is counted for.

The API counts (it has the scans), the operator judges. They agree here on whom the counts are
about.
"""

from datetime import datetime
from typing import NamedTuple

from shield.crds.v1alpha1 import ArmEvidence, Evidence, ModelRolloutStatus, VersionRef

__all__ = ["ArmEvidence", "Evidence", "Subjects", "subjects"]


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
