"""`/review/contests`: what senders of flagged messages say, and answering them."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.contests import desk
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.pages.desk.pages import render
from api.pages.visitor import CheckedForm, Reading, Who, Writing
from shield.wire import ContestState

router = APIRouter(prefix="/review/contests")

_KINDS = {
    ContestState.WAITING: "accent",
    ContestState.HARMLESS: "good",
    ContestState.SCAM: "bad",
}


@router.get("")
def show(request: Request, visitor: Who, ctx: Reading, paging: Paged) -> Response:
    """Show contests, newest first."""
    rows, pagination = desk.page(ctx, paging)
    desk.note_reading(ctx, rows)
    return render(request, visitor, "contests.html", rows=rows, pagination=pagination, kinds=_KINDS)


@router.post("/{contest_id}/answer", dependencies=[CheckedForm])
def answer(
    contest_id: PathId,
    ctx: Writing,
    answer: Annotated[str, Form(min_length=1, max_length=2000)],
) -> Response:
    """Write to the sender."""
    desk.answer(ctx, contest_id, answer.strip())
    return RedirectResponse("/review/contests", 303)
