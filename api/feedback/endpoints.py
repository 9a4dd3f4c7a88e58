"""`/feedback`: what users say, and what reviewers make of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.feedback import export, service
from api.kit.context import (
    AnyRead,
    AnyWrite,
    ExportWrite,
    ReviewerRead,
    ReviewerWrite,
    Services,
    StaffRead,
    get_services,
)
from api.kit.idempotency import IdempotencyKey
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.queries import ModelTypeFilter, QueueType, Since
from api.metrics import service as metrics
from api.review import decisions, queue, undoing
from shield.wire import (
    Envelope,
    ExportRead,
    FeedbackRead,
    FeedbackRequest,
    PendingItem,
    ReviewRequest,
    StatsRead,
    UndoRequest,
)

router = APIRouter(prefix="/feedback", tags=["feedback"])
_Thanks = Envelope[FeedbackRead]


@router.post("", status_code=201, response_model=Envelope[FeedbackRead])
def send_feedback(body: FeedbackRequest, ctx: AnyWrite, key: IdempotencyKey = None) -> Response:
    """Say what a verdict was worth."""
    read = service.submit(ctx, body, key)
    # Committed and written out here, in the thread that has the connection: this is the call that
    # every phone makes, and each change of thread costs as much as a statement.
    ctx.finish()
    answer = _Thanks(message="Thanks for your feedback!", data=read)
    content = answer.model_dump_json(by_alias=True)
    return Response(content, status_code=201, media_type="application/json")


@router.get("")
def own_feedback(ctx: AnyRead, wanted: Paged) -> Envelope[list[FeedbackRead]]:
    """List one's own feedback, newest first."""
    rows, pagination = service.own(ctx, wanted)
    return Envelope[list[FeedbackRead]](data=rows, pagination=pagination)


@router.get("/pending", tags=["review"])
def pending(
    ctx: ReviewerRead,
    wanted: Paged,
    type_: Annotated[QueueType | None, Query(alias="type")] = None,
    model_type: ModelTypeFilter = None,
    campaign: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Items of one campaign.")
    ] = None,
    group: Annotated[
        Literal["none", "campaign"],
        Query(description="`campaign`: one item stands for all near-identical ones."),
    ] = "none",
) -> Envelope[list[PendingItem]]:
    """List what waits for the caller's decision, most valuable first."""
    where = queue.filters(type_, model_type, campaign)
    rows, pagination = queue.page(ctx, wanted, where, by_campaign=group == "campaign")
    queue.note_reading(ctx, rows)
    return Envelope[list[PendingItem]](data=rows, pagination=pagination)


@router.get("/stats", tags=["metrics"])
def stats(ctx: StaffRead, model_type: ModelTypeFilter = None) -> Envelope[StatsRead]:
    """Return counts, true rates with intervals, the trend and the five metrics."""
    return Envelope[StatsRead](data=metrics.stats(ctx, model_type))


@router.get(
    "/export",
    response_model=ExportRead,
    responses={
        200: {
            "description": "Approved corrections, oldest approval first.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
def export_feedback(
    ctx: ExportWrite,
    services: Annotated[Services, Depends(get_services)],
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    since: Since = None,
    batch_id: Annotated[
        str | None,
        Query(alias="batchId", pattern=r"^[a-z]{1,16}-[0-9a-f]{16}$", description="One batch."),
    ] = None,
) -> Response:
    """Export approved corrections. Reading never uses them up."""
    export.announce(ctx, form, since, batch_id)
    chunks = export.rows(services, since, batch_id)
    if form == "csv":
        name = f"feedback-{batch_id or 'all'}.csv"
        return StreamingResponse(
            export.as_csv(chunks),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    found = [row for chunk in chunks for row in chunk]
    answer = ExportRead(batch_id=batch_id, count=len(found), data=found)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")


@router.put("/{feedback_id}", tags=["review"])
def review(feedback_id: PathId, body: ReviewRequest, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Approve or reject one correction, or with `scope: campaign` all like it."""
    decided = decisions.decide(ctx, feedback_id, body)
    return Envelope[FeedbackRead](message=decided.message, data=decided.item)


@router.post("/{feedback_id}/undo", tags=["review"])
def undo(feedback_id: PathId, body: UndoRequest, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Take a decision back, with everything that it covered."""
    read = undoing.undo(ctx, feedback_id, body.reason)
    return Envelope[FeedbackRead](message="The decision is taken back.", data=read)


@router.post("/{feedback_id}/claim", tags=["review"])
def claim(feedback_id: PathId, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Reserve an item for a while."""
    return Envelope[FeedbackRead](message="Claimed.", data=queue.claim(ctx, feedback_id))


@router.delete("/{feedback_id}/claim", tags=["review"])
def release_claim(feedback_id: PathId, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Give a claimed item back."""
    return Envelope[FeedbackRead](message="Released.", data=queue.release(ctx, feedback_id))
