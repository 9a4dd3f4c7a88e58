"""Scores instead of verdicts: ROC, calibration, and where to put the threshold.

A message is flagged when its score is *at least* the threshold.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.metrics.counts import binomial

Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


class RocPoint(NamedTuple):
    """What one threshold would do."""

    fpr: float
    tpr: float
    threshold: float


class ReliabilityBin(NamedTuple):
    """Messages of similar score: what the model claimed, and what was true."""

    claimed: float
    """Mean score."""
    observed: float
    """Share of scams."""
    n: int


def _both_classes(scam: Labels, scores: Scores) -> None:
    if scam.shape != scores.shape:
        raise ValueError(f"One score per message: {scam.shape} labels, {scores.shape} scores.")
    if scam.all() or not scam.any():
        raise ValueError(
            f"A curve needs scams and harmless messages; of {scam.size} messages "
            f"{int(scam.sum())} are scams."
        )


def roc_points(scam: Labels, scores: Scores, most: int | None = None) -> list[RocPoint]:
    """Return the ROC curve from (0, 0) to (1, 1), by falling threshold.

    Args:
        scam: Shape (n,). True where the message is a scam. Both classes must occur.
        scores: Shape (n,). Probability of the scam class.
        most: Thin the curve to about this many points; its ends stay.

    Raises:
        ValueError: Only one class, or different shapes.
    """
    _both_classes(scam, scores)
    order = np.argsort(-scores, kind="stable")
    ranked, truth = scores[order], scam[order]
    # Messages of equal score are flagged together: only the last of each run is a point.
    last = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)
    caught = np.cumsum(truth)[last]
    tpr = np.concatenate([[0.0], caught / truth.sum()])
    fpr = np.concatenate([[0.0], (last + 1 - caught) / (~truth).sum()])
    thresholds = np.concatenate([[np.nextafter(ranked[0], np.inf)], ranked[last]])
    keep = np.arange(tpr.size)
    if most is not None and tpr.size > most:
        keep = np.unique(np.linspace(0, tpr.size - 1, most).round().astype(int))
    return [RocPoint(float(fpr[i]), float(tpr[i]), float(thresholds[i])) for i in keep]


def area_under_roc(scam: Labels, scores: Scores) -> float:
    """Return the chance that a scam scores above a harmless message (ties count half)."""
    points = roc_points(scam, scores)
    x = np.array([point.fpr for point in points])
    y = np.array([point.tpr for point in points])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2))


def _must_pass(ham_scores: Scores, budget: float) -> float:
    """Return the highest score that a threshold within the budget has to let through."""
    return float(np.sort(ham_scores)[::-1][int(np.floor(budget * ham_scores.size))])


def threshold_for_fpr(ham_scores: Scores, budget: float) -> float:
    """Return the threshold that flags most while flagging at most `budget` of these hams.

    Args:
        ham_scores: Shape (n,). Scores of harmless messages that the model was not trained on.
            Below 1 / `budget` messages the answer is the highest score: no false positive at all.
        budget: Largest share that may be flagged, in [0, 1): 0.01 = 1 %.

    Returns:
        Halfway between the last score that must pass and the first that may be flagged, so that the
        verdict of no seen message hangs on a rounding error. In (0, 1].

    Raises:
        ValueError: No messages, or so many of them at score 1.0 that no threshold keeps the budget.
    """
    if ham_scores.size == 0:
        raise ValueError("A false-positive budget needs harmless messages, and there are none.")
    must_pass = _must_pass(ham_scores, budget)
    if must_pass >= 1.0:
        raise ValueError(
            f"More than {budget:.2%} of {ham_scores.size} harmless messages have score 1.0: no "
            "threshold keeps the budget. The model is unusable, or the labels are wrong."
        )
    above = ham_scores[ham_scores > must_pass]
    next_score = min(1.0, float(above.min())) if above.size else 1.0
    # No float may be left in between: then the upper one, which still lets `must_pass` through.
    middle = (must_pass + next_score) / 2
    return middle if middle > must_pass else next_score


CONFIDENCE = 0.9
"""How sure it must be that harmless messages are flagged within the budget. Surer costs recall:
with 1,000 messages and a budget of 1 %, 0.9 lets 0.6 % of them be flagged, 0.95 lets 0.5 %."""


def most_flagged(n: int, budget: float, confidence: float = CONFIDENCE) -> int:
    """Return how many of `n` harmless messages may be flagged for the budget to be kept, surely.

    The largest count whose upper confidence bound (Clopper and Pearson, 1934) is within the budget;
    0 when there are too few messages to show it even without a single one flagged.

    Args:
        n: Harmless messages that were not trained on.
        budget: Share of all harmless messages that may be flagged, in (0, 1).
        confidence: One-sided.
    """
    # The bound is within the budget where so few would be flagged by chance in fewer than 1 -
    # confidence of cases if the true share were the whole budget.
    cumulated = 0.0
    for k in range(n):
        cumulated += binomial(k, n, budget)
        if cumulated > 1 - confidence:
            return max(0, k - 1)
    return max(0, n - 1)


def enough_hams(budget: float, confidence: float = CONFIDENCE) -> int:
    """Return the fewest harmless messages on which it can be shown that a budget is kept."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - budget))


def operating_point(ham_margins: Scores, budget: float, confidence: float = CONFIDENCE) -> float:
    """Return the margin from which a message is flagged: as low as the budget surely allows.

    Every version is put there by this one rule, so that versions can be compared.

    Args:
        ham_margins: Shape (n,). Margins of harmless messages that the model was not trained on.
        budget: Share of harmless messages that may be flagged, in (0, 1).
        confidence: See `most_flagged`.

    Returns:
        Halfway between the last margin that must pass and the first that may be flagged.

    Raises:
        ValueError: No messages, or a budget outside (0, 1).
    """
    if ham_margins.size == 0:
        raise ValueError("A false-alarm budget needs harmless messages, and there are none.")
    if not 0 < budget < 1:
        raise ValueError(f"A false-alarm budget is a share between 0 and 1, not {budget}.")
    ranked = np.sort(ham_margins)[::-1]
    must_pass = float(ranked[min(most_flagged(ranked.size, budget, confidence), ranked.size - 1)])
    above = ranked[ranked > must_pass]
    # With nothing above it: a hair higher, so that no verdict hangs on how a processor rounds.
    beyond = float(above.min()) if above.size else must_pass + 0.1 * float(ranked.std())
    middle = (must_pass + beyond) / 2
    # Where all are alike: so far that it is seen in a manifest, which keeps nine decimals.
    return middle if middle > must_pass else must_pass + 1e-6 * max(1.0, abs(must_pass))


def recall_at_fpr(scam: Labels, scores: Scores, budget: float) -> float:
    """Return the share of scams that score above all but `budget` of the same set's hams."""
    _both_classes(scam, scores)
    return float(np.mean(scores[scam] > _must_pass(scores[~scam], budget)))


def reliability_bins(scam: Labels, scores: Scores, bins: int = 10) -> list[ReliabilityBin]:
    """Return claim against truth in `bins` equal ranges of the score, empty ones left out."""
    if scam.shape != scores.shape:
        raise ValueError(f"One score per message: {scam.shape} labels, {scores.shape} scores.")
    place = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        ReliabilityBin(float(scores[here].mean()), float(scam[here].mean()), int(here.sum()))
        for here in (place == k for k in range(bins))
        if here.any()
    ]


def expected_calibration_error(scam: Labels, scores: Scores, bins: int = 10) -> float:
    """Return the mean gap between claim and truth over messages, in [0, 1]; 0 is calibrated.

    Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    if scam.size == 0:
        raise ValueError("Calibration needs messages, and there are none.")
    gaps = [b.n * abs(b.claimed - b.observed) for b in reliability_bins(scam, scores, bins)]
    return sum(gaps) / scam.size


def brier_score(scam: Labels, scores: Scores) -> float:
    """Return the mean squared error of the probabilities, in [0, 1]; 0 is perfect."""
    if scam.shape != scores.shape or scam.size == 0:
        raise ValueError(f"One score per message, at least one: {scam.shape} and {scores.shape}.")
    return float(np.mean((scores - scam) ** 2))
