"""Draw a pseudo-random number from an id and a secret, so that nobody can predict it.

A draw is repeatable and needs no column. Without the secret a reviewer could compute which items
get a second look, and a user which of their scans are sampled.
"""

import hashlib


def lot(secret: bytes, what: str, row: str) -> float:
    """Return a number in [0, 1) for the row with id `row`, different for each purpose `what`."""
    digest = hashlib.blake2b(f"{what} {row}".encode(), key=secret, digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
