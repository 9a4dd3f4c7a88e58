"""Finding messages by their content, without the content: fingerprints and bands, under one key.

Equal fingerprints are the same message (`shield.similarity.form`); bands find those that differ in
a few words. Both are keyed: with the database alone nobody can confirm a guessed message. The key
is the ring's; each fingerprint begins with a mark of key and definition, so that what another key
or an older release has made is found and made anew (`api.campaigns.rebuild`).
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from api.kit.keyring import KeyRing
from shield import similarity
from shield.similarity import Form, Sketches

_DEFINITION = b"similarity-1"
"""Changes whenever equal messages would get another fingerprint, or other bands."""
_MARK_DIGITS = 4
BANDS = similarity.PERMUTATIONS // similarity.ROWS_PER_BAND


def mark(ring: KeyRing) -> str:
    """Return what all fingerprints begin with that are made now, 4 hex digits."""
    return _keyed(ring, b"mark").hexdigest()[:_MARK_DIGITS]


def fingerprint(form: Form, ring: KeyRing) -> str:
    """Return a keyed hash of what copies of a message have in common, 32 hex digits."""
    digest = _keyed(ring, b"form")
    digest.update(form.packed().encode())
    return mark(ring) + digest.hexdigest()[_MARK_DIGITS:]


def sketch(form: Form, ring: KeyRing) -> Sketches:
    """Return the sketch of a message's words under the ring's key, shape (PERMUTATIONS,)."""
    key = _keyed(ring, b"bands").digest()
    return np.asarray(similarity.sketches([form.words], key)[0], dtype=np.uint32)


def packed(form: Form, sketch: Sketches, ring: KeyRing) -> bytes:
    """Return a sketch as it is kept: the lower half of each row, and a keyed hash of the hosts."""
    return sketch.astype("<u2").tobytes() + _hosts(form, ring)


PACKED_BYTES = 2 * similarity.PERMUTATIONS + 8


def unpacked(kept: Sequence[bytes]) -> tuple[NDArray[np.uint16], NDArray[np.uint64]]:
    """Return rows, shape (n, PERMUTATIONS), and hashes of hosts, shape (n,), of kept sketches."""
    table = np.frombuffer(b"".join(kept), dtype=np.uint8).reshape(len(kept), PACKED_BYTES)
    rows = np.ascontiguousarray(table[:, :-8]).view("<u2")
    return rows.astype(np.uint16), np.ascontiguousarray(table[:, -8:]).view("<u8").ravel()


def _hosts(form: Form, ring: KeyRing) -> bytes:
    digest = _keyed(ring, b"hosts")
    digest.update("\t".join(sorted(form.hosts)).encode())
    return digest.digest()[:8] if form.hosts else bytes(8)


def bands(form: Form, model_type: str, ring: KeyRing) -> list[int]:
    """Return the bands of a message, as signed 64-bit numbers, without repetition.

    Model type and hosts are part of each: messages with other hosts share none.
    """
    key = _keyed(ring, b"bands").digest()
    scope = "\t".join([model_type, *sorted(form.hosts)])
    return sorted(set(similarity.bands(sketch(form, ring), key, scope)))


def _keyed(ring: KeyRing, purpose: bytes) -> "hashlib.blake2b":
    return hashlib.blake2b(
        _DEFINITION + b" " + purpose + b" ", key=ring.signature_key, digest_size=16
    )
