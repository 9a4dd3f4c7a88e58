"""Sign feeds, and verify those of others.

The key is derived from the part of the key ring that is never rotated, as that of releases
(`api.device.signing`): every replica has the same one, and there is no further secret.
"""

import base64
import binascii
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.kit.keyring import KeyRing
from shield.packages.keys import key_id
from shield.wire import SignedFeed

CONTEXT = b"antispam-shield: feed of known campaigns\n"


def sign(ring: KeyRing, statement: str) -> SignedFeed:
    """Return a statement with our signature."""
    seed = hmac.new(ring.lot_key, b"antispam-shield: key of feeds", hashlib.sha256).digest()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return SignedFeed(
        statement=statement,
        key_id=key_id(public),
        public_key=base64.b64encode(raw).decode(),
        signature=base64.b64encode(key.sign(CONTEXT + statement.encode())).decode(),
    )


def holds(signed: SignedFeed, public_key: str) -> bool:
    """Tell whether a feed was signed with the key that belongs to a public key (base64)."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        signature = base64.b64decode(signed.signature, validate=True)
        key.verify(signature, CONTEXT + signed.statement.encode(errors="replace"))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True
