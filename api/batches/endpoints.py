"""`/batches`: lease sealed corrections to training runs, acknowledge and release them."""

from fastapi import APIRouter

from api.batches import service
from api.kit.context import StaffRead, TrainerWrite
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.queries import ModelTypeFilter
from shield.wire import (
    AckRequest,
    BatchRead,
    BatchStatus,
    Envelope,
    LeaseRequest,
    LeaseResult,
    ReleaseRequest,
    RenewRequest,
)

router = APIRouter(prefix="/batches", tags=["batches"])


@router.post("/lease")
def lease(body: LeaseRequest, ctx: TrainerWrite) -> Envelope[LeaseResult]:
    """Seal and lease the approved corrections of a model type. Idempotent per run."""
    result = service.lease(ctx, body)
    message = (
        f"Leased {result.count} corrections."
        if result.outcome == "leased"
        else f"{result.count} corrections are approved; {result.minimum} are required."
    )
    if result.unreadable:
        message += f" {result.unreadable} more cannot be read, and were left out."
    return Envelope[LeaseResult](message=message, data=result)


@router.post("/{batch_id}/renew")
def renew(batch_id: PathId, body: RenewRequest, ctx: TrainerWrite) -> Envelope[BatchRead]:
    """Extend a lease."""
    return Envelope[BatchRead](message="Renewed.", data=service.renew(ctx, batch_id, body))


@router.post("/{batch_id}/ack")
def acknowledge(batch_id: PathId, body: AckRequest, ctx: TrainerWrite) -> Envelope[BatchRead]:
    """Acknowledge a batch: a registered version was trained on it."""
    read = service.acknowledge(ctx, batch_id, body)
    return Envelope[BatchRead](message="Acknowledged.", data=read)


@router.post("/{batch_id}/release")
def release(batch_id: PathId, body: ReleaseRequest, ctx: TrainerWrite) -> Envelope[BatchRead]:
    """Release a batch, so that a later run can lease its corrections."""
    return Envelope[BatchRead](message="Released.", data=service.release(ctx, batch_id, body))


@router.get("")
def batches(
    ctx: StaffRead,
    paging: Paged,
    model_type: ModelTypeFilter = None,
    status: BatchStatus | None = None,
) -> Envelope[list[BatchRead]]:
    """List batches, oldest first."""
    rows, pagination = service.listing(ctx, paging, model_type, status)
    return Envelope[list[BatchRead]](data=rows, pagination=pagination)


@router.get("/{batch_id}")
def batch(batch_id: PathId, ctx: StaffRead) -> Envelope[BatchRead]:
    """Return one batch."""
    return Envelope[BatchRead](data=service.one(ctx, batch_id))
