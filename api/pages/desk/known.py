"""`/review/known`: list and undo known campaigns."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.kit.paging import Paged
from api.kit.paths import PathId
from api.known import service
from api.pages.desk.pages import read_model, render
from api.pages.visitor import CheckedForm, Reading, Who, Writing
from shield.labels import ModelType
from shield.wire import KnownStanding

router = APIRouter(prefix="/review/known")

_KINDS = {
    KnownStanding.CHECKING: "accent",
    KnownStanding.CONFIRMED: "good",
    KnownStanding.REFUSED: "warn",
}


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    paging: Paged,
    model: Annotated[ModelType | None, Depends(read_model)],
) -> Response:
    """Show known campaigns, newest first."""
    rows, pagination = service.page(ctx, paging, None, model)
    service.note_reading(ctx, rows)
    return render(
        request,
        visitor,
        "known.html",
        model=model,
        rows=rows,
        pagination=pagination,
        kinds=_KINDS,
    )


@router.post("/{known_id}/undo", dependencies=[CheckedForm])
def undo(
    known_id: PathId,
    ctx: Writing,
    reason: Annotated[str, Form(min_length=1, max_length=1024)],
) -> Response:
    """Undo a known campaign; the reason is recorded in the audit log."""
    service.undo(ctx, known_id, reason.strip())
    return RedirectResponse("/review/known", 303)
