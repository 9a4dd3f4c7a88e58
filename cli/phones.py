"""Connecting phones: a code that is good once, as a picture for a phone's camera."""

import io
import socket
from urllib.parse import urlsplit, urlunsplit

from shield.client import ShieldClient
from shield.wire import PairingRead


def pairing(client: ShieldClient) -> tuple[dict[str, str], str]:
    """Return a new code with its link, and the picture of that link, for a terminal."""
    return shown(client, client.pairing_code())


def shown(client: ShieldClient, issued: PairingRead) -> tuple[dict[str, str], str]:
    """Return a code with its link, and the picture of that link, for a terminal."""
    import segno

    link = f"{reachable(client.base_url)}/app#code={issued.code}"
    drawn = io.StringIO()
    segno.make(link, error="l").terminal(out=drawn, border=2, compact=True)
    told = {
        "code": issued.code,
        "subject": issued.subject,
        "link": link,
        "expiresAt": issued.expires_at.isoformat(),
    }
    return told, drawn.getvalue()


def reachable(url: str) -> str:
    """Return `url` as another device in the network would open it.

    A server on this machine's loopback address may listen on all addresses; a phone then needs the
    one that leads into the network. Where there is none, the URL stays as it is.
    """
    parts = urlsplit(url)
    if parts.hostname not in ("127.0.0.1", "localhost"):
        return url
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of documentation; nothing is sent
            address = probe.getsockname()[0]
        except OSError:
            return url
    with socket.socket() as attempt:
        attempt.settimeout(0.5)
        if attempt.connect_ex((address, parts.port or 80)) != 0:
            return url  # it listens on the loopback address alone
    return urlunsplit(parts._replace(netloc=f"{address}:{parts.port or 80}"))
