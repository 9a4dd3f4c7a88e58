"""Set the bounds beyond which the linear half answers alone, on the frozen messages.

Most messages are ordinary, and the linear half is as sure of them as the whole. A bound is set
where the verdict of the whole would hardly ever have been another: on the harmless side at most one
in a thousand scams that the whole finds is lost, on the scams' side no harmless message is flagged
that the whole lets pass. So the false-alarm budget stays what it is. Messages of a kind that is not
among the frozen ones are less certain than those: so at most four in five messages of a class are
answered alone, the surest.
"""

import numpy as np
from numpy.typing import NDArray

from shield.packages import Alone, Cascade, Margin

LOST = 0.001
"""Share of the scams found by the whole, each source with the same weight, that may be lost."""
MOST_SHARE = 0.8
"""Share of a class's frozen messages that is answered alone, at most."""
LEAST_SHARE = 0.05
"""A side on which fewer of the class's messages are answered alone gets no bound."""


def bounds(
    margin: Margin,
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    scam: NDArray[np.bool_],
    counts: NDArray[np.float64],
) -> Cascade | None:
    """Return the bounds; None where neither side is worth one.

    Args:
        margin: Of the whole.
        encoder: Log odds by the encoder, shape (n,).
        linear: Log odds by the linear half, shape (n,).
        scam: Shape (n,).
        counts: How much each message counts, shape (n,).
    """
    flagged = margin.encoder * encoder + margin.linear * linear + margin.bias >= 0
    caught, passed = scam & flagged, ~scam & ~flagged
    if not caught.any() or not passed.any():
        return None
    lost = _quantile(linear[caught], counts[caught], LOST)
    below = min(lost, float(np.quantile(linear[~scam], MOST_SHARE)), -1e-6)
    above = max(float(linear[passed].max()), float(np.quantile(linear[scam], 1 - MOST_SHARE)), 1e-6)
    harmless = _side(margin, encoder, linear, -1, below, ~scam)
    scams = _side(margin, encoder, linear, 1, above, scam)
    return Cascade(harmless=harmless, scam=scams) if harmless or scams else None


def _quantile(values: NDArray[np.float64], counts: NDArray[np.float64], share: float) -> float:
    """Return the value below which at most `share` of the weight lies."""
    order = np.argsort(values)
    weights = np.cumsum(counts[order]) / counts.sum()
    return float(values[order][np.searchsorted(weights, share, side="right")])


def _side(
    margin: Margin,
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    sign: int,
    bound: float,
    of_class: NDArray[np.bool_],
) -> Alone | None:
    """Return one side's bound, strictly beyond `bound`, with the encoder's mean there."""
    beyond = sign * linear > sign * bound
    if beyond[of_class].mean() < LEAST_SHARE:
        return None
    at = sign * float((sign * linear[beyond]).min())
    said = float(encoder[beyond].mean())
    # At the bound itself the verdict must be that of its side.
    if sign * (margin.encoder * said + margin.linear * at + margin.bias) <= 0:
        return None
    return Alone(beyond=round(at, 6) + sign * 1e-6, encoder=round(said, 6))


def share_alone(cascade: Cascade | None, linear: NDArray[np.float64]) -> float:
    """Return the share of messages, by the linear half's log odds, that it answers alone."""
    alone = np.zeros(linear.shape, dtype=np.bool_)
    if cascade is not None and cascade.harmless is not None:
        alone |= linear <= cascade.harmless.beyond
    if cascade is not None and cascade.scam is not None:
        alone |= linear >= cascade.scam.beyond
    return round(float(alone.mean()), 4)
