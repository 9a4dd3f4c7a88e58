"""A push service on this machine, and phones that it would wake: real keys, real envelopes."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

import http_ece
import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.push.keys import new_key
from tests.support.http_server import Quiet, serving
from tests.support.waiting import PATIENCE_SECONDS

KEY, PUBLIC = new_key()
SETTINGS: dict[str, Any] = {
    "push_key": KEY,
    "push_contact": "mailto:ops@example.org",
    "push_networks": ["127.0.0.0/8"],
}
"""Settings of an API that wakes phones through a push service on this machine."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(frozen=True)
class Phone:
    """What a browser keeps of a subscription."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: os.urandom(16))

    def subscription(self) -> dict[str, Any]:
        """Return what the browser gives to the page."""
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "keys": {"p256dh": b64(point), "auth": b64(self.secret)},
        }

    def opened(self, body: bytes) -> dict[str, Any]:
        """Return what was sent, which this phone alone can read."""
        plain = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.secret, version="aes128gcm"
        )
        found: dict[str, Any] = json.loads(plain)
        return found


@dataclass
class PushService:
    """What the service was given."""

    url: str
    statuses: list[int] = field(default_factory=list)
    """What it answers, in order; 201 once they are used up."""
    open: threading.Event = field(default_factory=threading.Event)
    """Cleared, callers get no answer."""
    calls: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    """Path, headers and body of each call."""

    def claims(self, number: int) -> dict[str, Any]:
        """Return what the token of a call says, once it is verified against the subscribed key."""
        header = self.calls[number][1]["authorization"]
        scheme, _, rest = header.partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert (scheme, given["k"]) == ("vapid", PUBLIC)
        point = base64.urlsafe_b64decode(given["k"] + "=")
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])}
        found: dict[str, Any] = jwt.decode(
            given["t"], jwt.PyJWK(jwk, "ES256"), algorithms=["ES256"], audience=self.url
        )
        return found


@contextmanager
def push_service() -> Iterator[PushService]:
    """Serve a push service on a free port."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = found.statuses.pop(0) if found.statuses else 201
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.calls.append((self.path, headers, body))
            found.open.wait(PATIENCE_SECONDS)
            with suppress(OSError):  # a caller that was killed
                self.answer(status)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with serving(Handler) as url:
        found = PushService(url)
        found.open.set()
        yield found
