"""Steer rollouts at people's request, which the operator carries out, and count their evidence."""

from uuid import uuid4

from api.audit import service as audit
from api.kit.context import Context
from api.registry import service as registry
from api.rollouts import evidence as counting
from api.rollouts import pairs
from api.rollouts.changing import change_spec, find, get, updated
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from shield.errors import Conflict
from shield.labels import ModelType
from shield.rollouts.evidence import slow_above_ms, subjects
from shield.rollouts.rules import is_rejected, not_begun
from shield.wire import RolloutPolicy, VersionRead


def listing(ctx: Context) -> list[ModelRollout]:
    """Return all rollouts."""
    return ctx.services.rollouts.list()


def change_policy(ctx: Context, model_type: ModelType, body: RolloutPolicy) -> ModelRollout:
    """Change the steps and acceptance criteria of a rollout.

    Raises:
        NotFound: No version of this model type was ever rolled out.
    """
    changes = {name: getattr(body, name) for name in body.named}
    changed = change_spec(ctx, model_type, updated(lambda _: changes))
    audit.record(
        ctx,
        "rollout.policy",
        model_type.value,
        body.reason or "",
        **body.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"reason"}),
    )
    return changed


def undo(ctx: Context, model_type: ModelType, reason: str) -> ModelRollout:
    """Return to the last known good version, never to one that was taken back before.

    If a candidate is being rolled out, it is taken back first. A version that was asked for just
    before, and that no user has met, is what changed last: it is given up, and may be requested
    again.

    Raises:
        Conflict: There is no version to return to.
    """
    rollout = get(ctx, model_type)
    if not_begun(rollout.spec, rollout.status) is not None:
        return abort(ctx, model_type, reason)
    if rollout.status.candidate is None and rollout.status.last_known_good is None:
        raise Conflict(
            f"There is no earlier good {model_type} version to go back to. "
            "Roll out another version with `shieldctl rollout start`."
        )
    token = uuid4().hex
    changed = change_spec(
        ctx, model_type, updated(lambda _: {"undo": token, "undo_reason": reason})
    )
    # Others hear of it by their watch; here the next user is already answered by the good version.
    ctx.services.router.take(changed, changed_here=True)
    subject = rollout.status.candidate or rollout.status.stable
    audit.record(
        ctx,
        "rollout.undo-request",
        subject.name if subject else model_type.value,
        reason,
        modelType=model_type.value,
    )
    return changed


def abort(ctx: Context, model_type: ModelType, reason: str) -> ModelRollout:
    """End the trial without a result; the version may be requested again.

    Raises:
        Conflict: There is no trial.
    """
    rollout = get(ctx, model_type)
    spec, stable = rollout.spec, rollout.status.stable
    candidate = rollout.status.candidate
    if candidate is None and stable is not None:
        over = (stable.digest, spec.abort)
        # What is asked for may not have begun yet.
        candidate = spec.version if spec.version.digest not in over else None
    if stable is None or candidate is None or is_rejected(rollout.status, candidate):
        raise Conflict(
            f"No {model_type} version is on trial, so there is nothing to end. "
            "`shieldctl rollout undo` goes back from the version that serves."
        )
    given_up = {"abort": candidate.digest, "abort_by": ctx.user[:128], "abort_reason": reason}
    changed = change_spec(ctx, model_type, updated(lambda _: given_up))
    ctx.services.router.take(changed, changed_here=True)
    audit.record(ctx, "rollout.abort-request", candidate.name, reason, modelType=model_type.value)
    return changed


def reinstate(ctx: Context, model_type: ModelType, name: str, reason: str) -> VersionRead:
    """Allow a refused, rejected, taken-back or tainted version to be proposed again.

    Allowed once for a version that a rollout has rejected. It does not sign a version that a gate
    has refused.

    Raises:
        NotFound: The version is not registered.
        Conflict: The version may be proposed already, or was reinstated and rejected again.
    """
    version = registry.get(ctx, model_type, name)
    ref = VersionRef(name=version.name, digest=version.digest, uri=version.uri)
    rollout = find(ctx, model_type)
    rejected = rollout is not None and is_rejected(rollout.status, ref)
    if version.status not in registry.FINAL and not version.tainted and not rejected:
        raise Conflict(f"{name} is {version.status}: it may be proposed already.")
    if rejected and rollout is not None and ref.digest in rollout.status.reinstated:
        raise Conflict(
            f"{name} was reinstated before, and rejected again. Register a new version instead."
        )
    audit.record(
        ctx, "version.reinstate", name, reason, was=version.status, tainted=version.tainted
    )
    version.status = "candidate"
    version.tainted, version.taint_reason = False, None
    read = VersionRead.model_validate(version)
    if rejected:
        said = {
            "reinstate": ref.digest,
            "reinstate_by": ctx.user[:128],
            "reinstate_reason": reason,
        }
        # It may be proposed again; nobody has proposed it yet.
        waits = {"abort": ref.digest, "abort_by": ctx.user[:128], "abort_reason": "It waits."}
        change_spec(
            ctx,
            model_type,
            updated(lambda spec: said | (waits if spec.version.digest == ref.digest else {})),
        )
    return read


def pause(ctx: Context, model_type: ModelType, reason: str | None) -> ModelRollout:
    """Stay at the current step."""
    changed = change_spec(ctx, model_type, updated(lambda _: {"paused": True}))
    audit.record(ctx, "rollout.pause", model_type.value, reason or "")
    return changed


def resume(ctx: Context, model_type: ModelType, reason: str | None) -> ModelRollout:
    """Continue from the current step."""
    changed = change_spec(ctx, model_type, updated(lambda _: {"paused": False}))
    audit.record(ctx, "rollout.resume", model_type.value, reason or "")
    return changed


def promote(ctx: Context, model_type: ModelType, reason: str) -> ModelRollout:
    """Promote the candidate now, without the remaining steps and without sufficient evidence.

    The caller and the reason are recorded in the ledger.

    Raises:
        Conflict: There is no candidate.
    """
    candidate = get(ctx, model_type).status.candidate
    if candidate is None:
        raise Conflict(
            f"No {model_type} candidate is being rolled out, so there is nothing to promote."
        )
    changed = change_spec(
        ctx,
        model_type,
        updated(
            lambda _: {
                "promote": candidate.digest,
                "promote_by": ctx.user[:128],
                "promote_reason": reason,
            }
        ),
    )
    audit.record(ctx, "rollout.promote-request", candidate.name, reason)
    return changed


def evidence(ctx: Context, model_type: ModelType) -> Evidence:
    """Return the evidence about the versions of the trial; empty without a trial."""
    rollout = get(ctx, model_type)
    trial = subjects(rollout.status)
    if trial is None:
        return Evidence()
    split = rollout.status.split
    shadow = bool(split and split.shadow)
    few = rollout.spec.analysis.messages_per_user
    stable, stable_ms = counting.of_version(
        ctx.session,
        model_type,
        trial.stable.name,
        trial.since,
        shadow=False,
        of_user_and_day=few,
        beside_shadow=shadow,
        lookback=counting.LOOKBACK,
    )
    candidate, candidate_ms = counting.of_version(
        ctx.session,
        model_type,
        trial.candidate.name,
        trial.since,
        shadow=shadow,
        of_user_and_day=few,
    )
    bound = slow_above_ms(rollout.spec.analysis, stable_ms)
    return Evidence(
        rollout_started=trial.since,
        slow_above_ms=bound,
        stable=counting.timed(stable, stable_ms, bound),
        candidate=counting.timed(candidate, candidate_ms, bound),
        paired=pairs.of_trial(ctx.session, trial, ctx.now),
    )
