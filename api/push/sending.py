"""Seal a wake-up call for a phone (RFC 8291), and hand it to the phone's push service once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric import ec

from api.push.keys import PushKey, decoded
from api.webhooks.addresses import Refused, resolve
from api.webhooks.sending import post
from shield.errors import Invalid
from shield.wire import PushRequest

NETWORKS = "SHIELD_API_PUSH_NETWORKS"
_LENGTH = 128
"""Bytes of each call before it is sealed: the push service cannot tell one kind from another."""


def sealed_for(phone: PushRequest, payload: bytes) -> bytes:
    """Return a payload, encrypted for a phone.

    Raises:
        Invalid: The phone's keys are invalid.
    """
    try:
        point, secret = decoded(phone.keys.p256dh), decoded(phone.keys.auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as fault:
        raise Invalid("keys: p256dh and auth must be base64url, p256dh a P-256 point.") from fault
    if len(secret) != 16 or len(point) != 65:
        raise Invalid("keys: p256dh must have 65 bytes, auth 16.")
    sealed: bytes = http_ece.encrypt(
        payload.ljust(_LENGTH),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=point,
        auth_secret=secret,
        version="aes128gcm",
    )
    return sealed


@dataclass(frozen=True)
class Pushed:
    """The push service's answer to one attempt."""

    status: int | None
    """HTTP status; `None` if nothing was answered."""
    retry_after_seconds: float = 0.0
    said: str = ""


def send(
    key: PushKey,
    phone: PushRequest,
    payload: bytes,
    now: datetime,
    *,
    ttl_seconds: float,
    networks: Sequence[str],
    timeout_seconds: float,
) -> Pushed:
    """Hand a call to the phone's push service; it keeps it until the phone is online, or the TTL.

    Raises:
        Invalid: What was registered cannot be sent to.
    """
    body = sealed_for(phone, payload)
    headers = {
        "Authorization": key.authorization(phone.endpoint, now),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(int(ttl_seconds)),
        "Urgency": "high",
        "User-Agent": "antispam-shield",
    }
    try:
        target = resolve(phone.endpoint, networks, NETWORKS)
        headers["Host"] = target.authority
        answer = asyncio.run(post(target, body, headers, timeout_seconds))
    except Refused as refusal:
        return Pushed(status=None, said=f"not sent: {refusal}")
    except (httpx.HTTPError, TimeoutError) as fault:
        return Pushed(status=None, said=f"no answer: {type(fault).__name__}")
    return Pushed(answer.status, answer.retry_after_seconds, f"it answered {answer.status}")
