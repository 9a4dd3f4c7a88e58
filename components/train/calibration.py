"""Make the model's probabilities mean what they say, by scaling its last layer.

Class-balanced training leaves margins that are too wide and centred for a world with as many scams
as harmless messages. Two numbers, fitted on messages that were not trained on, put that right: a
scale and a shift of the margin, folded into the classifier's own weights, so that serving needs to
know nothing of it.

Source: Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with his smoothed
targets.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit

MOST_SCALE = 100.0
"""A larger factor would only sharpen what is already certain, and saturate the 8-bit model."""


class Calibration(NamedTuple):
    """`calibrated = scale * margin + shift`."""

    scale: float
    shift: float


def fit_calibration(margins: NDArray[np.float64], scam: NDArray[np.bool_]) -> Calibration:
    """Return the scale and shift under which the margins are log odds.

    Args:
        margins: Scam logit minus ham logit, shape (n,), of messages that were not trained on.
        scam: Shape (n,); both classes must occur.
    """
    positives, negatives = int(scam.sum()), int((~scam).sum())
    target = np.where(scam, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(parameters: NDArray[np.float64]) -> float:
        odds = np.exp(parameters[0]) * margins + parameters[1]
        return float(np.mean(np.logaddexp(0, odds) - target * odds))

    # The scale as its logarithm: a calibration never turns a model's order around.
    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"maxiter": 2000})
    scale = float(np.clip(np.exp(found.x[0]), 1 / MOST_SCALE, MOST_SCALE))
    return Calibration(scale, float(found.x[1]))


def held_back(
    calibration: Calibration,
    ham_margins: NDArray[np.float64],
    budget: float,
    highest: float,
) -> Calibration:
    """Shift a calibration down until a threshold of `highest` keeps the false-positive budget.

    A champion's threshold may move by a step only, or a score would mean another thing every week.
    After a batch of one class the tail of harmless messages scores higher than it should, and the
    threshold that keeps the budget lies beyond that step: then the scores give way instead.

    Args:
        calibration: As fitted.
        ham_margins: Margins of harmless messages that were not trained on, shape (n,).
        budget: Largest share of them that may be flagged.
        highest: Highest threshold that may be chosen, a probability.

    Returns:
        The calibration as it was, where the budget is kept anyway.
    """
    odds = calibration.scale * ham_margins + calibration.shift
    # Half-way between two scores, as the threshold is; in log odds, where nothing saturates.
    ranked = np.sort(odds)[::-1]
    place = int(np.floor(budget * ranked.size))
    needed = float(ranked[max(0, place - 1) : place + 1].mean())
    excess = needed - float(logit(highest))
    return calibration._replace(shift=calibration.shift - excess) if excess > 0 else calibration


def apply_calibration(model: Any, calibration: Calibration) -> None:
    """Fold the calibration into the last linear layer of a classifier with two labels."""
    layer = last_linear(model)
    with torch.no_grad():
        layer.weight.mul_(calibration.scale)
        layer.bias.mul_(calibration.scale)
        layer.bias[0].sub_(calibration.shift / 2)
        layer.bias[1].add_(calibration.shift / 2)


def last_linear(model: Any) -> torch.nn.Linear:
    """Return the layer that makes the two logits."""
    linear = [
        module
        for module in model.modules()
        if isinstance(module, torch.nn.Linear) and module.out_features == 2
    ]
    return linear[-1]
