"""The key by which push services know this deployment (VAPID, RFC 8292)."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02, VapidException

from api.settings import ApiSettings
from shield.errors import Invalid, Misconfigured

_LIFETIME = timedelta(hours=12)
"""Of a token; push services refuse more than 24 hours."""


def encoded(data: bytes) -> str:
    """Return bytes in base64url without padding, as Web Push writes keys."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of base64url, with or without padding.

    Raises:
        ValueError: It is not base64url.
    """
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", True)


@dataclass(frozen=True)
class PushKey:
    """The key, and the contact that push services are given."""

    vapid: Vapid02
    contact: str
    public: str
    """What browsers subscribe with (`applicationServerKey`): 65 bytes in base64url."""

    def authorization(self, endpoint: str, now: datetime) -> str:
        """Return the `Authorization` header for one endpoint.

        Raises:
            Invalid: The endpoint has no host name that a token can name.
        """
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc.lower()}",
            "exp": int((now + _LIFETIME).timestamp()),
            "sub": self.contact,
        }
        try:
            return str(self.vapid.sign(claims)["Authorization"])
        except VapidException as fault:
            raise Invalid("endpoint: write https://host/path, with the name of a host.") from fault


def new_key() -> tuple[str, str]:
    """Return a new private key and its public key, both in base64url."""
    made = Vapid02()
    made.generate_keys()
    scalar = made.private_key.private_numbers().private_value
    return encoded(scalar.to_bytes(32, "big")), _public(made)


def push_key(settings: ApiSettings) -> PushKey | None:
    """Return the key of Web Push, or `None` if it is switched off.

    Raises:
        Misconfigured: The key is invalid, or the contact is missing.
    """
    if not settings.push_key:
        return None
    return _opened(settings.push_key.strip(), (settings.push_contact or "").strip())


@lru_cache(maxsize=4)
def _opened(private: str, contact: str) -> PushKey:
    try:
        vapid = Vapid02.from_string(private)
        public = _public(vapid)
    except Exception as fault:  # the library raises whatever its parsers raise
        raise Misconfigured(
            "SHIELD_API_PUSH_KEY is no private key of Web Push. `shieldctl push key` makes one."
        ) from fault
    key = PushKey(vapid, contact, public)
    try:
        key.authorization("https://push.example/x", datetime.now().astimezone())
    except Invalid as fault:
        raise Misconfigured(
            f"SHIELD_API_PUSH_CONTACT is {contact!r}. Push services want to know whom to write to: "
            "set it to mailto:you@example.org or to https://..."
        ) from fault
    return key


def _public(vapid: Vapid02) -> str:
    return encoded(vapid.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
