"""Encrypt message texts at rest: AES-256-GCM with a ring of keys that can be rotated.

A sealed text is `key id (8 bytes) + nonce (12) + ciphertext and tag`. The id of its row is
authenticated data, so that a ciphertext copied to another row cannot be decrypted.
"""

import base64
import binascii
import json
import logging
import secrets
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shield.errors import Misconfigured

logger = logging.getLogger("api.kit")

UNREADABLE = "[This stored text cannot be read.]"
"""Shown to staff in place of a text that `KeyRing.shown` cannot decrypt."""
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12
_MOST_TOLD = 10_000
"""Unreadable rows that are remembered as logged; after that many they are logged again."""


def new_ring(now: datetime) -> str:
    """Return the content of a new ring file with one key."""
    fingerprint = base64.b64encode(secrets.token_bytes(32)).decode()
    return rotated(json.dumps({"active": None, "keys": {}, "fingerprint": fingerprint}), now)


def rotated(content: str, now: datetime, *, signatures: bool = False) -> str:
    """Return the content of a ring file with a new active key.

    With `signatures` the key of content look-ups is replaced too.
    """
    ring = json.loads(content)
    if signatures:
        ring["signature"] = base64.b64encode(secrets.token_bytes(32)).decode()
    key_id = secrets.token_hex(_KEY_ID_BYTES // 2)
    key = base64.b64encode(AESGCM.generate_key(bit_length=256)).decode()
    ring["keys"][key_id] = {"key": key, "createdAt": now.isoformat()}
    ring["active"] = key_id
    return json.dumps(ring, indent=2) + "\n"


class KeyRing:
    """Encrypts with the active key, decrypts with any key of the ring."""

    def __init__(
        self,
        active: str,
        keys: dict[str, bytes],
        lot_key: bytes,
        signature_key: bytes | None = None,
    ) -> None:
        self.active = active
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self.lot_key = lot_key
        """Key of pseudo-random draws; never rotated, since that would repeat the draws."""
        self.signature_key = signature_key or lot_key
        """Key of content look-ups; after its rotation fingerprints and bands are recomputed."""
        self._told: set[str] = set()

    @classmethod
    def parse(cls, content: str, source: str = "the key ring") -> Self:
        """Parse a ring.

        Raises:
            Misconfigured: The content is not a ring, or its active key is missing.
        """
        try:
            ring = json.loads(content)
            keys = {name: base64.b64decode(key["key"]) for name, key in ring["keys"].items()}
            active, lots = ring["active"], base64.b64decode(ring["fingerprint"])
            signature = base64.b64decode(ring.get("signature", ""))
            if active not in keys or any(len(name) != _KEY_ID_BYTES for name in keys):
                raise KeyError(active)
            return cls(active, keys, lots, signature)
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as fault:
            raise Misconfigured(
                f"{source} is not a key ring of message keys. Restore it from a backup: "
                "without it stored messages cannot be read."
            ) from fault

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a ring file. Raises `Misconfigured`."""
        try:
            return cls.parse(path.read_text(), str(path))
        except OSError as fault:
            raise Misconfigured(
                f"The message key ring {path} cannot be read ({fault.strerror}). "
                "Set SHIELD_API_MESSAGE_KEYS to a key ring made by `shieldctl`."
            ) from fault

    def seal(self, text: str, row: str) -> bytes:
        """Encrypt `text` for the row with id `row`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self.active].encrypt(nonce, text.encode(), row.encode())
        return self.active.encode() + nonce + sealed

    def open(self, sealed: bytes, row: str) -> str:
        """Decrypt the text of the row with id `row`.

        Raises:
            Misconfigured: The ring lacks the key, or the bytes were not sealed for this row, or
                are not all there.
        """
        key_id = sealed[:_KEY_ID_BYTES].decode("ascii", "replace")
        nonce = sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES]
        try:
            cipher = self._ciphers[key_id]
            opened = cipher.decrypt(nonce, sealed[_KEY_ID_BYTES + _NONCE_BYTES :], row.encode())
        except KeyError as fault:
            raise Misconfigured(
                f"The stored message of row {row} is encrypted with key {key_id!r}, which the key "
                "ring does not hold. Restore the ring that SHIELD_API_MESSAGE_KEYS names from a "
                "backup."
            ) from fault
        except (InvalidTag, ValueError) as fault:  # ValueError: the nonce itself is cut off
            raise Misconfigured(
                f"The stored message of row {row} was changed, or moved from another row. "
                "Restore the database from a backup."
            ) from fault
        return opened.decode()

    def signable(self, sealed: bytes, row: str) -> str | None:
        """Decrypt a text of which something goes into a signed list; `None` if it was changed.

        Who reads a signed list takes what is missing from it for withdrawn. So a list without the
        texts of a missing key, which will be readable again, must not be signed at all.

        Raises:
            Misconfigured: The ring lacks the key.
        """
        if sealed[:_KEY_ID_BYTES].decode("ascii", "replace") not in self._ciphers:
            return self.open(sealed, row)
        return self.shown(sealed, row)

    def shown(self, sealed: bytes, row: str) -> str | None:
        """Decrypt a text that is one of many; `None`, and an error in the log, if it is unreadable.

        One changed row, or a key that is missing, must not take all others of a list with it. What
        is to act on this text alone uses `open`. The log names each row once per process: known
        campaigns are read in every scan.
        """
        try:
            return self.open(sealed, row)
        except Misconfigured as fault:
            if row not in self._told:
                if len(self._told) >= _MOST_TOLD:
                    self._told.clear()
                self._told.add(row)
                logger.error("left out a text that cannot be read: %s", fault)
            return None
