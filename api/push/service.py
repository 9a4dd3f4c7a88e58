"""Register, list and remove the phones that a user lets us wake."""

import hashlib
from urllib.parse import urlsplit

from sqlalchemy import select

from api.kit.context import Context
from api.kit.database import lock
from api.push.keys import PushKey, push_key
from api.push.sending import NETWORKS, sealed_for
from api.tables import PushSubscription
from api.webhooks.addresses import check_url
from shield.errors import Conflict, Invalid, NotFound
from shield.wire import PushPhone, PushRead, PushRequest

MOST = 10
"""Phones of one user; a further one replaces the oldest."""


def overview(ctx: Context) -> PushRead:
    """Return the key to subscribe with, and the caller's phones."""
    key = push_key(ctx.settings)
    rows = ctx.session.scalars(
        select(PushSubscription)
        .where(PushSubscription.user_id == ctx.user)
        .order_by(PushSubscription.created_at, PushSubscription.id)
    )
    return PushRead(public_key=key.public if key else None, phones=[_read(ctx, r) for r in rows])


def add(ctx: Context, request: PushRequest) -> PushPhone:
    """Register a phone of the caller. Idempotent.

    Raises:
        NotFound: Web Push is off here.
        Invalid: The endpoint is not allowed, or the keys are none.
        Conflict: It is another user's phone.
    """
    key = push_key(ctx.settings)
    if key is None:
        raise NotFound(
            "Phones are not woken here. An operator switches it on with SHIELD_API_PUSH_KEY; until "
            "then, ask GET /api/v2/inbox."
        )
    _check(ctx, key, request)
    subscription_id = hashlib.sha256(request.endpoint.encode()).hexdigest()[:32]
    lock(ctx.session, f"push {ctx.user}")
    lock(ctx.session, f"push {subscription_id}")
    row = ctx.session.get(PushSubscription, subscription_id)
    if row is None:
        row = PushSubscription(id=subscription_id)
        ctx.session.add(row)
    elif row.user_id != ctx.user and not _is_same(opened(ctx, row), request):
        raise Conflict("This phone is registered by somebody else. Subscribe it anew.")
    row.user_id, row.server_key, row.created_at = ctx.user, key.public, ctx.now
    row.sealed = ctx.ring.seal(request.model_dump_json(by_alias=True), row.id)
    ctx.session.flush()
    _keep_the_newest(ctx)
    return _read(ctx, row)


def remove(ctx: Context, subscription_id: str) -> None:
    """Remove a phone of the caller. Raises `NotFound`."""
    row = ctx.session.get(PushSubscription, subscription_id)
    if row is None or row.user_id != ctx.user:
        raise NotFound(f"You have no phone {subscription_id}. GET /api/v2/inbox/push lists yours.")
    ctx.session.delete(row)


def opened(ctx: Context, row: PushSubscription) -> PushRequest | None:
    """Return what the phone has registered; `None`, and an error in the log, if unreadable."""
    text = ctx.ring.shown(row.sealed, row.id)
    return None if text is None else PushRequest.model_validate_json(text)


def _is_same(known: PushRequest | None, request: PushRequest) -> bool:
    return known is not None and known.keys.auth == request.keys.auth


def _check(ctx: Context, key: PushKey, request: PushRequest) -> None:
    """Refuse what could never be sent to. Raises `Invalid`."""
    networks = ctx.settings.push_networks
    check_url(request.endpoint, networks, NETWORKS)
    if not networks and urlsplit(request.endpoint).port not in (None, 443):
        raise Invalid("endpoint: push services are reached at port 443.")
    key.authorization(request.endpoint, ctx.now)
    sealed_for(request, b"{}")


def _keep_the_newest(ctx: Context) -> None:
    rows = ctx.session.scalars(
        select(PushSubscription)
        .where(PushSubscription.user_id == ctx.user)
        .order_by(PushSubscription.created_at.desc(), PushSubscription.id)
        .offset(MOST)
    )
    for row in rows:
        ctx.session.delete(row)


def _read(ctx: Context, row: PushSubscription) -> PushPhone:
    phone = opened(ctx, row)
    # One that cannot be read is listed, too: its owner may remove it, or register it anew.
    host = urlsplit(phone.endpoint).hostname if phone else None
    return PushPhone(id=row.id, service=host or "", created_at=row.created_at)
