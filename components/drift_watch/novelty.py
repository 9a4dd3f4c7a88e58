"""How many scam campaigns are unlike anything that a model learned from. Pure.

Messages are compared as the API groups them: masked, by MinHash of their 4-letter parts (Broder,
"On the resemblance and containment of documents", 1997), by datasketch.

Some campaigns are always unlike all others. How many, the training set says of itself: each of its
campaigns is looked at as if it were new.
"""

import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
import polars as pl
from datasketch import MinHash
from numpy.typing import NDArray

from components.shared.campaigns import campaigns
from shield.masking import masked
from shield.sequential import Counts

PERMUTATIONS = 64
UNLIKE = 0.2
"""Share of equal signature rows (an estimate of the Jaccard similarity) below which a message is
unlike another. Of the scams at hand 41 % (SMS) and 14 % (mails) are that unlike every other
campaign, the latest 30 % of the mails 22 % towards the earlier ones; of harmless SMS, which talk of
other things, 99 % towards scams."""
MOST_KNOWN = 5000
"""Most known campaigns that are compared with; the newest are taken."""
MOST_PROBED = 1000
"""Known campaigns, drawn at random, that are compared with all others as if they were new."""
_LETTERS = 4

Signatures = NDArray[np.uint32]
"""Shape (messages, PERMUTATIONS)."""


def known_campaigns(scams: pl.Series) -> Signatures:
    """Return the signature of one message of each campaign among scams, newest last."""
    first = np.unique(campaigns(scams))[-MOST_KNOWN:]
    return signatures(masked(scams[int(row)]) for row in first)


def unlike_itself(known: Signatures, rng: np.random.Generator) -> Counts:
    """Count campaigns of a training set that are unlike all its others."""
    rows = rng.permutation(len(known))[:MOST_PROBED]
    alone = 0
    for row in rows:
        alike = np.mean(known == known[row], axis=1)
        alike[row] = 0.0
        alone += bool(alike.max() < UNLIKE)
    return Counts(alone, len(rows))


def unlike(texts: Sequence[str], known: Signatures) -> Counts:
    """Count masked messages that are unlike every known campaign."""
    if not len(known):
        return Counts(len(texts), len(texts))
    new = sum(
        bool(np.mean(known == signature, axis=1).max() < UNLIKE) for signature in signatures(texts)
    )
    return Counts(new, len(texts))


def signatures(texts: Iterable[str]) -> Signatures:
    """Return the MinHash signature of each masked message."""
    rows = [_signature(text) for text in texts]
    return np.stack(rows) if rows else np.empty((0, PERMUTATIONS), np.uint32)


def _signature(text: str) -> Signatures:
    padded = f" {text} "
    parts = {padded[at : at + _LETTERS] for at in range(max(1, len(padded) - _LETTERS + 1))}
    sketch = _prototype().copy()
    sketch.update_batch([part.encode() for part in parts])
    return np.asarray(sketch.hashvalues, np.uint32)


@lru_cache(maxsize=1)
def _prototype() -> MinHash:
    return MinHash(num_perm=PERMUTATIONS, seed=1, hashfunc=zlib.crc32)
