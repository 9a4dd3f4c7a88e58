"""How far from the operating point a verdict must lie for it to be sure."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.labels import SURE_FROM
from shield.metrics.curves import Labels, Scores

WRONG = 0.02
"""Share of sure verdicts that may be wrong."""
WITHOUT_PROOF = math.log(SURE_FROM / (1 - SURE_FROM))
"""Least distance where the messages are too few to show anything, in log odds."""
_QUANTILE = 1.2815515655446004
"""Of the normal distribution at 90 %: how sure it must be."""


class Widths(NamedTuple):
    """Distances from the operating point, in the unit of the margins; beyond them, it is sure."""

    harmless: float
    scam: float


def band(
    margins: Scores,
    scam: Labels,
    weights: NDArray[np.float64] | None = None,
    wrong: float = WRONG,
) -> Widths:
    """Return the narrowest band outside of which verdicts are surely right often enough.

    Of the verdicts beyond it, at most `wrong` are wrong, by an upper bound (Wilson, 1927; 90 %) and
    as if scams and harmless messages were scanned equally often. How many of each there are in a
    corpus says nothing of what people scan; who asks about a message has a reason to. Of all bands
    that keep this, the one that leaves the fewest verdicts unsure. Where too few messages are there
    to show it, the band reaches as far as the farthest message that is wrong, and to a confidence
    of .9 at least.

    Args:
        margins: Shape (n,), measured from the operating point, of messages not trained on.
        scam: Shape (n,); both classes must occur.
        weights: Shape (n,), how much each message counts among those of its class; all alike if
            left out.
        wrong: Share of sure verdicts that may be wrong, in (0, 1).

    Raises:
        ValueError: A class is missing.
    """
    if scam.all() or not scam.any():
        raise ValueError("A band of certainty needs messages of both classes.")
    weights = np.ones(scam.size) if weights is None else weights
    classes = [weights[mask] / weights[mask].sum() for mask in (scam, ~scam)]
    # A scam far on the harmless side is what makes a harmless verdict wrong, and vice versa.
    low = _sides(-margins[scam], classes[0], -margins[~scam], classes[1])
    high = _sides(margins[~scam], classes[1], margins[scam], classes[0])
    sure = low.sure[:, None] + high.sure[None, :]
    kept = low.bound[:, None] + high.bound[None, :] <= wrong * sure
    if not kept.any():
        return Widths(*(max(WITHOUT_PROOF, float(side.distances[-1])) for side in (low, high)))
    place = np.unravel_index(np.argmax(np.where(kept, sure, -1.0)), sure.shape)
    return Widths(float(low.distances[place[0]]), float(high.distances[place[1]]))


class _Sides(NamedTuple):
    """What each distance on one side comes to; shape (candidates,) each."""

    distances: NDArray[np.float64]
    bound: NDArray[np.float64]
    """Upper bound of the share of the other class beyond it: wrong."""
    sure: NDArray[np.float64]
    """Share of both classes beyond it, at most 2."""


def _sides(
    wrong_side: Scores,
    wrong_weights: NDArray[np.float64],
    right_side: Scores,
    right_weights: NDArray[np.float64],
) -> _Sides:
    distances = np.unique(np.concatenate([[0.0], wrong_side[wrong_side > 0]]))
    beyond = np.array([float(wrong_weights[wrong_side > each].sum()) for each in distances])
    right = np.array([float(right_weights[right_side > each].sum()) for each in distances])
    counted = 1 / float((wrong_weights**2).sum())  # Kish: as many as messages of one weight
    return _Sides(distances, _upper(beyond, counted), beyond + right)


def _upper(share: NDArray[np.float64], n: float) -> NDArray[np.float64]:
    """Return Wilson's upper bound of a share that was measured on `n` messages."""
    z2 = _QUANTILE**2
    middle = share + z2 / (2 * n)
    spread = _QUANTILE * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return np.asarray((middle + spread) / (1 + z2 / n), dtype=np.float64)
