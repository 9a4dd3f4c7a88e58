"""Add, list, test, replay and remove webhooks."""

from datetime import datetime

from sqlalchemy import delete, func, select

from api.audit import service as audit
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.tables import Webhook, WebhookDelivery
from api.tables import WebhookMessage as Message
from api.webhooks.addresses import check_url
from api.webhooks.sending import new_secret
from api.webhooks.work import attempt, content_of, give_up, put
from shield.errors import NotFound
from shield.wire import (
    DeliveryOutcome,
    DeliveryRead,
    Pagination,
    ReplayRequest,
    WebhookRead,
    WebhookRequest,
)


def add(ctx: Context, request: WebhookRequest) -> WebhookRead:
    """Add a webhook; only this call returns its secret.

    Raises:
        Invalid: The URL is not allowed.
    """
    check_url(request.url, ctx.settings.webhook_networks)
    secret, hook_id = new_secret(), new_id(ctx.now)
    hook = Webhook(
        id=hook_id,
        url=request.url,
        events=list(request.events),
        with_text=request.with_text,
        secret_sealed=ctx.ring.seal(secret, hook_id),
        created_by=ctx.user,
        created_at=ctx.now,
        gone_at=None,
    )
    ctx.session.add(hook)
    audit.record(
        ctx, "webhook.add", hook_id, url=hook.url, events=hook.events, withText=hook.with_text
    )
    return _read(ctx, [hook])[0].model_copy(update={"secret": secret})


def hooks(ctx: Context) -> list[WebhookRead]:
    """Return all webhooks, oldest first."""
    return _read(ctx, list(ctx.session.scalars(select(Webhook).order_by(Webhook.id))))


def remove(ctx: Context, hook_id: str) -> WebhookRead:
    """Remove a webhook and its pending deliveries. Raises `NotFound`."""
    hook = _hook(ctx, hook_id)
    shown = _read(ctx, [hook])[0]
    ctx.session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == hook_id))
    ctx.session.delete(hook)
    audit.record(ctx, "webhook.remove", hook_id, url=hook.url)
    return shown


def try_out(ctx: Context, hook_id: str) -> DeliveryRead:
    """Send a test event now; return its delivery. Raises `NotFound`."""
    hook = _hook(ctx, hook_id)
    message = Message(
        id=f"msg_{new_id(ctx.now)}",
        kind="webhook.test",
        data={"subject": hook_id, "actor": ctx.user},
        at=ctx.now,
    )
    secret = ctx.ring.open(hook.secret_sealed, hook.id)
    content = content_of(ctx, hook, message)
    audit.record(ctx, "webhook.test", hook_id, url=hook.url)
    ctx.session.commit()  # nobody waits in the database while the receiver thinks
    came = attempt(ctx.services, hook.url, secret, message.id, content)
    return DeliveryRead(
        id=message.id,
        message_id=message.id,
        kind=message.kind,
        at=message.at,
        outcome=DeliveryOutcome.DELIVERED if came.delivered else DeliveryOutcome.FAILED,
        attempts=1,
        tried_at=message.at,
        said=came.said,
    )


def deliveries(
    ctx: Context, hook_id: str, paging: PageRequest, outcome: DeliveryOutcome | None
) -> tuple[list[DeliveryRead], Pagination]:
    """Return one page of a webhook's deliveries, newest first. Raises `NotFound`."""
    _hook(ctx, hook_id)
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook_id)
    if outcome is not None:
        query = query.where(WebhookDelivery.outcome == outcome.value)
    order = Sorted(WebhookDelivery.id, WebhookDelivery.id, descending=True, kind=str)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    query_messages = select(Message).where(Message.id.in_([row.message_id for row in rows]))
    messages = {message.id: message for message in ctx.session.scalars(query_messages)}
    shown = [
        DeliveryRead(
            id=row.id,
            message_id=row.message_id,
            kind=messages[row.message_id].kind,
            at=messages[row.message_id].at,
            outcome=DeliveryOutcome(row.outcome),
            attempts=row.attempts,
            tried_at=row.tried_at,
            said=row.said,
        )
        for row in rows
        if row.message_id in messages
    ]
    return shown, pagination


def replay(ctx: Context, hook_id: str, request: ReplayRequest) -> int:
    """Send events again under their original ids; return their number. Raises `NotFound`."""
    hook = _hook(ctx, hook_id)
    if hook.gone_at is not None:
        give_up(ctx, hook_id)  # also what an earlier release has left waiting for nothing
    hook.gone_at = None  # whoever asks for it says that it is there again
    query = select(WebhookDelivery).where(WebhookDelivery.webhook_id == hook_id)
    if request.messages:
        query = query.where(WebhookDelivery.message_id.in_(request.messages))
    elif request.since is not None:
        query = query.where(WebhookDelivery.created_at >= _utc(request.since))
    else:
        query = query.where(WebhookDelivery.outcome == DeliveryOutcome.FAILED.value)
    # What is on its way arrives without being asked for.
    query = query.where(WebhookDelivery.outcome != DeliveryOutcome.WAITING.value)
    replayed = ctx.session.scalars(query.order_by(WebhookDelivery.id)).all()
    for row in replayed:
        put(ctx, hook, row.message_id)
    audit.record(ctx, "webhook.replay", hook_id, count=len(replayed))
    return len(replayed)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone() if moment.tzinfo is None else moment


def _hook(ctx: Context, hook_id: str) -> Webhook:
    hook = ctx.session.get(Webhook, hook_id)
    if hook is None:
        raise NotFound.of("webhook", hook_id, "`shieldctl webhook list` shows them.")
    return hook


def _read(ctx: Context, rows: list[Webhook]) -> list[WebhookRead]:
    ctx.session.flush()
    counts = ctx.session.execute(
        select(WebhookDelivery.webhook_id, WebhookDelivery.outcome, func.count())
        .where(WebhookDelivery.webhook_id.in_([row.id for row in rows]))
        .group_by(WebhookDelivery.webhook_id, WebhookDelivery.outcome)
    )
    count = {(hook_id, outcome): number for hook_id, outcome, number in counts}
    return [
        WebhookRead(
            id=row.id,
            url=row.url,
            events=row.events,
            with_text=row.with_text,
            created_by=row.created_by,
            created_at=row.created_at,
            gone_at=row.gone_at,
            waiting=count.get((row.id, "waiting"), 0),
            failed=count.get((row.id, "failed"), 0),
        )
        for row in rows
    ]
