"""Record and list training runs."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.kit.context import Context
from api.kit.database import lock
from api.kit.paging import PageRequest, Sorted, fetch_page, moment
from api.tables import Run
from shield.errors import Conflict, NotFound
from shield.labels import ModelType
from shield.wire import DRIFT_TRIGGER, Pagination, RunOutcome, RunRead, RunRequest, RunUpdate


def start(ctx: Context, request: RunRequest) -> RunRead:
    """Record the start of a run. The same id restarts it.

    Raises:
        Conflict: The id belongs to a run of another model type.
    """
    lock(ctx.session, f"run {request.run_id}")
    run = ctx.session.get(Run, request.run_id)
    if run is None:
        run = Run(
            run_id=request.run_id,
            model_type=request.model_type.value,
            engine=request.engine,
            trigger=request.trigger,
            outcome=RunOutcome.RUNNING.value,
            message="",
            steps={},
            attempts=1,
            started_at=ctx.now,
        )
        ctx.session.add(run)
    elif run.model_type != request.model_type.value:
        raise Conflict(
            f"The run {run.run_id} is for {run.model_type} models, not {request.model_type}. "
            "Choose another run id."
        )
    elif run.outcome != RunOutcome.RUNNING.value:
        run.outcome, run.finished_at, run.attempts = "running", None, run.attempts + 1
        run.message = ""
    else:
        run.attempts += 1
    ctx.session.flush()
    return RunRead.model_validate(run)


def finish(ctx: Context, run_id: str, update: RunUpdate) -> RunRead:
    """Record the progress or outcome of a run. Raises `NotFound`."""
    lock(ctx.session, f"run {run_id}")
    run = ctx.session.get(Run, run_id)
    if run is None:
        raise NotFound.of("run", run_id, "`GET /api/v2/runs` lists them.")
    run.outcome, run.message = update.outcome.value, update.message
    run.version = update.version or run.version
    run.report_uri = update.report_uri or run.report_uri
    if update.steps is not None:
        run.steps = {**run.steps, **update.steps}
    run.finished_at = None if update.outcome is RunOutcome.RUNNING else ctx.now
    ctx.session.flush()
    return RunRead.model_validate(run)


def get(ctx: Context, run_id: str) -> RunRead:
    """Return one run. Raises `NotFound`."""
    run = ctx.session.get(Run, run_id)
    if run is None:
        raise NotFound.of("run", run_id, "`GET /api/v2/runs` lists them.")
    return RunRead.model_validate(run)


def page(
    ctx: Context, paging: PageRequest, model_type: str | None
) -> tuple[list[RunRead], Pagination]:
    """Return one page of runs, newest first."""
    query = select(Run)
    if model_type:
        query = query.where(Run.model_type == model_type)
    order = Sorted(Run.started_at, Run.run_id, descending=True, kind=moment)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return [RunRead.model_validate(row) for row in rows], pagination


def latest_failed(session: Session) -> dict[tuple[ModelType, str], bool]:
    """Return, by model type and kind of run, whether the latest finished run failed.

    Kinds are `retraining` and `drift` (drift checks with the retrainings they start). Kinds without
    runs are left out.
    """
    kinds = {"drift": Run.trigger == DRIFT_TRIGGER, "retraining": Run.trigger != DRIFT_TRIGGER}
    failed = {}
    for model_type in ModelType:
        for kind, condition in kinds.items():
            query = (
                select(Run.outcome)
                .where(Run.model_type == model_type.value, condition)
                .where(Run.outcome != RunOutcome.RUNNING.value)
                .order_by(Run.started_at.desc(), Run.run_id.desc())
                .limit(1)
            )
            outcome = session.scalar(query)
            if outcome is not None:
                failed[model_type, kind] = outcome == RunOutcome.FAILED.value
    return failed
