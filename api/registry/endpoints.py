"""`/models/{modelType}`: versions, the champion and the promotion ledger."""

from fastapi import APIRouter

from api.kit.context import StaffRead, TrainerWrite
from api.kit.paging import Paged
from api.kit.paths import OtherVersionPath, VersionPath
from api.registry import comparison, service
from api.registry import ledger as promotions
from shield.labels import ModelType
from shield.wire import Envelope, LedgerEntry, VersionRead, VersionRequest
from shield.wire.comparison import VersionComparison

router = APIRouter(prefix="/models/{model_type}", tags=["registry"])


@router.post("/versions", status_code=201)
def register(
    model_type: ModelType, body: VersionRequest, ctx: TrainerWrite
) -> Envelope[VersionRead]:
    """Register a trained package. The same digest keeps its version name."""
    read = service.register(ctx, model_type, body)
    return Envelope[VersionRead](message=f"{read.name} is registered.", data=read)


@router.get("/versions")
def versions(model_type: ModelType, ctx: StaffRead, paging: Paged) -> Envelope[list[VersionRead]]:
    """List versions, oldest first."""
    rows, pagination = service.page(ctx, model_type, paging)
    return Envelope[list[VersionRead]](data=rows, pagination=pagination)


@router.get("/versions/{name}")
def version(model_type: ModelType, name: VersionPath, ctx: StaffRead) -> Envelope[VersionRead]:
    """Return one version."""
    row = service.get(ctx, model_type, name)
    return Envelope[VersionRead](data=VersionRead.model_validate(row))


@router.get("/versions/{name}/compare/{other}")
def compared(
    model_type: ModelType, name: VersionPath, other: OtherVersionPath, ctx: StaffRead
) -> Envelope[VersionComparison]:
    """Compare two versions on the messages that both were evaluated on."""
    difference = comparison.between(ctx, model_type, name, other)
    return Envelope[VersionComparison](data=difference)


@router.get("/champion")
def champion(model_type: ModelType, ctx: StaffRead) -> Envelope[VersionRead]:
    """Return the version that is stable now."""
    return Envelope[VersionRead](data=service.champion(ctx, model_type))


@router.get("/ledger")
def ledger(model_type: ModelType, ctx: StaffRead, paging: Paged) -> Envelope[list[LedgerEntry]]:
    """List all transitions, oldest first."""
    rows, pagination = promotions.page(ctx, model_type, paging)
    return Envelope[list[LedgerEntry]](data=rows, pagination=pagination)
