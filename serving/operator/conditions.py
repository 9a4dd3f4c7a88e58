"""Compute phase and conditions of a rollout's status; those of a trial are in `standings`.

Pure. Messages contain no counts or ages, so that an unchanged status is not written again.
"""

from typing import Literal

from serving.operator.pace import REASON
from serving.operator.people import given_up
from serving.operator.standings import Standing, called, on_trial
from serving.operator.state import Observed
from serving.operator.transitions import among, same
from shield.crds.v1alpha1 import (
    Condition,
    ModelRolloutSpec,
    ModelRolloutStatus,
    Phase,
    VersionRef,
)

NOTHING_TO_UNDO = "NothingToUndo"


def standing(
    spec: ModelRolloutSpec,
    status: ModelRolloutStatus,
    observed: Observed,
    awaited: VersionRef | None,
    impossible_undo: bool,
) -> Standing:
    """Return phase, reason and message of a rollout.

    Args:
        spec: The rollout's spec.
        status: The status after the decision.
        observed: The observations that the decision used.
        awaited: A version that must be ready before the next move (an install or an undo).
        impossible_undo: Whether an undo was requested without a version to return to.
    """
    stable = status.stable
    if stable is None:
        return _installing(spec, observed)
    if impossible_undo:
        return Standing(
            Phase.DEGRADED,
            NOTHING_TO_UNDO,
            f"An undo was requested, but {stable.name} is the only good version there is. "
            "Register a better one and ask for it with `shieldctl rollout start`.",
        )
    if awaited is not None:
        return Standing(
            Phase.PROGRESSING,
            "GoingBack",
            f"Bringing up {awaited.name}; {stable.name} answers until it is ready.",
        )
    if status.candidate is not None:
        return on_trial(spec, status, observed, status.candidate)
    if among(spec.version, status.rejected):
        return Standing(
            Phase.DEGRADED,
            "VersionRejected",
            f"{spec.version.name} was rejected or taken back ({_why(status, spec.version)}); "
            f"{stable.name} answers. Ask for another version, or set it back to {stable.name}.",
        )
    if not observed.of(stable).ready:
        return Standing(
            Phase.DEGRADED,
            "StableNotReady",
            f"No server of {stable.name} is ready"
            + (f": {observed.of(stable).refusal}" if observed.of(stable).refusal else ".")
            + " It is restarted; if that does not help, go back with `shieldctl rollout undo`.",
        )
    if status.slow:
        return Standing(
            Phase.DEGRADED,
            REASON,
            f"{stable.name} takes its servers far longer to answer than "
            f"{called(status.last_known_good)} did; nobody is left without an answer. Give it more "
            f"processor time, or go back with `shieldctl rollout undo {spec.model_type}`.",
        )
    if given_up(spec) and not same(spec.version, stable):
        return Standing(
            Phase.HEALTHY,
            "GivenUp",
            f"The trial of {spec.version.name} was ended without a judgement; {stable.name} "
            f"answers. Ask for it again with `shieldctl rollout start {spec.model_type} "
            f"{spec.version.name}`, or for another version.",
        )
    if status.guarded is not None and status.last_known_good is not None:
        return Standing(
            Phase.HEALTHY,
            "Guarded",
            f"{stable.name} answers; {status.last_known_good.name} stays warm meanwhile.",
        )
    return Standing(Phase.HEALTHY, "Serving", f"{stable.name} answers.")


def _installing(spec: ModelRolloutSpec, observed: Observed) -> Standing:
    server = observed.of(spec.version)
    if server.refusal is not None:
        return Standing(
            Phase.DEGRADED,
            "PackageRefused",
            f"{spec.version.name} cannot be served: {server.refusal} Ask for another version.",
        )
    if server.crashes >= spec.analysis.minimum_failures:
        return Standing(
            Phase.DEGRADED,
            "ServerCrashes",
            f"The servers of {spec.version.name} crash repeatedly. Look at their logs.",
        )
    return Standing(
        Phase.PROGRESSING, "Installing", f"Bringing up {spec.version.name}, the first version."
    )


def conditions(status: ModelRolloutStatus, stands: Standing, observed: Observed) -> list[Condition]:
    """Return the three conditions; a condition's time changes only with its status."""
    stable = status.stable
    available = stable is not None and observed.of(stable).ready
    drawn = [
        _condition(
            "Available",
            available,
            "Serving" if available else "NotServing",
            f"{called(stable)} answers." if available else stands.message,
        ),
        _condition("Progressing", stands.phase is Phase.PROGRESSING, stands.reason, stands.message),
        _condition("Degraded", stands.phase is Phase.DEGRADED, stands.reason, stands.message),
    ]
    before = {condition.type: condition for condition in status.conditions}
    return [
        _dated(kind, truth, reason, message, before.get(kind), observed)
        for kind, truth, reason, message in drawn
    ]


_Kind = Literal["Available", "Progressing", "Degraded"]
_Truth = Literal["True", "False", "Unknown"]


def _condition(
    kind: _Kind, holds: bool, reason: str, message: str
) -> tuple[_Kind, _Truth, str, str]:
    return kind, "True" if holds else "False", reason, message


def _dated(
    kind: _Kind,
    truth: _Truth,
    reason: str,
    message: str,
    before: Condition | None,
    observed: Observed,
) -> Condition:
    since = before.last_transition_time if before and before.status == truth else observed.now
    return Condition(
        type=kind,
        status=truth,
        reason=reason,
        message=message,
        last_transition_time=since,
        observed_generation=observed.generation,
    )


def _why(status: ModelRolloutStatus, version: VersionRef) -> str:
    for transition in reversed(status.history):
        if transition.action in ("reject", "undo") and same(transition.version, version):
            return transition.reason.rstrip(".")
    return "see the promotion ledger"
