"""`/review/statistics`: the five metrics, true rates, and how well versions and reviewers do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.metrics import service
from api.pages.desk.models import all_versions
from api.pages.desk.pages import read_model, render
from api.pages.measures import measure
from api.pages.visitor import Reading, Who
from api.review.quality import quality
from shield.labels import ModelType
from shield.wire import VersionStatus

router = APIRouter(prefix="/review/statistics")

_ACCEPTED = {VersionStatus.DEPLOYED, VersionStatus.RETIRED, VersionStatus.TESTING}


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    model: Annotated[ModelType | None, Depends(read_model)],
) -> Response:
    """Show the numbers, of all model types or of one."""
    stats = service.stats(ctx, model)
    served = [
        version
        for version in all_versions(ctx, model or ModelType.SMS)
        if version.status in _ACCEPTED and "goldenRecall" in version.metrics
    ]
    return render(
        request,
        visitor,
        "statistics.html",
        model=model,
        stats=stats,
        metrics=[measure(metric) for metric in stats.metrics],
        gains=served if len(served) > 1 else [],
        gains_of=model or ModelType.SMS,
        quality=quality(ctx),
    )
