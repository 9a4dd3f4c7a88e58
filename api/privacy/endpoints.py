"""`/lineage`: trace and withdraw poisoned corrections, and taint versions."""

from typing import Annotated

from fastapi import APIRouter, Path

from api.kit.context import AdminWrite, StaffRead
from api.kit.paths import VersionPath
from api.privacy import lineage
from shield.labels import ModelType
from shield.wire import Envelope, LineageKind, LineageRead, ReasonRequest, VersionRead

router = APIRouter(tags=["privacy"])

SubjectId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$", max_length=128)]


@router.get("/lineage/{kind}/{subject_id}")
def trace(kind: LineageKind, subject_id: SubjectId, ctx: StaffRead) -> Envelope[LineageRead]:
    """Return every version that was trained on a feedback, reporter, campaign or batch."""
    return Envelope[LineageRead](data=lineage.trace(ctx, lineage.Subject(kind, subject_id)))


@router.post("/lineage/{kind}/{subject_id}/withdraw")
def withdraw(
    kind: LineageKind, subject_id: SubjectId, body: ReasonRequest, ctx: AdminWrite
) -> Envelope[LineageRead]:
    """Withdraw poisoned corrections from all snapshots."""
    lineage_read = lineage.withdraw(ctx, lineage.Subject(kind, subject_id), body.reason)
    return Envelope[LineageRead](message="No later version is trained on them.", data=lineage_read)


@router.post("/models/{model_type}/versions/{name}/taint")
def taint(
    model_type: ModelType, name: VersionPath, body: ReasonRequest, ctx: AdminWrite
) -> Envelope[VersionRead]:
    """Taint a version and its descendants: none can be proposed again."""
    read = lineage.taint(ctx, model_type, name, body.reason)
    return Envelope[VersionRead](message=f"{name} and its descendants are tainted.", data=read)
