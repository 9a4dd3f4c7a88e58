"""Log odds and probabilities, each from the other."""

import math

import numpy as np
from numpy.typing import NDArray


def probability_of(margins: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logistic function of log odds, elementwise."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * margins)), dtype=np.float64)


def logit(probability: float, off: float = 1e-12) -> float:
    """Return the log odds of a probability, which is clipped to [off, 1 - off]."""
    kept = min(max(probability, off), 1 - off)
    return math.log(kept / (1 - kept))
