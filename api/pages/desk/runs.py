"""`/review/runs`: the training runs."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from api.kit.paging import Paged
from api.kit.paths import PathId
from api.pages.desk.pages import read_model, render, report
from api.pages.visitor import Reading, Who
from api.runs import service
from shield.labels import ModelType

router = APIRouter(prefix="/review/runs")


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    paging: Paged,
    model: Annotated[ModelType | None, Depends(read_model)],
) -> Response:
    """Show runs, newest first."""
    runs, pagination = service.page(ctx, paging, model)
    return render(request, visitor, "runs.html", model=model, runs=runs, pagination=pagination)


@router.get("/{run_id}/report")
def evaluation_report(run_id: PathId, visitor: Who, ctx: Reading) -> Response:
    """Show the evaluation report of a run."""
    return report(ctx, service.get(ctx, run_id).report_uri, f"The run {run_id}")
