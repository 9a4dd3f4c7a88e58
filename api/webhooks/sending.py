"""Sign an event according to the Standard Webhooks specification, and post it once.

Source: https://www.standardwebhooks.com, version 1.0: HMAC-SHA256 over `id.timestamp.body`.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx

from api.webhooks.addresses import Refused, Target, resolve

_PREFIX = "whsec_"


def new_secret() -> str:
    """Return a new secret in the format that receivers configure."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


@dataclass(frozen=True)
class Attempt:
    """The result of one attempt."""

    delivered: bool
    gone: bool
    """Whether the receiver answered 410 Gone."""
    said: str


@dataclass(frozen=True)
class Reply:
    """What a receiver answers, without its body."""

    status: int
    retry_after_seconds: float
    """Of `Retry-After` in seconds; 0 if it says none."""


@lru_cache(maxsize=1)
def _trusted_authorities() -> ssl.SSLContext:
    # Loading them takes longer than a request.
    return httpx.create_ssl_context()


async def post(
    target: Target, body: bytes, headers: Mapping[str, str], timeout_seconds: float
) -> Reply:
    """Post some bytes to a checked address. Redirects are not followed.

    Raises:
        TimeoutError: The whole exchange took too long.
        httpx.HTTPError: Nothing was answered.
    """
    # httpx bounds each read by itself; only the event loop can end a whole exchange.
    async with (
        asyncio.timeout(timeout_seconds),
        httpx.AsyncClient(
            timeout=timeout_seconds, trust_env=False, verify=_trusted_authorities()
        ) as client,
        client.stream(
            "POST",
            target.pinned,
            content=body,
            headers=headers,
            # The certificate must be the name's, whatever the address.
            extensions={"sni_hostname": target.host},
        ) as answer,
    ):
        wait = answer.headers.get("Retry-After", "")
        return Reply(answer.status_code, float(wait) if wait.isdecimal() else 0.0)


def send(
    url: str,
    secret: str,
    message_id: str,
    content: Mapping[str, Any],
    now: datetime,
    *,
    networks: Sequence[str],
    timeout_seconds: float,
) -> Attempt:
    """Post one event. Does not follow redirects or read the response's body.

    The whole attempt ends within the time-out: a receiver that sends single bytes gains nothing.
    """
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    timestamp = int(now.timestamp())
    try:
        target = resolve(url, networks)
        headers = {
            "Host": target.authority,
            "Content-Type": "application/json",
            "User-Agent": "antispam-shield",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message_id, timestamp, body),
        }
        status = asyncio.run(post(target, body, headers, timeout_seconds)).status
    except Refused as refusal:
        return Attempt(delivered=False, gone=False, said=f"Not sent: {refusal}")
    except (httpx.HTTPError, TimeoutError) as fault:
        return Attempt(delivered=False, gone=False, said=f"No answer: {type(fault).__name__}.")
    said = f"It answered {status}."
    if 300 <= status < 400:
        said += " Redirects are not followed: use the final URL in the webhook."
    return Attempt(delivered=200 <= status < 300, gone=status == 410, said=said)
