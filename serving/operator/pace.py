"""Detect that the version on trial is persistently too slow. Pure.

A busy machine or a process that has just started makes any version slow. So slowness must be
significant and last for a while, and its end too; and it only causes a pause.
"""

from datetime import timedelta

from serving.operator.judgement import answers_are_slow
from serving.operator.state import Observed
from serving.operator.transitions import held_for_slowness
from shield.crds.evidence import ArmEvidence, Evidence
from shield.crds.v1alpha1 import ModelRolloutSpec, ModelRolloutStatus

REASON = "AnswersSlow"
"""Reason of the condition, and first word of the transition."""


def paced(
    spec: ModelRolloutSpec,
    status: ModelRolloutStatus,
    observed: Observed,
    evidence: Evidence | None,
) -> ModelRolloutStatus:
    """Update the pace from the evidence; `slow` changes only after a persistent change.

    Nothing changes without evidence. A candidate without users yet is never held, since it would
    never get evidence of being fast.
    """
    unmet = status.candidate is not None and status.step_started is None
    if evidence is None or unmet:
        return status
    slow = answers_are_slow(spec.analysis, evidence)
    if slow == status.slow:
        return _dispute(status, None)
    since = status.slow_disputed or observed.now
    if observed.now - since < timedelta(seconds=spec.analysis.slow_seconds):
        return _dispute(status, since)
    reason = _proven(evidence) if slow else "Its answers are quick enough again."
    return held_for_slowness(status, slow, observed.now, reason, evidence)


def holds(status: ModelRolloutStatus) -> bool:
    """Return whether the step is held because the candidate is, or seems to become, slow."""
    return status.slow or status.slow_disputed is not None


def _dispute(status: ModelRolloutStatus, since: object) -> ModelRolloutStatus:
    if status.slow_disputed == since:
        return status
    return status.model_copy(update={"slow_disputed": since})


def _proven(evidence: Evidence) -> str:
    ours, theirs = evidence.candidate, evidence.stable
    return (
        f"{REASON}. {ours.slow} of its latest {ours.timed} requests took more than "
        f"{evidence.slow_above_ms or 0:.0f} ms of processor time or were refused for lack of time, "
        f"{theirs.slow} of {theirs.timed} of the other version (medians {_median(ours)} and "
        f"{_median(theirs)})."
    )


def _median(arm: ArmEvidence) -> str:
    ms = arm.processor_median_ms
    return "unknown" if ms is None else f"{ms:.0f} ms"
