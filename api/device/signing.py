"""Sign the statement of which version is released to phones, with the API's own key.

This key can name a version but not create one: packages are signed with the training key, and a
phone checks both. It is derived from the part of the key ring that is never rotated, so that all
replicas have the same key, a restart keeps it, and there is no further secret to manage.
"""

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.kit.keyring import KeyRing
from shield.packages import PackageSettings, Trust
from shield.packages.keys import key_id

CONTEXT = b"antispam-shield: release for phones\n"
"""Prefix of the signed bytes, so that no other signature of this key is valid for a release."""
KNOWN_CONTEXT = b"antispam-shield: known scams for phones\n"
"""The same for the list of known scams."""


def release_key(ring: KeyRing) -> Ed25519PrivateKey:
    """Return the key that signs releases."""
    seed = hmac.new(ring.lot_key, b"antispam-shield: key of releases", hashlib.sha256).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def sign(ring: KeyRing, context: bytes, statement: str) -> tuple[str, str]:
    """Return key id and base64 signature of a statement under a context. Deterministic."""
    key = release_key(ring)
    signature = key.sign(context + statement.encode())
    return key_id(key.public_key()), base64.b64encode(signature).decode()


def pins(ring: KeyRing) -> tuple[dict[str, str], dict[str, str]]:
    """Return the public keys of releases and of packages, base64 by key id.

    Without configured trusted keys there are none of packages, and phones accept no package.
    """
    folder = PackageSettings().trusted_keys
    trusted = Trust.from_directory(folder).keys if folder is not None else {}
    own = release_key(ring).public_key()
    return {key_id(own): _raw(own)}, {name: _raw(key) for name, key in trusted.items()}


def _raw(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
