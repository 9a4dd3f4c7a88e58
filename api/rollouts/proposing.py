"""Request rollouts of versions, and check which versions may be rolled out."""

from typing import Any

from api.audit import service as audit
from api.kit.context import Context
from api.kit.tokens import Role
from api.registry import service as registry
from api.rollouts.changing import change_spec, find
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, VersionRef
from shield.errors import Conflict, Forbidden, RolloutBusy, VersionRejected
from shield.labels import ModelType
from shield.rollouts.rules import is_rejected, rejected_version
from shield.wire import RolloutRequest


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
    rollout = change_spec(
        ctx, model_type, lambda spec: _spec(spec, model_type, ref, body.named, again)
    )
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
            f"Only an admin may set {', '.join(sorted(body.named))} of a rollout (`shieldctl "
            f"rollout set`); {ctx.user!r} may only propose a version."
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
