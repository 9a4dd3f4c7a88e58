"""Draw a pseudo-random number from an id and a secret, so that nobody can predict it.

Repeating a draw changes nothing, and it needs no column. Without the secret a reviewer could work
out which items somebody else will check, and a reporter which of their scans are looked at.
"""

import hashlib


def lot(secret: bytes, what: str, row: str) -> float:
    """Return a number in [0, 1) for the row of id `row`, another one for each purpose `what`."""
    digest = hashlib.blake2b(f"{what} {row}".encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
