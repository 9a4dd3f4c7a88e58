"""What near-identical messages have in common: a fingerprint of the exact form, and a MinHash.

Digits, URLs and e-mail addresses are masked first, because a flood varies just these. Equal
fingerprints are the same message; MinHash bands find those that differ in a few words (Broder
1997; banding after Leskovec, Rajaraman & Ullman, "Mining of Massive Datasets", ch. 3).
"""

import hashlib
import struct
from functools import lru_cache

from datasketch import MinHash
from rapidfuzz import fuzz

from shield.masking import masked as masked

PERMUTATIONS = 64
ROWS = 4
BANDS = PERMUTATIONS // ROWS
"""16 bands of 4 rows: half of the pairs of Jaccard similarity 0.5 meet, 99.9 % of those of 0.8."""
SIMILAR = 85.0
"""rapidfuzz token-set-free ratio, 0 to 100, from which two messages are the same campaign."""


def fingerprint(text: str, key: bytes) -> str:
    """Return a keyed hash of the masked message, 32 hex digits; it tells nothing by itself."""
    return hashlib.blake2b(masked(text).encode(), key=key, digest_size=16).hexdigest()


@lru_cache(maxsize=1)
def _prototype() -> MinHash:
    return MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=_hash32)


def _hash32(shingle: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(shingle, digest_size=4).digest(), "little")


def bands(masked_text: str, model_type: str) -> list[int]:
    """Return the band keys of a masked message, as signed 64-bit numbers."""
    sketch = _prototype().copy()
    padded = f" {masked_text} "
    shingles = {padded[at : at + 4] for at in range(max(1, len(padded) - 3))}
    sketch.update_batch([shingle.encode() for shingle in sorted(shingles)])
    values = [int(value) for value in sketch.hashvalues]
    return [
        _band_key(model_type, number, values[number * ROWS : (number + 1) * ROWS])
        for number in range(BANDS)
    ]


def _band_key(model_type: str, number: int, values: list[int]) -> int:
    content = f"{model_type} {number} {values}".encode()
    key: int = struct.unpack("<q", hashlib.blake2b(content, digest_size=8).digest())[0]
    return key


def similarity(one: str, other: str) -> float:
    """Return how alike two masked messages are, 0 to 100 (rapidfuzz ratio)."""
    return float(fuzz.ratio(one, other, score_cutoff=SIMILAR))
