"""Deliver events to webhooks by the outbox, with retries."""

from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import select, update

from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.counters import WEBHOOKS
from api.kit.ids import new_id
from api.kit.outbox import Job, Later, post
from api.tables import Campaign, Feedback, KnownCampaign, Scan, Webhook, WebhookDelivery
from api.tables import WebhookMessage as Message
from api.webhooks.sending import Attempt, send
from shield.wire import DeliveryOutcome

HERALD = Principal("herald", frozenset())
"""The principal of deliveries."""
DELIVERY = "delivery"
PAUSES_SECONDS = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
"""Pauses between attempts, as the specification recommends; after the last the delivery fails."""
REST_SECONDS, LONGEST_REST_SECONDS = 60, 21600
"""Shortest and longest pause of a receiver's other deliveries after one has failed: a receiver that
hangs must not take the time that others need."""
REST_SHARE = 0.05
"""That pause, as a share of the time that a delivery has waited: what has piled up for a dead
receiver must not take it either."""
SPREAD = 0.2
"""Random variation of pauses, as a share, so that retries are spread."""


def announce(services: Services, job: Job) -> None:
    """Store an event and start its delivery to every subscribed webhook."""
    with open_context(services, HERALD) as ctx:
        message_id = f"msg_{job.id}"
        if ctx.session.get(Message, message_id) is not None:
            return
        kind = job.facts["action"]
        hooks = [
            hook
            for hook in ctx.session.scalars(select(Webhook).where(Webhook.gone_at.is_(None)))
            if any(fnmatchcase(kind, pattern) for pattern in hook.events)
        ]
        if not hooks:
            return
        ctx.session.add(Message(id=message_id, kind=kind, data=job.facts["data"], at=ctx.now))
        for hook in hooks:
            put(ctx, hook, message_id)


def put(ctx: Context, hook: Webhook, message_id: str) -> WebhookDelivery:
    """Start, or repeat, the delivery of an event to a webhook."""
    delivery = ctx.session.scalar(
        select(WebhookDelivery).where(
            WebhookDelivery.webhook_id == hook.id, WebhookDelivery.message_id == message_id
        )
    )
    if delivery is None:
        delivery = WebhookDelivery(
            id=new_id(ctx.now),
            webhook_id=hook.id,
            message_id=message_id,
            created_at=ctx.now,
            tried_at=None,
        )
        ctx.session.add(delivery)
    delivery.outcome, delivery.attempts = DeliveryOutcome.WAITING.value, 0
    delivery.said = "Not tried yet."
    post(ctx, DELIVERY, delivery.id)
    return delivery


def deliver(services: Services, job: Job) -> None:
    """Attempt one delivery. No transaction is open while the receiver answers."""
    with open_context(services, HERALD, reads=True) as ctx:
        delivery = ctx.session.get(WebhookDelivery, job.subject)
        hook = ctx.session.get(Webhook, delivery.webhook_id) if delivery else None
        message = ctx.session.get(Message, delivery.message_id) if delivery else None
        if delivery is None or hook is None or message is None:
            return  # removed meanwhile
        if delivery.outcome != DeliveryOutcome.WAITING:
            return
        if hook.gone_at is not None:
            _give_up_if_gone(services, hook.id)
            return
        if _rests(ctx, delivery):
            waited = (ctx.now - job.posted_at).total_seconds()
            raise Later(min(max(REST_SECONDS, REST_SHARE * waited), LONGEST_REST_SECONDS))
        content = content_of(ctx, hook, message)
        secret = ctx.ring.open(hook.secret_sealed, hook.id)
    came = attempt(services, hook.url, secret, message.id, content)
    with open_context(services, HERALD) as ctx:
        pause = _note(ctx, delivery.id, hook.id, came)
    if pause is not None:
        raise Later(pause)


def give_up(ctx: Context, hook_id: str) -> None:
    """Let the deliveries fail that wait for a receiver that is gone: nobody attempts them.

    As failed ones they are seen, and sent again by a replay.
    """
    ctx.session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == hook_id,
            WebhookDelivery.outcome == DeliveryOutcome.WAITING.value,
        )
        .values(outcome=DeliveryOutcome.FAILED.value, said="Not sent: the receiver is gone (410).")
    )


def _give_up_if_gone(services: Services, hook_id: str) -> None:
    with open_context(services, HERALD) as ctx:
        hook = ctx.session.get(Webhook, hook_id, with_for_update=True)
        if hook is not None and hook.gone_at is not None:
            give_up(ctx, hook_id)


def _rests(ctx: Context, delivery: WebhookDelivery) -> bool:
    """Tell whether the receiver has just failed at another delivery: one is tried at a time."""
    failed = select(WebhookDelivery.id).where(
        WebhookDelivery.webhook_id == delivery.webhook_id,
        WebhookDelivery.id != delivery.id,
        WebhookDelivery.outcome == DeliveryOutcome.WAITING.value,
        WebhookDelivery.attempts > 0,
        WebhookDelivery.tried_at > ctx.now - timedelta(seconds=REST_SECONDS),
    )
    return ctx.session.scalar(failed.limit(1)) is not None


def attempt(
    services: Services, url: str, secret: str, message_id: str, content: dict[str, Any]
) -> Attempt:
    """Send an event once, and count the result."""
    settings = services.settings
    came = send(
        url,
        secret,
        message_id,
        content,
        services.clock(),
        networks=settings.webhook_networks,
        timeout_seconds=settings.webhook_timeout_seconds,
    )
    WEBHOOKS.labels("delivered" if came.delivered else "failed").inc()
    return came


def _note(ctx: Context, delivery_id: str, hook_id: str, came: Attempt) -> float | None:
    """Record the result of an attempt; return the pause before the next, or `None`."""
    delivery = ctx.session.get(WebhookDelivery, delivery_id)
    if delivery is None:
        return None
    delivery.attempts += 1
    delivery.said, delivery.tried_at = came.said, ctx.now
    if came.delivered:
        delivery.outcome = DeliveryOutcome.DELIVERED.value
        return None
    if came.gone or delivery.attempts > len(PAUSES_SECONDS):
        delivery.outcome = DeliveryOutcome.FAILED.value
        hook = ctx.session.get(Webhook, hook_id)
        if came.gone and hook is not None:
            hook.gone_at = ctx.now
            ctx.session.flush()
            give_up(ctx, hook_id)
        return None
    pause = PAUSES_SECONDS[delivery.attempts - 1]
    vary = int(delivery.id[-4:], 16) / 0xFFFF  # the id ends in random digits
    return pause * (1 + SPREAD * (vary - 0.5))


def content_of(ctx: Context, hook: Webhook, message: Message) -> dict[str, Any]:
    """Return the body to send. Texts are read now, so that erased ones are not sent."""
    data = dict(message.data)
    if hook.with_text:
        data["text"] = _text(ctx, data["subject"], message.kind)
    return {"type": message.kind, "timestamp": message.at.isoformat(), "data": data}


def _text(ctx: Context, subject: str, kind: str) -> str | None:
    scan_id = None
    if kind.startswith("known."):
        entry = ctx.session.get(KnownCampaign, subject)
        campaign = ctx.session.get(Campaign, entry.campaign_id) if entry else None
        scan_id = campaign.sample_scan_id if campaign else None
    elif kind.startswith("feedback."):
        report = ctx.session.get(Feedback, subject)
        scan_id = report.scan_id if report else None
    scan = ctx.session.get(Scan, scan_id) if scan_id else None
    if scan is None or scan.text_sealed is None:
        return None
    return ctx.ring.shown(scan.text_sealed, scan.id)
