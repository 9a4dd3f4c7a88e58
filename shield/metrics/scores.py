"""How a model's scores are distributed, in bins that are finer where scores gather."""

from collections.abc import Iterable

import numpy as np

SCORE_EDGES = (0.01, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 0.99)
"""Ten bins: below the first, between two, from the last on."""


def score_bins(scores: Iterable[float]) -> list[int]:
    """Return how many scores (probabilities, 0 to 1) fall into each bin."""
    places = np.searchsorted(SCORE_EDGES, np.fromiter(scores, np.float64), side="right")
    return [int(n) for n in np.bincount(places, minlength=len(SCORE_EDGES) + 1)]
