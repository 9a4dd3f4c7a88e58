"""`/lineage`: from poisoned corrections to the versions that learned from them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.kit.context import AdminWrite, StaffRead
from api.kit.paths import VersionPath
from api.privacy import lineage
from shield.labels import ModelType
from shield.wire import Envelope, LineageRead, TaintRequest, VersionRead

router = APIRouter(tags=["privacy"])

_ID = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$"


def _subject(
    feedback: Annotated[str | None, Query(pattern=_ID)] = None,
    reporter: Annotated[str | None, Query(pattern=_ID, description="Id or pseudonym.")] = None,
    campaign: Annotated[str | None, Query(pattern=_ID)] = None,
    batch: Annotated[str | None, Query(pattern=_ID)] = None,
) -> lineage.Subject:
    return lineage.Subject(feedback, reporter, campaign, batch)


SubjectQuery = Annotated[lineage.Subject, Depends(_subject)]


@router.get("/lineage")
def trace(ctx: StaffRead, subject: SubjectQuery) -> Envelope[LineageRead]:
    """Name every version that learned from a feedback, reporter, campaign or batch."""
    return Envelope[LineageRead](data=lineage.trace(ctx, subject))


@router.post("/lineage/withdraw")
def withdraw(
    body: TaintRequest, ctx: AdminWrite, subject: SubjectQuery
) -> Envelope[LineageRead]:
    """Take poisoned corrections out of all snapshots."""
    found = lineage.withdraw(ctx, subject, body.reason)
    return Envelope[LineageRead](message="No later version learns from them.", data=found)


@router.post("/models/{model_type}/versions/{name}/taint")
def taint(
    model_type: ModelType, name: VersionPath, body: TaintRequest, ctx: AdminWrite
) -> Envelope[VersionRead]:
    """Mark a version and its descendants, so that none is ever proposed again."""
    read = lineage.taint(ctx, model_type, name, body.reason)
    return Envelope[VersionRead](message=f"{name} and its descendants are tainted.", data=read)
