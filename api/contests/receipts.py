"""Receipts: what a sender without an account reads the answer with."""

import base64
import hashlib
import secrets

from api.kit.keyring import KeyRing

_LETTERS = 20
"""Of five bits each: nobody guesses one."""
_GROUP = 4


def new_receipt() -> str:
    """Return a fresh receipt, 20 letters and digits."""
    return base64.b32encode(secrets.token_bytes(_LETTERS)).decode()[:_LETTERS]


def spaced(receipt: str) -> str:
    """Return a receipt as people read it: four at a time."""
    return "-".join(receipt[at : at + _GROUP] for at in range(0, len(receipt), _GROUP))


def hashed(receipt: str, ring: KeyRing) -> str:
    """Return what is kept of a receipt: a keyed hash, so that the database alone opens nothing."""
    plain = "".join(filter(str.isalnum, receipt)).upper()  # as people type it
    return hashlib.blake2b(
        b"contest receipt " + plain.encode(errors="replace"), key=ring.lot_key, digest_size=32
    ).hexdigest()
