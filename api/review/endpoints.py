"""Routes of reviewers: the queue, decisions, claims, gold items, review quality."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.kit.context import (
    AdminWrite,
    ReviewerRead,
    ReviewerWrite,
    TrainerRead,
    TrainerWrite,
)
from api.kit.paging import Paged
from api.kit.paths import PathId, QueuePath
from api.kit.queries import ModelTypeFilter
from api.review import (
    assigning,
    claims,
    decisions,
    golden,
    guide,
    quality,
    queue,
    queues,
    sorting,
    undoing,
)
from api.review.views import View, Viewed
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import (
    AssignRequest,
    DisputedLabels,
    DisputesRead,
    Envelope,
    FeedbackRead,
    GoldRequest,
    GuideRead,
    MutedReporter,
    MuteRequest,
    PendingItem,
    QualityRead,
    QueueRead,
    QueueRequest,
    QueuesRead,
    ReasonRequest,
    ReviewedLabel,
    ReviewRequest,
    UndoRequest,
)

router = APIRouter(tags=["review"])


@router.post("/review/gold", status_code=201)
def seed_gold(body: GoldRequest, ctx: AdminWrite) -> Envelope[FeedbackRead]:
    """Add an item with a known answer to the review queue."""
    return Envelope[FeedbackRead](message="Seeded.", data=quality.seed_gold(ctx, body))


@router.post("/review/golden", status_code=201)
def ask_for_golden_labels(body: DisputedLabels, ctx: TrainerWrite) -> Envelope[DisputesRead]:
    """Add golden messages to the review queue whose label every model contradicts.

    A message is asked about once. Reviewers do not see that it is of the golden set.
    """
    asked = golden.ask(ctx, body)
    return Envelope[DisputesRead](message=f"{asked.queued} put into the queue.", data=asked)


@router.get("/review/golden/{model_type}")
def reviewed_golden_labels(
    model_type: ModelType, ctx: TrainerRead
) -> Envelope[list[ReviewedLabel]]:
    """Return what reviewers have found golden messages to be; the next run takes it over."""
    return Envelope[list[ReviewedLabel]](data=golden.reviewed(ctx, model_type))


@router.get("/review/guide")
def review_guide(ctx: ReviewerRead) -> Envelope[GuideRead]:
    """Return tactics and reasons for decisions, the team's guidelines, and decided examples."""
    return Envelope[GuideRead](data=guide.guide(ctx))


@router.get("/review/quality")
def review_quality(ctx: ReviewerRead) -> Envelope[QualityRead]:
    """Return accuracy on gold items and Cohen's kappa of every reviewer."""
    return Envelope[QualityRead](data=quality.quality(ctx))


@router.get("/review/queues")
def review_queues(ctx: ReviewerRead) -> Envelope[QueuesRead]:
    """List the queues, with what waits in each."""
    sorting.sort(ctx)
    read = queues.overview(ctx).model_copy(update={"unsorted": sorting.unsorted(ctx)})
    return Envelope[QueuesRead](data=read)


@router.put("/review/queues/{name}")
def put_queue(name: QueuePath, body: QueueRequest, ctx: AdminWrite) -> Envelope[QueueRead]:
    """Make a queue, or change what it holds and who works in it."""
    return Envelope[QueueRead](message="Set.", data=queues.put(ctx, name, body))


@router.post("/review/queues/{name}/remove")
def remove_queue(name: QueuePath, body: ReasonRequest, ctx: AdminWrite) -> Envelope[None]:
    """Delete a queue; what it holds waits on."""
    queues.remove(ctx, name, body.reason)
    return Envelope[None](message="Removed.", data=None)


@router.get("/feedback/pending")
def pending(
    ctx: ReviewerRead,
    paging: Paged,
    type_: Annotated[FeedbackType | ScanType | None, Query(alias="type")] = None,
    model_type: ModelTypeFilter = None,
    campaign: Annotated[
        str | None, Query(pattern=r"^[0-9a-f]{32}$", description="Items of one campaign.")
    ] = None,
    group: Annotated[
        Literal["none", "campaign"],
        Query(description="`campaign`: one item stands for all near-identical ones."),
    ] = "none",
    view: Viewed = View(),
) -> Envelope[list[PendingItem]]:
    """List the undecided items for the caller, the most valuable first."""
    filters = queue.Filters(type_, model_type, campaign)
    rows, pagination, searched = queue.page(
        ctx, paging, filters, by_campaign=group == "campaign", view=view
    )
    queue.note_reading(ctx, rows)
    message = (
        ""
        if searched.whole or not view.reads_texts
        else (f"{searched.examined} were looked through. Go on with `nextCursor`.")
    )
    return Envelope[list[PendingItem]](message=message, data=rows, pagination=pagination)


@router.post("/feedback/{feedback_id}/assign")
def assign(feedback_id: PathId, body: AssignRequest, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Assign an item and its campaign's waiting items to a reviewer, a team or nobody."""
    read = assigning.assign(ctx, feedback_id, body)
    return Envelope[FeedbackRead](message="Assigned.", data=read)


@router.post("/feedback/{feedback_id}/mute")
def mute(feedback_id: PathId, body: MuteRequest, ctx: ReviewerWrite) -> Envelope[MutedReporter]:
    """Mute an item's reporter for some days."""
    return Envelope[MutedReporter](message="Muted.", data=assigning.mute(ctx, feedback_id, body))


@router.get("/review/muted")
def muted(ctx: ReviewerRead) -> Envelope[list[MutedReporter]]:
    """List the muted reporters."""
    return Envelope[list[MutedReporter]](data=assigning.muted(ctx))


@router.post("/review/muted/{pseudonym}/unmute")
def unmute(pseudonym: PathId, body: ReasonRequest, ctx: ReviewerWrite) -> Envelope[MutedReporter]:
    """Unmute a reporter."""
    read = assigning.unmute(ctx, pseudonym, body.reason)
    return Envelope[MutedReporter](message="Back in the queue.", data=read)


@router.put("/feedback/{feedback_id}")
def review(feedback_id: PathId, body: ReviewRequest, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Decide one item, or with `scope: campaign` the shown items of its campaign."""
    decided = decisions.decide(ctx, feedback_id, body)
    return Envelope[FeedbackRead](message=decided.message, data=decided.item)


@router.post("/feedback/{feedback_id}/undo")
def undo(feedback_id: PathId, body: UndoRequest, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Undo a decision on all items that it covered."""
    read = undoing.undo(ctx, feedback_id, body.reason)
    return Envelope[FeedbackRead](message="The decision is taken back.", data=read)


@router.post("/feedback/{feedback_id}/claim")
def claim(feedback_id: PathId, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Claim an item for a while, so that no other reviewer can decide it."""
    return Envelope[FeedbackRead](message="Claimed.", data=claims.claim(ctx, feedback_id))


@router.delete("/feedback/{feedback_id}/claim")
def release_claim(feedback_id: PathId, ctx: ReviewerWrite) -> Envelope[FeedbackRead]:
    """Release a claimed item."""
    return Envelope[FeedbackRead](message="Released.", data=claims.release(ctx, feedback_id))
