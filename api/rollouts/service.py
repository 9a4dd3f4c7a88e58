"""Request changes of rollouts, which the operator carries out, and count their evidence."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from api.audit import service as audit
from api.kit.context import Context
from api.kit.tokens import Role
from api.registry import service as registry
from api.rollouts import evidence as counting
from api.rollouts import pairs
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, VersionRef
from shield.errors import (
    Conflict,
    Forbidden,
    NotFound,
    RolloutBusy,
    ShieldError,
    VersionRejected,
)
from shield.labels import ModelType
from shield.rollouts.evidence import slow_above_ms, subjects
from shield.rollouts.rules import is_rejected, rejected_version
from shield.wire import RolloutPolicy, RolloutRequest, VersionRead


def get(ctx: Context, model_type: ModelType) -> ModelRollout:
    """Return one rollout. Raises `NotFound`."""
    return ctx.services.rollouts.get(model_type.value)


def listing(ctx: Context) -> list[ModelRollout]:
    """Return all rollouts."""
    return ctx.services.rollouts.list()


def request(ctx: Context, model_type: ModelType, body: RolloutRequest) -> ModelRollout:
    """Request a rollout of a version. Idempotent.

    Raises:
        NotFound: The version is not registered.
        VersionRejected: The version was refused, rejected or taken back, or is tainted.
        RolloutBusy: Another candidate is being rolled out.
        Conflict: A pipeline requests a version that is not new.
        Forbidden: A pipeline sets acceptance criteria.
    """
    ref = may_roll_out(ctx, model_type, body.version)
    present = find(ctx, model_type)
    if Role.ADMIN not in ctx.principal.roles:
        _check_proposal(ctx, model_type, body, present)
    candidate = present.status.candidate if present else None
    if candidate is not None and candidate.digest != ref.digest:
        raise RolloutBusy(
            f"{candidate.name} is being rolled out. Promote it, take it back, end its trial "
            "without a judgement (`shieldctl rollout abort`), or wait (`shieldctl rollout "
            "status`).",
            candidate=candidate.name,
        )
    again = Role.ADMIN in ctx.principal.roles
    rollout = _change(ctx, model_type, lambda spec: _spec(spec, model_type, ref, body.named, again))
    audit.record(ctx, "rollout.request", ref.name, body.reason or "", modelType=model_type.value)
    return rollout


_OF_ONE_VERSION = (
    "promote",
    "promote_by",
    "promote_reason",
    "abort",
    "abort_by",
    "abort_reason",
)


def _check_proposal(
    ctx: Context, model_type: ModelType, body: RolloutRequest, present: ModelRollout | None
) -> None:
    """Check that a pipeline proposes a new version and nothing else.

    A pipeline must not set the acceptance criteria of its own version. Nor may it request an
    earlier version, which would permanently reject the versions promoted since.
    """
    if body.named:
        raise Forbidden(
            f"{', '.join(sorted(body.named))} of a rollout are its owner's to say, and "
            f"{ctx.user!r} may only propose a version. An admin sets them with "
            "`shieldctl rollout set`."
        )
    asked = present is not None and present.spec.version.name == body.version
    status = registry.get(ctx, model_type, body.version).status
    if status != "candidate" and not asked:
        raise Conflict(
            f"{body.version} is {status.replace('_', ' ')}, and {ctx.user!r} may only propose a "
            "version that nobody has met yet. An admin goes back to an earlier one with "
            "`shieldctl rollout start`."
        )
    if present is None or present.status.stable is None:
        return
    spec, stable = present.spec, present.status.stable
    if asked and spec.abort == spec.version.digest:
        raise Conflict(
            f"The trial of {body.version} was ended by {spec.abort_by or 'a person'}. An admin may "
            "ask for it again with `shieldctl rollout start`."
        )
    over = {stable.digest, spec.abort, *(ref.digest for ref in present.status.rejected)}
    if not asked and spec.version.digest not in over:
        raise RolloutBusy(
            f"{spec.version.name} is already requested and about to be rolled out.",
            candidate=spec.version.name,
        )


def change_policy(ctx: Context, model_type: ModelType, body: RolloutPolicy) -> ModelRollout:
    """Change the steps and acceptance criteria of a rollout.

    Raises:
        NotFound: No version of this model type was ever rolled out.
    """
    changes = {name: getattr(body, name) for name in body.named}
    changed = _change(ctx, model_type, _with(lambda _: changes))
    audit.record(
        ctx,
        "rollout.policy",
        model_type.value,
        body.reason or "",
        **body.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"reason"}),
    )
    return changed


def may_roll_out(ctx: Context, model_type: ModelType, name: str) -> VersionRef:
    """Return a version that may be proposed.

    Raises:
        NotFound: The version is not registered.
        VersionRejected: The version was refused, rejected or taken back, or is tainted.
    """
    version = registry.get(ctx, model_type, name)
    ref = VersionRef(name=version.name, digest=version.digest, uri=version.uri)
    present = find(ctx, model_type)
    if present is not None and is_rejected(present.status, ref):
        raise rejected_version(model_type.value, version.name)
    if version.status in registry.FINAL:
        raise VersionRejected(
            f"{version.name} is {version.status.replace('_', ' ')}"
            f"{': ' + version.refusal if version.refusal else ''}. It cannot be proposed "
            "again. Train a new version, or reinstate this one with `shieldctl model reinstate`.",
            version=version.name,
        )
    if version.tainted:
        raise VersionRejected(
            f"{version.name} learned from poisoned messages ({version.taint_reason}). "
            "Train a new version without them, or reinstate this one with `shieldctl model "
            "reinstate`.",
            version=version.name,
        )
    return ref


def _spec(
    spec: ModelRolloutSpec | None,
    model_type: ModelType,
    ref: VersionRef,
    settings: dict[str, Any],
    again: bool,
) -> ModelRolloutSpec:
    """Return the spec that requests `ref`; with `again` also if its trial was ended before.

    Overrides that name a version are cleared by a new request. A pause stays in force until it is
    resumed.
    """
    old = spec.model_dump() if spec is not None else {}
    if spec is None or spec.version.digest != ref.digest or (again and spec.abort == ref.digest):
        old |= dict.fromkeys(_OF_ONE_VERSION)
    return ModelRolloutSpec.model_validate(
        {**old, **settings, "model_type": model_type, "version": ref.model_dump()}
    )


def find(ctx: Context, model_type: ModelType) -> ModelRollout | None:
    """Return the rollout of a model type, or `None` if there is none."""
    try:
        return ctx.services.rollouts.get(model_type.value)
    except NotFound:
        return None


def undo(ctx: Context, model_type: ModelType, reason: str) -> ModelRollout:
    """Return to the last known good version, never to one that was taken back before.

    If a candidate is being rolled out, it is taken back first.

    Raises:
        Conflict: There is no version to return to.
    """
    rollout = get(ctx, model_type)
    if rollout.status.candidate is None and rollout.status.last_known_good is None:
        raise Conflict(
            f"There is no earlier good {model_type} version to go back to. "
            "Roll out another version with `shieldctl rollout start`."
        )
    token = uuid4().hex
    changed = _change(ctx, model_type, _with(lambda _: {"undo": token, "undo_reason": reason}))
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
    changed = _change(ctx, model_type, _with(lambda _: given_up))
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
        _change(
            ctx,
            model_type,
            _with(lambda spec: said | (waits if spec.version.digest == ref.digest else {})),
        )
    return read


def pause(ctx: Context, model_type: ModelType, reason: str | None) -> ModelRollout:
    """Stay at the current step."""
    changed = _change(ctx, model_type, _with(lambda _: {"paused": True}))
    audit.record(ctx, "rollout.pause", model_type.value, reason or "")
    return changed


def resume(ctx: Context, model_type: ModelType, reason: str | None) -> ModelRollout:
    """Continue from the current step."""
    changed = _change(ctx, model_type, _with(lambda _: {"paused": False}))
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
    changed = _change(
        ctx,
        model_type,
        _with(
            lambda _: {
                "promote": candidate.digest,
                "promote_by": ctx.user[:128],
                "promote_reason": reason,
            }
        ),
    )
    audit.record(ctx, "rollout.promote-request", candidate.name, reason)
    return changed


def _with(
    change: Callable[[ModelRolloutSpec], dict[str, Any]],
) -> Callable[[ModelRolloutSpec | None], ModelRolloutSpec]:
    def apply(spec: ModelRolloutSpec | None) -> ModelRolloutSpec:
        if spec is None:
            raise NotFound(
                "Nothing of this model type was ever rolled out. `shieldctl rollout start` does it."
            )
        return spec.model_copy(update=change(spec))

    return apply


def _change(
    ctx: Context,
    model_type: ModelType,
    change: Callable[[ModelRolloutSpec | None], ModelRolloutSpec],
) -> ModelRollout:
    # The table store has a connection of its own: it could not write beside our write lock.
    if ctx.session.in_transaction():
        ctx.session.commit()
    try:
        return ctx.services.rollouts.change_spec(model_type.value, change)
    except ShieldError:
        ctx.session.rollback()
        raise


def evidence(ctx: Context, model_type: ModelType) -> Evidence:
    """Return the evidence about the versions of the trial; empty without a trial."""
    rollout = get(ctx, model_type)
    trial = subjects(rollout.status)
    if trial is None:
        return Evidence()
    split = rollout.status.split
    shadow = bool(split and split.shadow)
    stable, stable_ms = counting.of_version(
        ctx.session,
        model_type,
        trial.stable.name,
        trial.since,
        shadow=False,
        beside_shadow=shadow,
        lookback=counting.LOOKBACK,
    )
    candidate, candidate_ms = counting.of_version(
        ctx.session, model_type, trial.candidate.name, trial.since, shadow=shadow
    )
    bound = slow_above_ms(rollout.spec.analysis, stable_ms)
    return Evidence(
        rollout_started=trial.since,
        slow_above_ms=bound,
        stable=counting.timed(stable, stable_ms, bound),
        candidate=counting.timed(candidate, candidate_ms, bound),
        paired=pairs.of_trial(ctx.session, trial, ctx.now),
    )
