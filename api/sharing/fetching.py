"""Fetch another deployment's feed: from public addresses, bounded in size and time."""

import asyncio
import json

import httpx
from pydantic import ValidationError

from api.settings import ApiSettings
from api.webhooks.addresses import Refused, Target, resolve
from shield.errors import Invalid, Unavailable
from shield.wire import SignedFeed

MOST_BYTES = 8 * 1024 * 1024


async def _body(url: str, target: Target, timeout_seconds: float) -> bytes:
    # httpx bounds each read by itself; only the event loop can end a whole exchange.
    async with (
        asyncio.timeout(timeout_seconds),
        httpx.AsyncClient(timeout=timeout_seconds, trust_env=False) as client,
        client.stream(
            "GET",
            target.pinned,
            # Not compressed: a few bytes must not become gigabytes here.
            headers={
                "Host": target.authority,
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "antispam-shield",
            },
            extensions={"sni_hostname": target.host},
        ) as answer,
    ):
        if answer.status_code != 200:
            raise Unavailable(f"{url} answered {answer.status_code}.")
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Invalid(f"{url} answers more than {MOST_BYTES >> 20} MiB.")
        return bytes(body)


def fetch(url: str, settings: ApiSettings) -> SignedFeed:
    """Return the feed at a URL. Redirects are not followed.

    The whole exchange ends within the time-out of webhooks, since both wait in one thread.

    Raises:
        Unavailable: Nobody answers there in time, or it leads where we may not go.
        Invalid: What answers is no feed.
    """
    try:
        target = resolve(url, settings.webhook_networks)
        body = asyncio.run(_body(url, target, settings.webhook_timeout_seconds))
    except Refused as refusal:
        raise Unavailable(f"{refusal}") from refusal
    except (httpx.HTTPError, TimeoutError) as fault:
        raise Unavailable(f"{url} does not answer ({type(fault).__name__}).") from fault
    try:
        document = json.loads(body)
        # As the API answers it, or as `shieldctl known export` writes it into a file.
        inner = document.get("data", document) if isinstance(document, dict) else document
        return SignedFeed.model_validate(inner)
    except (ValueError, ValidationError) as fault:
        raise Invalid(f"What {url} answers is no feed of known campaigns.") from fault
