"""`/runs`: records of training runs."""

from fastapi import APIRouter

from api.kit.context import StaffRead, TrainerWrite
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.queries import ModelTypeFilter
from api.runs import service
from shield.wire import Envelope, RunRead, RunRequest, RunUpdate

router = APIRouter(prefix="/runs", tags=["runs"])


@router.post("", status_code=201)
def start(body: RunRequest, ctx: TrainerWrite) -> Envelope[RunRead]:
    """Record the start, or restart, of a run."""
    return Envelope[RunRead](message="The run begins.", data=service.start(ctx, body))


@router.patch("/{run_id}")
def finish(run_id: PathId, body: RunUpdate, ctx: TrainerWrite) -> Envelope[RunRead]:
    """Record the progress or outcome of a run."""
    return Envelope[RunRead](message="Recorded.", data=service.finish(ctx, run_id, body))


@router.get("")
def runs(
    ctx: StaffRead, paging: Paged, model_type: ModelTypeFilter = None
) -> Envelope[list[RunRead]]:
    """List runs, newest first."""
    rows, pagination = service.page(ctx, paging, model_type)
    return Envelope[list[RunRead]](data=rows, pagination=pagination)


@router.get("/{run_id}")
def run(run_id: PathId, ctx: StaffRead) -> Envelope[RunRead]:
    """Return one run."""
    return Envelope[RunRead](data=service.get(ctx, run_id))
