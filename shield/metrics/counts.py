"""The confusion matrix and its rates.

A rate over nothing is undefined, not zero: recall on a set without scams is `None`, and whoever
reads it has to say what that means for the decision at hand.
"""

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None


class Counts(NamedTuple):
    """How many messages of each kind got which verdict."""

    tp: int
    """Scams flagged."""
    fn: int
    """Scams let through."""
    fp: int
    """Harmless messages flagged."""
    tn: int
    """Harmless messages let through."""

    @property
    def n(self) -> int:
        """All messages."""
        return self.tp + self.fn + self.fp + self.tn

    @property
    def scams(self) -> int:
        """Messages of the positive class."""
        return self.tp + self.fn

    @property
    def hams(self) -> int:
        """Messages of the negative class."""
        return self.fp + self.tn

    @property
    def recall(self) -> float | None:
        """Share of scams flagged, in [0, 1]; None without scams."""
        return _rate(self.tp, self.scams)

    @property
    def precision(self) -> float | None:
        """Share of flagged messages that are scams; None when nothing is flagged."""
        return _rate(self.tp, self.tp + self.fp)

    @property
    def fpr(self) -> float | None:
        """Share of harmless messages flagged (false-positive rate); None without harmless ones."""
        return _rate(self.fp, self.hams)

    @property
    def accuracy(self) -> float | None:
        """Share of right verdicts; None for an empty set."""
        return _rate(self.tp + self.tn, self.n)

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None when there is no scam and none is claimed."""
        return _rate(2 * self.tp, 2 * self.tp + self.fp + self.fn)


def count(scam: NDArray[np.bool_], flagged: NDArray[np.bool_]) -> Counts:
    """Count verdicts against the truth.

    Args:
        scam: Shape (n,). True where the message is a scam.
        flagged: Shape (n,), same messages in the same order. True where the model said so.

    Raises:
        ValueError: The shapes differ.
    """
    if scam.shape != flagged.shape:
        raise ValueError(f"One verdict per message: {scam.shape} labels, {flagged.shape} verdicts.")
    return Counts(
        tp=int(np.sum(scam & flagged)),
        fn=int(np.sum(scam & ~flagged)),
        fp=int(np.sum(~scam & flagged)),
        tn=int(np.sum(~scam & ~flagged)),
    )


def chance_of_at_least(k: int, n: int, share: float) -> float:
    """Return P(X >= k) for X ~ Binomial(n, share), with 0 < share < 1."""
    return max(
        0.0, 1.0 - math.fsum(binomial(successes, n, share) for successes in range(min(k, n + 1)))
    )


def binomial(k: int, n: int, share: float) -> float:
    """Return P(X = k) for X ~ Binomial(n, share), with 0 < share < 1.

    By logarithms: of a million messages, the chance that none is flagged is too small a float.
    """
    return math.exp(
        math.lgamma(n + 1)
        - math.lgamma(k + 1)
        - math.lgamma(n - k + 1)
        + k * math.log(share)
        + (n - k) * math.log1p(-share)
    )


def normal_quantile(probability: float) -> float:
    """Return z with P(Z <= z) = `probability` for a standard normal Z."""
    return NormalDist().inv_cdf(probability)


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Args:
        successes: How often it happened, 0 to `trials`.
        trials: How often it could have happened. With 0 nothing is known: (0.0, 1.0).
        confidence: Two-sided, in (0, 1).

    Returns:
        Lower and upper bound in [0, 1]. Keeps its coverage near 0 and 1, where the usual
        mean +- z * error leaves the range: exactly where false-positive rates live.

    Raises:
        ValueError: More successes than trials, or a negative count.

    Source: Wilson (1927); advised for small samples by Brown, Cai and DasGupta,
    "Interval Estimation for a Binomial Proportion", Statistical Science 16(2), 2001.
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"{successes} of {trials} is no proportion.")
    if trials == 0:
        return 0.0, 1.0
    z = normal_quantile(0.5 + confidence / 2)
    share = successes / trials
    scale = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / scale
    reach = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / scale
    # The bounds touch 0 and 1 exactly there; rounding alone would leave 1e-17 behind.
    low = 0.0 if successes == 0 else max(0.0, centre - reach)
    high = 1.0 if successes == trials else min(1.0, centre + reach)
    return low, high
