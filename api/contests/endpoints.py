"""`/contests`: a sender contests a flagged message, without an account; reviewers answer."""

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request

from api.contests import desk, service
from api.kit.auth import Principal
from api.kit.context import ReviewerRead, ReviewerWrite, Services, get_services, open_context
from api.kit.paging import Paged
from api.kit.paths import PathId
from shield.errors import NotFound
from shield.wire import (
    AnswerRequest,
    ContestAnswer,
    ContestRead,
    ContestRequest,
    Envelope,
    ReceiptRequest,
)

router = APIRouter(prefix="/contests", tags=["contests"])
SENDER = Principal("sender", frozenset())
"""Whoever shows a receipt."""

AnyServices = Annotated[Services, Depends(get_services)]


def admit(services: Services, request: Request, *, reads: bool = False) -> None:
    """Count a request of somebody without an account, by address.

    Raises:
        NotFound: Contests are off here.
        RateLimited: Too many from this address.
    """
    if not services.settings.contests:
        raise NotFound("Messages cannot be contested here. Ask whoever warned their recipients.")
    address = services.limiter.address(request)
    if reads:
        services.limiter.check_read(f"sender {address}")
    else:
        services.limiter.check_contest(address)


@router.post("", status_code=201)
async def contest(
    body: ContestRequest, request: Request, services: AnyServices
) -> Envelope[ContestAnswer]:
    """Contest a flagged message. Needs no account; keep the receipt, the answer is read with it."""
    await run_sync(lambda: admit(services, request))
    taken = await service.contest(services, body)
    return Envelope[ContestAnswer](message=taken.sentence, data=taken)


@router.post("/answer")
def answer_of(
    body: ReceiptRequest, request: Request, services: AnyServices
) -> Envelope[ContestAnswer]:
    """Return how the contest of a receipt stands. Needs no account."""
    admit(services, request, reads=True)
    with open_context(services, SENDER, reads=True) as ctx:
        return Envelope[ContestAnswer](data=service.by_receipt(ctx, body.receipt))


@router.post("/withdraw")
def withdraw(body: ReceiptRequest, request: Request, services: AnyServices) -> Envelope[None]:
    """Erase the contest of a receipt with its message. Needs no account."""
    admit(services, request, reads=True)
    with open_context(services, SENDER) as ctx:
        service.withdraw(ctx, body.receipt)
    return Envelope[None](message="Erased.", data=None)


@router.get("")
def contests(ctx: ReviewerRead, paging: Paged) -> Envelope[list[ContestRead]]:
    """List contests, newest first."""
    rows, pagination = desk.page(ctx, paging)
    desk.note_reading(ctx, rows)
    return Envelope[list[ContestRead]](data=rows, pagination=pagination)


@router.get("/{contest_id}")
def contest_of(contest_id: PathId, ctx: ReviewerRead) -> Envelope[ContestRead]:
    """Return one contest."""
    row = desk.one(ctx, contest_id)
    desk.note_reading(ctx, [row])
    return Envelope[ContestRead](data=row)


@router.put("/{contest_id}/answer")
def answer(contest_id: PathId, body: AnswerRequest, ctx: ReviewerWrite) -> Envelope[ContestRead]:
    """Write to the sender of a contested message; they read it with their receipt."""
    return Envelope[ContestRead](message="Saved.", data=desk.answer(ctx, contest_id, body.answer))
