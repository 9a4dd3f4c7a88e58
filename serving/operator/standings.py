"""Compute phase, reason and message of a candidate on trial.

Pure. Messages contain no counts or ages, as in `conditions`.
"""

from datetime import timedelta
from typing import NamedTuple

from serving.operator import steps
from serving.operator.judgement import missing, not_worse, users_object
from serving.operator.pace import REASON
from serving.operator.people import may_promote
from serving.operator.state import Observed
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import (
    ModelRolloutSpec,
    ModelRolloutStatus,
    Phase,
    Strategy,
    VersionRef,
)


class Standing(NamedTuple):
    """The phase of a rollout, with reason and message."""

    phase: Phase
    reason: str
    message: str


def on_trial(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed, candidate: VersionRef
) -> Standing:
    """Return the standing of a trial."""
    if status.step_started is None and not observed.of(candidate).ready:
        asked_for = status.rollout_started or observed.now
        if observed.now - asked_for >= timedelta(seconds=spec.ready_timeout_seconds):
            return Standing(
                Phase.DEGRADED,
                "NotReady",
                f"No server of {candidate.name} was ready within {spec.ready_timeout_seconds:g} s. "
                f"No user meets it, {called(status.stable)} answers, and its trial begins once one "
                "is ready. Look at their logs and whether the machine has room for them, or take "
                f"it back with `shieldctl rollout undo {spec.model_type}`.",
            )
        return Standing(
            Phase.PROGRESSING,
            "CandidateStarting",
            f"Bringing up {candidate.name}; no user meets it.",
        )
    since = status.step_started or status.rollout_started or observed.now
    overdue = observed.now - since > timedelta(seconds=spec.deadline_seconds)
    if spec.paused:
        return Standing(
            Phase.PAUSED,
            "Paused",
            f"{candidate.name} holds its step until somebody lifts the pause: `shieldctl rollout "
            f"resume {spec.model_type}`.",
        )
    if not observed.of(candidate).ready:
        return Standing(
            Phase.PROGRESSING,
            "CandidateNotReady",
            f"No server of {candidate.name} is ready; {called(status.stable)} answers everyone.",
        )
    if status.slow:
        return Standing(
            Phase.DEGRADED if overdue else Phase.PAUSED,
            REASON,
            f"{candidate.name} takes its servers far longer to answer than {called(status.stable)} "
            "does, so it holds its step and meets no further users. It goes on by itself once its "
            "answers are quick enough. If they stay slow, take it back with `shieldctl rollout "
            f"undo {spec.model_type}`; if that is accepted, raise `analysis.maxLatencyRatio` or "
            f"promote it with `shieldctl rollout promote {spec.model_type}`.",
        )
    evidence = steps.relevant(status, observed)
    good = not_worse(spec.analysis, evidence)
    if spec.promote == candidate.digest and not may_promote(spec, evidence):
        return Standing(
            Phase.PAUSED,
            "ReasonMissing",
            f"The promotion of {candidate.name} was asked for, and the evidence does not show that "
            "it is good enough. Say who asks and why: `shieldctl rollout promote "
            f"{spec.model_type} --reason ...`, or `promoteBy` and `promoteReason` in the spec.",
        )
    if evidence is not None and not good and users_object(spec.analysis, evidence):
        return Standing(
            Phase.DEGRADED if overdue else Phase.PAUSED,
            "UsersObject",
            f"More users object to {candidate.name} than to {called(status.stable)}, so it meets "
            "no further users until reviewers have decided enough messages on which the versions "
            f"disagree. {missing(spec.analysis, evidence)} Reports alone do not reject a version.",
        )
    if steps.awaits_promotion(spec, status, observed):
        known = "It is shown to be good enough. " if good else _missing(spec, evidence)
        return Standing(
            Phase.PAUSED,
            "AwaitingPromotion",
            f"{candidate.name} has been through every step of its {spec.strategy} trial. {known}"
            f"Promote it with `shieldctl rollout promote {spec.model_type} --reason ...`, or end "
            f"its trial: `shieldctl rollout abort {spec.model_type} --reason ...`.",
        )
    if overdue:
        few = not steps.done(spec, status, observed)
        lacks = (
            f"{candidate.name} has not met enough users on this step within the deadline. Check "
            "that scans arrive, or lower `minimumExposures`. "
            if few
            else ""
        )
        return Standing(
            Phase.DEGRADED,
            "NoEvidence",
            f"{lacks}{_missing(spec, evidence) if not good else ''}So {candidate.name} is neither "
            "promoted nor rejected. Let reviewers decide what waits, promote it and say why with "
            f"`shieldctl rollout promote {spec.model_type} --reason ...`, or end the trial without "
            f"a judgement: `shieldctl rollout abort {spec.model_type} --reason ...`.",
        )
    if not good and steps.done(spec, status, observed) and steps.on_last(spec, status):
        return Standing(
            Phase.PROGRESSING,
            "AwaitingEvidence",
            f"{candidate.name} has been through every step, and answers "
            f"{steps.weight(spec, status.step)} % of users until it is shown that it errs no more "
            f"than {called(status.stable)}. {missing(spec.analysis, evidence)}",
        )
    if spec.strategy is Strategy.SHADOW:
        return Standing(
            Phase.PROGRESSING,
            "Shadowing",
            f"{candidate.name} scores copies of messages; no user gets its answers.",
        )
    if status.slow_disputed is not None:
        return Standing(
            Phase.PROGRESSING,
            "LooksSlow",
            f"The answers of {candidate.name} look slow, so it meets no further users until that "
            f"is over, or has lasted for {spec.analysis.slow_seconds:g} s.",
        )
    share = steps.weight(spec, status.step)
    return Standing(Phase.PROGRESSING, "OnTrial", f"{candidate.name} answers {share} % of users.")


def _missing(spec: ModelRolloutSpec, evidence: Evidence | None) -> str:
    return f"It is not shown to be good enough. {missing(spec.analysis, evidence)} "


def called(version: VersionRef | None) -> str:
    """Return a version's display name."""
    return version.name if version else "nothing"
