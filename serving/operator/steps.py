"""The steps of a trial: current weight and completion. Pure."""

from datetime import timedelta

from serving.operator.state import Observed
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutSpec, ModelRolloutStatus, Strategy


def relevant(status: ModelRolloutStatus, observed: Observed) -> Evidence | None:
    """Return the evidence if it is about the current trial, else `None`."""
    if observed.evidence is None or status.rollout_started is None:
        return None
    return (
        observed.evidence if observed.evidence.rollout_started == status.rollout_started else None
    )


def exposures(status: ModelRolloutStatus, observed: Observed) -> int:
    """Return the known number of scans that the version on trial has answered."""
    evidence = relevant(status, observed)
    return evidence.candidate.exposures if evidence else 0


def weight(spec: ModelRolloutSpec, step: int) -> int:
    """Return the candidate's share of users on `step`, in percent (beyond the last: the last)."""
    return spec.steps[min(step, len(spec.steps) - 1)].weight if spec.steps else 0


def on_last(spec: ModelRolloutSpec, status: ModelRolloutStatus) -> bool:
    """Return whether no step follows; steps may have been removed from the spec."""
    return status.step + 1 >= len(spec.steps)


def done(spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed) -> bool:
    """Return whether the current step has reached its duration and number of scans."""
    if status.step_started is None:
        return False
    if status.step >= len(spec.steps):
        return True
    step = spec.steps[status.step]
    if observed.now - status.step_started < timedelta(seconds=step.duration_seconds):
        return False
    met = exposures(status, observed) - status.step_exposures
    return step.minimum_exposures == 0 or met >= step.minimum_exposures


def awaits_promotion(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> bool:
    """Return whether all steps are done and only a person's promotion is missing."""
    return (
        spec.strategy is not Strategy.CANARY
        and on_last(spec, status)
        and done(spec, status, observed)
    )
