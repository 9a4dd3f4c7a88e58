"""`/known`: list, show and undo known campaigns."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.kit.context import ReviewerRead, ReviewerWrite
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.kit.queries import ModelTypeFilter
from api.known import service
from shield.wire import Envelope, KnownRead, KnownStanding, ReasonRequest

router = APIRouter(prefix="/known", tags=["known"])


@router.get("")
def known(
    ctx: ReviewerRead,
    paging: Paged,
    standing: Annotated[KnownStanding | None, Query()] = None,
    model_type: ModelTypeFilter = None,
) -> Envelope[list[KnownRead]]:
    """List known campaigns, newest first, with the reason for their standing."""
    rows, pagination = service.page(ctx, paging, standing, model_type)
    service.note_reading(ctx, rows)
    return Envelope[list[KnownRead]](data=rows, pagination=pagination)


@router.get("/{known_id}")
def known_campaign(known_id: PathId, ctx: ReviewerRead) -> Envelope[KnownRead]:
    """Return one known campaign."""
    campaign = service.one(ctx, known_id)
    service.note_reading(ctx, [campaign])
    return Envelope[KnownRead](data=campaign)


@router.post("/{known_id}/undo")
def undo(known_id: PathId, body: ReasonRequest, ctx: ReviewerWrite) -> Envelope[KnownRead]:
    """Undo a known campaign: it matches no messages from now on."""
    return Envelope[KnownRead](message="Taken back.", data=service.undo(ctx, known_id, body.reason))
