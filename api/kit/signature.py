"""Keyed fingerprints and bands, to find equal and similar messages without storing their text.

Messages with equal fingerprints are copies (`shield.similarity.form`); shared bands find messages
that differ in a few words. Both use a key of the ring, so that a guessed message cannot be
confirmed with the database alone. Each fingerprint begins with a mark of key and algorithm, so that
outdated ones are found and recomputed (`api.campaigns.signing`).
"""

import hashlib
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.kit.keyring import KeyRing
from shield import similarity
from shield.similarity import Form, Sketches

logger = logging.getLogger("api.kit")

_DEFINITION = b"similarity-1"
"""Version of the algorithm: to be changed whenever it gives other fingerprints or bands."""
_MARK_DIGITS = 4
BANDS = similarity.PERMUTATIONS // similarity.ROWS_PER_BAND


def mark(ring: KeyRing) -> str:
    """Return the mark that current fingerprints begin with, 4 hex digits."""
    return _keyed(ring, b"mark").hexdigest()[:_MARK_DIGITS]


def fingerprint(form: Form, ring: KeyRing) -> str:
    """Return a keyed hash of a message's folded form, 32 hex digits; equal for copies."""
    digest = _keyed(ring, b"form")
    digest.update(form.packed().encode())
    return mark(ring) + digest.hexdigest()[_MARK_DIGITS:]


def sketch(form: Form, ring: KeyRing) -> Sketches:
    """Return the keyed MinHash sketch of a message's words, shape (PERMUTATIONS,)."""
    key = _keyed(ring, b"bands").digest()
    return np.asarray(similarity.sketches([form.words], key)[0], dtype=np.uint32)


def packed(form: Form, sketch: Sketches, ring: KeyRing) -> bytes:
    """Pack a sketch for storage: the lower half of each row, and a keyed hash of the hosts."""
    return sketch.astype("<u2").tobytes() + _hosts(form, ring)


PACKED_BYTES = 2 * similarity.PERMUTATIONS + 8
_LIKE_NOTHING = bytes(PACKED_BYTES)


def unpacked(kept: Sequence[bytes]) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """Unpack stored sketches to rows (n, PERMUTATIONS) and hashes of hosts (n,).

    One of another length was changed on disk. It is like no message, and keeps no other from being
    compared.
    """
    whole = [one if len(one) == PACKED_BYTES else _LIKE_NOTHING for one in kept]
    if spoilt := sum(len(one) != PACKED_BYTES for one in kept):
        logger.error("%d stored sketches were changed: they are like no message", spoilt)
    table = np.frombuffer(b"".join(whole), dtype=np.uint8).reshape(len(kept), PACKED_BYTES)
    rows = np.ascontiguousarray(table[:, :-8]).view("<u2")
    return rows.astype(np.uint16), np.ascontiguousarray(table[:, -8:]).view("<u8").ravel()


def _hosts(form: Form, ring: KeyRing) -> bytes:
    digest = _keyed(ring, b"hosts")
    digest.update("\t".join(sorted(form.hosts)).encode())
    return digest.digest()[:8] if form.hosts else bytes(8)


def bands(form: Form, model_type: str, ring: KeyRing) -> list[int]:
    """Return the distinct bands of a message, as signed 64-bit numbers.

    Model type and hosts are part of each band: messages with different hosts share none.
    """
    key = _keyed(ring, b"bands").digest()
    scope = "\t".join([model_type, *sorted(form.hosts)])
    return sorted(set(similarity.bands(sketch(form, ring), key, scope)))


def _keyed(ring: KeyRing, purpose: bytes) -> "hashlib.blake2b":
    return hashlib.blake2b(
        _DEFINITION + b" " + purpose + b" ", key=ring.signature_key, digest_size=16
    )
