"""How many scam campaigns are unlike anything that a model learned from. Pure.

Messages are compared as the API groups them (`shield.similarity`).

Some campaigns are always unlike all others. How many, the training set says of itself: each of its
campaigns is looked at as if it were new.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from components.shared.campaigns import campaigns
from shield.sequential import Counts
from shield.similarity import Sketches, estimate, form, sketches

UNLIKE = 0.12
"""Likeness below which a message is unlike another. Of the scams at hand (SMS) 35 % are that
unlike every other campaign; of harmless SMS, which talk of other things, 9 in 10 towards scams."""
MOST_KNOWN = 5000
"""Most known campaigns that are compared with; the newest are taken."""
MOST_PROBED = 1000
"""Known campaigns, drawn at random, that are compared with all others as if they were new."""


def known_campaigns(scams: pl.Series) -> Sketches:
    """Return the sketch of one message of each campaign among scams, newest last."""
    first = np.unique(campaigns(scams))[-MOST_KNOWN:]
    return sketches([form(scams[int(row)]).words for row in first])


def unlike_itself(known: Sketches, rng: np.random.Generator) -> Counts:
    """Count campaigns of a training set that are unlike all its others."""
    rows = rng.permutation(len(known))[:MOST_PROBED]
    alone = 0
    for row in rows:
        alike = estimate(known[row], known)
        alike[row] = 0.0
        alone += bool(alike.max() < UNLIKE)
    return Counts(alone, len(rows))


def unlike(texts: Sequence[str], known: Sketches) -> Counts:
    """Count folded messages that are unlike every known campaign."""
    if not len(known):
        return Counts(len(texts), len(texts))
    new = sum(bool(estimate(sketch, known).max() < UNLIKE) for sketch in sketches(texts))
    return Counts(new, len(texts))
