"""`/inbox/push`: the caller's phones that are woken when there is a notice."""

from fastapi import APIRouter

from api.kit.context import AnyRead, AnyWrite
from api.kit.paths import PathId
from api.push import service
from shield.wire import Envelope, PushPhone, PushRead, PushRequest

router = APIRouter(prefix="/inbox/push", tags=["inbox"])


@router.get("")
def phones(ctx: AnyRead) -> Envelope[PushRead]:
    """Return the key to subscribe with (null: Web Push is off), and the caller's phones."""
    return Envelope[PushRead](data=service.overview(ctx))


@router.post("/phones", status_code=201)
def add(body: PushRequest, ctx: AnyWrite) -> Envelope[PushPhone]:
    """Register a phone by its push subscription. May be repeated."""
    return Envelope[PushPhone](message="Registered.", data=service.add(ctx, body))


@router.delete("/phones/{phone_id}")
def remove(phone_id: PathId, ctx: AnyWrite) -> Envelope[None]:
    """Remove a phone of the caller."""
    service.remove(ctx, phone_id)
    return Envelope[None](message="Removed.", data=None)
