"""`desired_state`: decide a rollout's next status from spec, status and observations.

Pure and total: equal arguments give equal results, so that lost events do no harm, and every
combination has a result, so that nothing gets stuck. Each call makes at most one move; the caller
repeats it until nothing changes. Invariants, whatever the order of events:

- A version that was rejected or taken back never serves again, unless a named person reinstates it
  with a reason, once.
- Users are routed to a version only while its servers are ready.
- An undo goes to the last known good version, and each further undo to an earlier one.
- Without traffic there is no evidence, and no version is promoted or rejected.
- Without sufficient evidence a version is promoted only by a named person with a reason.
- Slow answers hold the current step while they last, and never reject a version.
"""

from serving.operator import steps
from serving.operator import transitions as moves
from serving.operator.conditions import NOTHING_TO_UNDO, conditions, standing
from serving.operator.faults import fault_of, hard_fault
from serving.operator.judgement import not_worse, shown, users_object
from serving.operator.pace import holds, paced
from serving.operator.people import (
    given_up,
    giving_up,
    may_promote,
    promotion,
    reinstating,
    to_reinstate,
)
from serving.operator.split import split_of, warm
from serving.operator.state import Desired, Observed
from serving.operator.transitions import among, same
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRolloutSpec, ModelRolloutStatus, Strategy, VersionRef


def desired_state(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> Desired:
    """Decide which versions run and which answer."""
    moved = _move(spec, status, observed)
    awaited = _awaited(spec, moved)
    impossible = _undo_is_impossible(spec, status, moved, observed)
    stands = standing(spec, moved, observed, awaited, impossible)
    reported = moved.model_copy(
        update={
            "observed_generation": observed.generation,
            "phase": stands.phase,
            "split": split_of(spec, moved, observed),
            "conditions": conditions(moved, stands, observed),
        }
    )
    return Desired(_servers(spec, moved, awaited, observed), reported)


def _move(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> ModelRolloutStatus:
    """Make the one move that is due, or none."""
    if status.stable is None:
        return _install(spec, status, observed)
    if spec.undo is not None and spec.undo != status.undone:
        return _undo(spec, status, observed)
    returned = _return_within_guard(spec, status, observed)
    if returned is not None:
        return returned
    forgiven = to_reinstate(spec, status)
    if forgiven is not None:
        return moves.reinstated(status, forgiven, observed.now, reinstating(spec))
    if status.guard_until is not None and observed.now >= status.guard_until:
        return moves.guard_over(status)
    if status.candidate is not None and not same(status.candidate, spec.version):
        reason = (
            f"The version was set back to {spec.version.name}."
            if same(spec.version, status.stable)
            else f"{spec.version.name} was asked for instead."
        )
        return moves.aborted(status, observed.now, reason)
    if same(spec.version, status.stable):
        return paced(spec, status, observed, steps.relevant(status, observed))
    if among(spec.version, status.rejected):
        # Only a status edited by hand can have a rejected candidate; it must not meet users either.
        return (
            moves.aborted(status, observed.now, "It was rejected before.")
            if status.candidate
            else status
        )
    if given_up(spec):
        if status.candidate is not None:
            return moves.aborted(status, observed.now, giving_up(spec))
        return paced(spec, status, observed, steps.relevant(status, observed))
    if among(spec.version, status.good):
        return _go_back(
            spec,
            status,
            observed,
            spec.version,
            f"The version was set back to {spec.version.name}.",
        )
    if status.candidate is None:
        return moves.started(status, spec.version, observed.now)
    return _try_candidate(spec, status, observed, status.candidate)


def _install(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> ModelRolloutStatus:
    if among(spec.version, status.rejected) or not observed.of(spec.version).ready:
        return status
    # An undo asked for before anything served is answered by serving.
    return moves.installed(status, spec.version, observed.now).model_copy(
        update={"undone": spec.undo}
    )


def _undo(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> ModelRolloutStatus:
    """Take back the candidate, or else the stable version; each undo token acts once."""
    reason = spec.undo_reason or "An undo was requested."
    if status.candidate is not None:
        undone = moves.rejected(status, observed.now, reason, steps.relevant(status, observed))
    elif status.last_known_good is None:
        undone = status  # nothing to go back to, and a later version must not be taken back for it
    else:
        undone = _go_back(spec, status, observed, status.last_known_good, reason)
        if same(undone.stable, status.stable):
            return undone  # not there yet: the token stays open
    return undone.model_copy(update={"undone": spec.undo})


def _go_back(
    spec: ModelRolloutSpec,
    status: ModelRolloutStatus,
    observed: Observed,
    target: VersionRef,
    reason: str,
) -> ModelRolloutStatus:
    """Return to an earlier good version as soon as it is ready, without a trial."""
    if observed.of(target).ready:
        return moves.gone_back(
            status,
            target,
            observed.now,
            spec.guard_seconds,
            reason,
            steps.relevant(status, observed),
        )
    fault = hard_fault(spec, observed, target)
    return (
        status if fault is None else moves.struck_off(status, target, observed.now, fault.message)
    )


def _return_within_guard(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed
) -> ModelRolloutStatus | None:
    """Return to the last known good version if the promoted one shows a fault in its guard window.

    Requires a proven fault (hysteresis: several crashes, or significant evidence), and happens at
    most once per promotion: the restored version has no guard window (cool-down until the next
    promotion).
    """
    target, guarded = status.last_known_good, status.guarded
    if target is None or guarded is None or not same(guarded, status.stable):
        return None
    if not observed.of(target).ready:
        return None
    # While another candidate is on trial, the evidence is about that one.
    evidence = steps.relevant(status, observed) if status.candidate is None else None
    fault = fault_of(spec, observed, guarded, evidence)
    if fault is None:
        return None
    return moves.gone_back(
        status,
        target,
        observed.now,
        spec.guard_seconds,
        f"Automatic return within the guard window: {fault.reason}. {fault.message}",
        evidence,
    )


def _try_candidate(
    spec: ModelRolloutSpec, status: ModelRolloutStatus, observed: Observed, candidate: VersionRef
) -> ModelRolloutStatus:
    """Judge the candidate; without a fault, increase its share step by step."""
    evidence = steps.relevant(status, observed)
    fault = fault_of(spec, observed, candidate, evidence)
    if fault is not None:
        reason = f"{fault.reason}. {fault.message}"
        return moves.rejected(status, observed.now, reason, evidence)
    if not observed.of(candidate).ready:
        return status
    if spec.promote == candidate.digest and may_promote(spec, evidence):
        reason = promotion(spec, evidence)
        return moves.promoted(status, observed.now, spec.guard_seconds, reason, evidence)
    kept = paced(spec, status, observed, evidence)
    if kept != status or spec.paused or holds(status):
        return kept
    return _next_step(spec, status, observed, evidence)


def _next_step(
    spec: ModelRolloutSpec,
    status: ModelRolloutStatus,
    observed: Observed,
    evidence: Evidence | None,
) -> ModelRolloutStatus:
    met = steps.exposures(status, observed)
    if status.step_started is None:
        return moves.stepped(status, 0, met, observed.now, _announced(spec, steps.weight(spec, 0)))
    shown_good = not_worse(spec.analysis, evidence)
    objections = evidence is not None and users_object(spec.analysis, evidence)
    if not steps.done(spec, status, observed) or (objections and not shown_good):
        return status
    if not steps.on_last(spec, status):
        onward = status.step + 1
        reason = _announced(spec, steps.weight(spec, onward))
        return moves.stepped(status, onward, met, observed.now, reason)
    if steps.awaits_promotion(spec, status, observed) or not shown_good:
        return status
    reason = f"It passed every step. {shown(spec.analysis, evidence)}"
    return moves.promoted(status, observed.now, spec.guard_seconds, reason, evidence)


def _announced(spec: ModelRolloutSpec, weight: int) -> str:
    if spec.strategy is Strategy.SHADOW:
        return "It scores copies of messages; no user gets its answers."
    return f"It answers {weight} % of the users."


def _awaited(spec: ModelRolloutSpec, status: ModelRolloutStatus) -> VersionRef | None:
    """Return the version that must be ready before an undo can proceed, or `None`."""
    if status.stable is None:
        return None
    if spec.undo is not None and spec.undo != status.undone and status.candidate is None:
        return status.last_known_good
    earlier = (
        among(spec.version, status.good)
        and not same(spec.version, status.stable)
        and not given_up(spec)
    )
    return spec.version if earlier else None


def _undo_is_impossible(
    spec: ModelRolloutSpec,
    before: ModelRolloutStatus,
    after: ModelRolloutStatus,
    observed: Observed,
) -> bool:
    """Return whether the latest undo had no version to return to, until the spec changes."""
    if before.undone != after.undone and after.history == before.history:
        return before.stable is not None
    said = any(condition.reason == NOTHING_TO_UNDO for condition in before.conditions)
    return said and before.observed_generation == observed.generation and after == before


def _servers(
    spec: ModelRolloutSpec,
    status: ModelRolloutStatus,
    awaited: VersionRef | None,
    observed: Observed,
) -> tuple[VersionRef, ...]:
    kept_versions = [
        status.stable,
        awaited,
        status.last_known_good if warm(status, observed) else None,
        status.candidate,
        spec.version if status.stable is None else None,
    ]
    chosen: list[VersionRef] = []
    for version in kept_versions:
        if version is None or among(version, chosen) or among(version, status.rejected):
            continue
        chosen.append(version)
    return tuple(chosen)
