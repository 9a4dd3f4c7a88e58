"""The moves of a rollout, each from one status to the next. Pure; `reconcile` decides when."""

from datetime import datetime, timedelta
from typing import Any

from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import Action, ModelRolloutStatus, Transition, VersionRef

_GOOD_KEPT = 20
_REJECTED_KEPT = 1000
_HISTORY_KEPT = 50

_NO_TRIAL: dict[str, Any] = {
    "candidate": None,
    "rollout_started": None,
    "step": 0,
    "step_started": None,
    "step_exposures": 0,
    "slow": False,
    "slow_disputed": None,
}


def same(one: VersionRef | None, other: VersionRef | None) -> bool:
    """Return whether two references mean the same version, by digest."""
    return (one and one.digest) == (other and other.digest)


def among(version: VersionRef, versions: list[VersionRef]) -> bool:
    """Return whether `version` is one of `versions`."""
    return any(same(version, other) for other in versions)


def without(versions: list[VersionRef], gone: VersionRef) -> list[VersionRef]:
    """Return `versions` without `gone`."""
    return [version for version in versions if not same(version, gone)]


def installed(status: ModelRolloutStatus, version: VersionRef, now: datetime) -> ModelRolloutStatus:
    """Install the first version, without a trial."""
    moved = status.model_copy(update={**_NO_TRIAL, "stable": version, "good": [version]})
    return _noted(moved, "install", version, None, now, "The first version; nothing served before.")


def started(status: ModelRolloutStatus, version: VersionRef, now: datetime) -> ModelRolloutStatus:
    """Start a candidate, without users yet."""
    moved = status.model_copy(update={**_NO_TRIAL, "candidate": version, "rollout_started": now})
    return _noted(moved, "start", version, status.stable, now, "A new version was requested.")


def stepped(
    status: ModelRolloutStatus, step: int, exposures: int, now: datetime, reason: str
) -> ModelRolloutStatus:
    """Go to the next step: more users for the candidate."""
    moved = status.model_copy(
        update={"step": step, "step_started": now, "step_exposures": exposures}
    )
    assert status.candidate is not None
    return _noted(moved, "step", status.candidate, status.stable, now, reason)


def held_for_slowness(
    status: ModelRolloutStatus, slow: bool, now: datetime, reason: str, evidence: Evidence
) -> ModelRolloutStatus:
    """Record that the version on trial has become, or is no longer, persistently slow.

    A version that is already promoted is not held; only its status changes.
    """
    moved = status.model_copy(update={"slow": slow, "slow_disputed": None})
    if status.candidate is None:
        return moved
    action: Action = "pause" if slow else "resume"
    return _noted(moved, action, status.candidate, status.stable, now, reason, evidence)


def promoted(
    status: ModelRolloutStatus,
    now: datetime,
    guard_seconds: float,
    reason: str,
    evidence: Evidence | None,
) -> ModelRolloutStatus:
    """Promote the candidate to the stable version, with a guard window."""
    version = status.candidate
    assert version is not None
    guarded = guard_seconds > 0 and status.stable is not None
    moved = status.model_copy(
        update={
            **_NO_TRIAL,
            "stable": version,
            "good": [*without(status.good, version), version][-_GOOD_KEPT:],
            "guarded": version if guarded else None,
            "guard_until": now + timedelta(seconds=guard_seconds) if guarded else None,
            "rollout_started": status.rollout_started if guarded else None,
        }
    )
    return _noted(moved, "promote", version, status.stable, now, reason, evidence)


def rejected(
    status: ModelRolloutStatus, now: datetime, reason: str, evidence: Evidence | None
) -> ModelRolloutStatus:
    """Reject the candidate, permanently."""
    version = status.candidate
    assert version is not None
    moved = status.model_copy(update={**_NO_TRIAL, "rejected": _refused(status, [version])})
    return _noted(moved, "reject", version, status.stable, now, reason, evidence)


def aborted(status: ModelRolloutStatus, now: datetime, reason: str) -> ModelRolloutStatus:
    """End the trial without a result; the candidate may be requested again."""
    version = status.candidate
    assert version is not None
    return _noted(status.model_copy(update=_NO_TRIAL), "abort", version, status.stable, now, reason)


def reinstated(
    status: ModelRolloutStatus, version: VersionRef, now: datetime, reason: str
) -> ModelRolloutStatus:
    """Reinstate a rejected version at a person's request, once."""
    moved = status.model_copy(
        update={
            "rejected": without(status.rejected, version),
            "reinstated": [*status.reinstated, version.digest][-_REJECTED_KEPT:],
        }
    )
    return _noted(moved, "reinstate", version, status.stable, now, reason)


def gone_back(
    status: ModelRolloutStatus,
    target: VersionRef,
    now: datetime,
    guard_seconds: float,
    reason: str,
    evidence: Evidence | None = None,
) -> ModelRolloutStatus:
    """Return to an earlier good version; versions promoted after it are taken back permanently.

    The time for which the last known good version stays warm restarts, so that a second undo is as
    fast as the first. The guard window does not: the version was good before, and automatic returns
    must not repeat.
    """
    digests = [version.digest for version in status.good]
    place = digests.index(target.digest)
    taken_back = status.good[place + 1 :]
    bad = status.stable
    assert bad is not None
    moved = status.model_copy(
        update={
            **_NO_TRIAL,
            "stable": target,
            "good": status.good[: place + 1],
            "rejected": _refused(status, taken_back),
            "guarded": None,
            "guard_until": now + timedelta(seconds=guard_seconds) if guard_seconds else None,
        }
    )
    return _noted(moved, "undo", bad, target, now, reason, evidence)


def struck_off(
    status: ModelRolloutStatus, version: VersionRef, now: datetime, reason: str
) -> ModelRolloutStatus:
    """Remove an earlier version that can no longer be served from the good ones."""
    moved = status.model_copy(
        update={
            "good": without(status.good, version),
            "rejected": _refused(status, [version]),
        }
    )
    return _noted(moved, "reject", version, status.stable, now, reason)


def guard_over(status: ModelRolloutStatus) -> ModelRolloutStatus:
    """End the guard window and the time for which the previous version stays warm."""
    over: dict[str, Any] = {"guarded": None, "guard_until": None}
    if status.candidate is None:
        over |= _NO_TRIAL
    return status.model_copy(update=over)


def _refused(status: ModelRolloutStatus, versions: list[VersionRef]) -> list[VersionRef]:
    new = [version for version in versions if not among(version, status.rejected)]
    return [*status.rejected, *new][-_REJECTED_KEPT:]


def _noted(
    status: ModelRolloutStatus,
    action: Action,
    version: VersionRef,
    previous: VersionRef | None,
    now: datetime,
    reason: str,
    evidence: Evidence | None = None,
) -> ModelRolloutStatus:
    """Append to the history, and update `last_known_good` from `good`."""
    noted = Transition(
        action=action,
        version=version,
        previous=previous,
        at=now,
        reason=reason[:2048],
        sequence=status.history[-1].sequence + 1 if status.history else 1,
        evidence=evidence,
    )
    return status.model_copy(
        update={
            "history": [*status.history, noted][-_HISTORY_KEPT:],
            "last_known_good": status.good[-2] if len(status.good) > 1 else None,
        }
    )
