"""Two models on the same messages. What both get right or wrong says nothing; the rest does."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.metrics.counts import normal_quantile


class Interval(NamedTuple):
    """A difference and the range that it plausibly lies in."""

    estimate: float
    low: float
    high: float


def _lower_tail(most: int, trials: int) -> float:
    """P(X <= most) for X ~ Binomial(trials, 1/2), exact in integers until the last division."""
    tail, term = 0, 1
    for k in range(most + 1):
        tail += term
        term = term * (trials - k) // (k + 1)
    return tail / (1 << trials)


def sign_test(lost: int, won: int) -> float:
    """Chance of at least this many losses among the disagreements if both were equally good.

    Args:
        lost: Messages that only the first model got right.
        won: Messages that only the second model got right.

    Returns:
        One-sided exact probability in (0, 1]: small means that the second model is worse. 1.0 when
        they never disagree.
    """
    if lost < 0 or won < 0:
        raise ValueError(f"Counts cannot be negative: lost {lost}, won {won}.")
    # P(X >= lost) = P(X <= won), by symmetry.
    return _lower_tail(won, lost + won)


def mcnemar_p_value(
    champion_right: NDArray[np.bool_], challenger_right: NDArray[np.bool_]
) -> float:
    """Chance of a split this uneven if both models were equally good (exact, two-sided).

    Args:
        champion_right: Shape (n,). True where the champion's label was correct.
        challenger_right: Shape (n,), same messages in the same order.

    Returns:
        Probability in [0, 1]; 1.0 when the models never disagree. Below ~0.05 is evidence of a
        difference, not of its direction: read it next to the two recalls.

    Raises:
        ValueError: The shapes differ, so the answers are not paired.

    Source: McNemar (1947); advised for two classifiers on one test set by Dietterich,
    "Approximate Statistical Tests...", Neural Computation 10(7), 1998.
    """
    lost, won = disagreements(champion_right, challenger_right)
    return min(1.0, 2 * _lower_tail(min(lost, won), lost + won))


def disagreements(
    champion_right: NDArray[np.bool_], challenger_right: NDArray[np.bool_]
) -> tuple[int, int]:
    """Return (lost, won): right only by the champion, right only by the challenger.

    Raises:
        ValueError: The shapes differ, so the answers are not paired.
    """
    if champion_right.shape != challenger_right.shape:
        raise ValueError(
            f"Paired answers needed: {champion_right.shape} against {challenger_right.shape}."
        )
    return int(np.sum(champion_right & ~challenger_right)), int(
        np.sum(~champion_right & challenger_right)
    )


def paired_difference_interval(lost: int, won: int, n: int, confidence: float = 0.90) -> Interval:
    """Return how much accuracy fell, (lost - won) / n, with its interval.

    Args:
        lost: Messages that only the first model got right.
        won: Messages that only the second model got right.
        n: All messages, the agreements included; at least 1.
        confidence: Two-sided. At 0.90 each bound alone holds with 95 %, which is what a gate that
            looks at one side needs.

    Returns:
        Positive = a fall. Bounds in [-1, 1].

    Raises:
        ValueError: n is too small for the counts.

    Source: Tango, "Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design", Statistics in Medicine 17, 1998: the score interval. It keeps its
    coverage with the few and uneven disagreements of two good models, where the usual one is too
    narrow on just the side that a gate looks at; no disagreement at all is not read as certainty.
    """
    if n < 1 or lost < 0 or won < 0 or lost + won > n:
        raise ValueError(f"{lost} lost and {won} won do not fit into {n} messages.")
    z = normal_quantile(0.5 + confidence / 2)
    estimate = (lost - won) / n
    # By symmetry the lower bound is the upper one of the models swapped.
    return Interval(estimate, -_upper_bound(won, lost, n, z), _upper_bound(lost, won, n, z))


def _upper_bound(lost: int, won: int, n: int, z: float) -> float:
    """Return the largest fall that the counts do not contradict at `z` standard errors."""

    def contradiction(fall: float) -> float:
        # `won_share` is the most likely share of wins if the fall were exactly this large.
        b = (2 * n - lost + won) * fall - lost - won
        won_share = (math.sqrt(b * b + 8 * n * won * fall * (1 - fall)) - b) / (4 * n)
        variance = n * (2 * won_share + fall * (1 - fall))
        return (lost - won - n * fall) / math.sqrt(variance) if variance > 0 else 0.0

    low, high = (lost - won) / n, 1.0
    for _ in range(50):  # halves a range of at most 2: exact to the float
        middle = (low + high) / 2
        low, high = (middle, high) if contradiction(middle) > -z else (low, middle)
    return high


def paired_bootstrap(
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    groups: NDArray[np.int64] | None = None,
    resamples: int = 2000,
    confidence: float = 0.95,
) -> Interval:
    """Return the mean of challenger - champion with its bootstrap percentile interval.

    Args:
        champion: Shape (n,), a value per message: 1.0 for a right verdict, or a loss.
        challenger: Shape (n,), same messages in the same order.
        rng: Source of chance; the same state gives the same interval.
        groups: Shape (n,), the campaign of each message as a number. Near-identical messages are
            not independent: with groups, whole campaigns are drawn, and the interval is wider.
        resamples: How often to draw.
        confidence: Two-sided.

    Raises:
        ValueError: The shapes differ, or there is no message.
    """
    if champion.shape != challenger.shape or champion.size == 0:
        raise ValueError(
            f"Paired values needed, at least one: {champion.shape} against {challenger.shape}."
        )
    gain = challenger - champion
    if groups is None:
        totals: NDArray[np.float64] = gain
        sizes: NDArray[np.float64] = np.ones_like(gain)
    else:
        members = np.unique(groups, return_inverse=True)[1]
        totals = np.bincount(members, weights=gain).astype(np.float64)
        sizes = np.bincount(members).astype(np.float64)
    means = np.empty(resamples)
    # In slices, so that a large set costs time and not memory.
    slice_size = max(1, 4_000_000 // totals.size)
    for start in range(0, resamples, slice_size):
        rows = min(slice_size, resamples - start)
        drawn = rng.integers(0, totals.size, size=(rows, totals.size))
        means[start : start + rows] = totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(gain.mean()), float(low), float(high))
