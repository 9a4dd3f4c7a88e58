"""`/webhooks`: manage webhooks (admins)."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic.json_schema import SkipJsonSchema

from api.kit.context import AdminRead, AdminWrite
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.webhooks import service
from shield.wire import (
    DeliveryOutcome,
    DeliveryRead,
    Envelope,
    Replayed,
    ReplayRequest,
    WebhookRead,
    WebhookRequest,
)

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


@router.post("", status_code=201)
def add(body: WebhookRequest, ctx: AdminWrite) -> Envelope[WebhookRead]:
    """Add a webhook. Only this response contains its secret."""
    return Envelope[WebhookRead](message="Added.", data=service.add(ctx, body))


@router.get("")
def hooks(ctx: AdminRead) -> Envelope[list[WebhookRead]]:
    """List webhooks with their numbers of deliveries."""
    return Envelope[list[WebhookRead]](data=service.hooks(ctx))


@router.delete("/{webhook_id}")
def remove(webhook_id: PathId, ctx: AdminWrite) -> Envelope[WebhookRead]:
    """Remove a webhook and its pending deliveries."""
    return Envelope[WebhookRead](message="Removed.", data=service.remove(ctx, webhook_id))


@router.post("/{webhook_id}/test")
def try_out(webhook_id: PathId, ctx: AdminWrite) -> Envelope[DeliveryRead]:
    """Send a test event now; return its delivery."""
    return Envelope[DeliveryRead](data=service.try_out(ctx, webhook_id))


@router.get("/{webhook_id}/deliveries")
def deliveries(
    webhook_id: PathId,
    ctx: AdminRead,
    paging: Paged,
    outcome: Annotated[DeliveryOutcome | SkipJsonSchema[None], Query()] = None,
) -> Envelope[list[DeliveryRead]]:
    """List the deliveries of a webhook within 30 days, newest first."""
    rows, pagination = service.deliveries(ctx, webhook_id, paging, outcome)
    return Envelope[list[DeliveryRead]](data=rows, pagination=pagination)


@router.post("/{webhook_id}/replay")
def replay(webhook_id: PathId, body: ReplayRequest, ctx: AdminWrite) -> Envelope[Replayed]:
    """Send events again: failed ones, some by id, or all since a time."""
    sent = service.replay(ctx, webhook_id, body)
    return Envelope[Replayed](message="The events are being sent.", data=Replayed(sent=sent))
