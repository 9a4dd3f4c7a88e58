"""`/rollouts`: request, pause, resume, promote, abort and undo rollouts."""

from fastapi import APIRouter

from api.kit.context import AdminWrite, EvidenceRead, OperatorWrite, StaffRead, TrainerWrite
from api.kit.paths import VersionPath
from api.registry import ledger
from api.rollouts import changing, proposing, service
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout
from shield.labels import ModelType
from shield.wire import (
    Envelope,
    LedgerEntry,
    OptionalReasonRequest,
    ReasonRequest,
    RolloutPolicy,
    RolloutRequest,
    TransitionRequest,
    VersionRead,
)

router = APIRouter(prefix="/rollouts", tags=["rollouts"])
versions = APIRouter(prefix="/models/{model_type}/versions", tags=["registry"])


@router.get("")
def rollouts(ctx: StaffRead) -> Envelope[list[ModelRollout]]:
    """List all rollouts."""
    return Envelope[list[ModelRollout]](data=service.listing(ctx))


@router.get("/{model_type}")
def rollout(model_type: ModelType, ctx: StaffRead) -> Envelope[ModelRollout]:
    """Return one rollout."""
    return Envelope[ModelRollout](data=changing.get(ctx, model_type))


@router.post("/{model_type}")
def request(
    model_type: ModelType, body: RolloutRequest, ctx: TrainerWrite
) -> Envelope[ModelRollout]:
    """Request a rollout of a registered version."""
    rollout = proposing.request(ctx, model_type, body)
    return Envelope[ModelRollout](message=f"{body.version} is requested.", data=rollout)


@router.patch("/{model_type}")
def change_policy(
    model_type: ModelType, body: RolloutPolicy, ctx: AdminWrite
) -> Envelope[ModelRollout]:
    """Change the steps and acceptance criteria of a rollout; omitted members stay."""
    rollout = service.change_policy(ctx, model_type, body)
    return Envelope[ModelRollout](message="The rollout is changed.", data=rollout)


@router.post("/{model_type}/undo")
def undo(model_type: ModelType, body: ReasonRequest, ctx: AdminWrite) -> Envelope[ModelRollout]:
    """Return to the last known good version."""
    rollout = service.undo(ctx, model_type, body.reason)
    return Envelope[ModelRollout](
        message="The last known good version is being restored.", data=rollout
    )


@router.post("/{model_type}/abort")
def abort(model_type: ModelType, body: ReasonRequest, ctx: AdminWrite) -> Envelope[ModelRollout]:
    """End the trial without a result."""
    rollout = service.abort(ctx, model_type, body.reason)
    return Envelope[ModelRollout](message="The trial ends.", data=rollout)


@router.post("/{model_type}/pause")
def pause(
    model_type: ModelType, body: OptionalReasonRequest, ctx: AdminWrite
) -> Envelope[ModelRollout]:
    """Stay at the current step."""
    return Envelope[ModelRollout](
        message="Paused.", data=service.pause(ctx, model_type, body.reason)
    )


@router.post("/{model_type}/resume")
def resume(
    model_type: ModelType, body: OptionalReasonRequest, ctx: AdminWrite
) -> Envelope[ModelRollout]:
    """Continue from the current step."""
    return Envelope[ModelRollout](
        message="Resumed.", data=service.resume(ctx, model_type, body.reason)
    )


@router.post("/{model_type}/promote")
def promote(model_type: ModelType, body: ReasonRequest, ctx: AdminWrite) -> Envelope[ModelRollout]:
    """Promote the candidate now."""
    rollout = service.promote(ctx, model_type, body.reason)
    return Envelope[ModelRollout](message="The candidate is promoted.", data=rollout)


@router.get("/{model_type}/evidence")
def evidence(model_type: ModelType, ctx: EvidenceRead) -> Envelope[Evidence]:
    """Return the evidence about the versions of the trial."""
    return Envelope[Evidence](data=service.evidence(ctx, model_type))


@router.post("/{model_type}/transitions")
def transition(
    model_type: ModelType, body: TransitionRequest, ctx: OperatorWrite
) -> Envelope[LedgerEntry]:
    """Record a transition of the rollout in the promotion ledger."""
    return Envelope[LedgerEntry](message="Recorded.", data=ledger.record(ctx, model_type, body))


@versions.post("/{name}/reinstate")
def reinstate(
    model_type: ModelType, name: VersionPath, body: ReasonRequest, ctx: AdminWrite
) -> Envelope[VersionRead]:
    """Allow a refused, rejected or tainted version to be proposed again."""
    read = service.reinstate(ctx, model_type, name, body.reason)
    return Envelope[VersionRead](message=f"{name} may be proposed again.", data=read)
