"""How far from the operating point a verdict must lie for it to be sure."""

import math
from typing import NamedTuple

import numpy as np

from shield.labels import SURE_FROM
from shield.metrics.curves import CONFIDENCE, Labels, Scores, enough_hams, most_flagged

WRONG = 0.02
"""Share of sure verdicts, of either kind, that may be wrong."""
WITHOUT_PROOF = math.log(SURE_FROM / (1 - SURE_FROM))
"""Least distance where the messages are too few to show anything, in log odds."""


class Widths(NamedTuple):
    """Distances from the operating point, in the unit of the margins; beyond them, it is sure."""

    harmless: float
    scam: float


def band(margins: Scores, scam: Labels, wrong: float = WRONG) -> Widths:
    """Return the narrowest band outside of which verdicts are surely right often enough.

    Each side by itself: of the verdicts beyond it, at most `wrong` are wrong, by an upper bound
    (Clopper and Pearson, 1934; 90 %) and as if scams and harmless messages were scanned equally
    often. How many of each there are in a corpus says nothing of what people scan; who asks about a
    message has a reason to. Where too few messages are there to show it, the band reaches
    as far as the farthest message that is wrong, and to a confidence of .9 at least.

    Args:
        margins: Shape (n,), measured from the operating point, of messages not trained on.
        scam: Shape (n,); both classes must occur.
        wrong: Share of sure verdicts that may be wrong, in (0, 1).

    Raises:
        ValueError: A class is missing.
    """
    if scam.all() or not scam.any():
        raise ValueError("A band of certainty needs messages of both classes.")
    return Widths(
        # A scam far on the harmless side is what makes a harmless verdict wrong, and vice versa.
        harmless=_width(-margins[scam], -margins[~scam], wrong),
        scam=_width(margins[~scam], margins[scam], wrong),
    )


def _width(wrong_side: Scores, right_side: Scores, wrong: float) -> float:
    """Return the smallest distance >= 0 beyond which wrong verdicts are rare enough.

    Args:
        wrong_side: Shape (n,). How far messages of the other class lie on this side; below 0: they
            do not.
        right_side: Shape (m,). The same of the messages whose verdict is right here.
        wrong: As in `band`.
    """
    ranked = np.sort(wrong_side)[::-1]
    distances = [0.0, *(float(each) for each in ranked[::-1] if each > 0)]
    right = np.sort(right_side)
    for distance in distances:
        beyond = int(np.sum(ranked > distance))
        share = 1 - float(np.searchsorted(right, distance, side="right")) / right.size
        allowed = wrong / (1 - wrong) * share
        if 0 < allowed < 1 and _shown(beyond, ranked.size, allowed):
            return distance
    return max(WITHOUT_PROOF, distances[-1])


def _shown(count: int, n: int, share: float) -> bool:
    """Tell whether `count` of `n` shows that the share in truth is within `share`."""
    return n >= enough_hams(share, CONFIDENCE) and count <= most_flagged(n, share, CONFIDENCE)
