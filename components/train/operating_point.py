"""Put a package at its operating point, by the file that will serve.

Both halves speak in log odds of their own making. How much each counts is read off the same frozen
messages, both classes of them: an encoder that was taught to the end says everything in a loud
voice, and would drown the linear half that tells more of some messages. The margin is then measured
from the point that keeps the false-alarm budget, and scaled so that its logistic function is the
chance of a scam, seen from there.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from components.train.cascade import bounds, share_alone
from shield.errors import Invalid
from shield.metrics import band, operating_point
from shield.packages import Band, Cascade, Margin, ModelPackage
from shield.predictor import Predictor

FEW = 20
"""A source with fewer messages of a class counts in proportion."""
LEAST = 0.1
"""A half counts at least this much of what the other does, each over its spread: a few frozen
messages are no reason to give one up."""
MOST_SCALE = 100.0
"""A larger factor would only sharpen what is already certain."""


@dataclass(frozen=True)
class Settled:
    """Where a package was put."""

    margin: Margin
    band: Band
    """Beyond it, verdicts are sure."""
    cascade: Cascade | None
    """Which messages the linear half answers alone."""
    alone: float
    """Share of the frozen messages that it answers alone."""
    flagged: int
    """Harmless messages of those it was put there by that it flags."""
    hams: int


def settle(package: ModelPackage, frozen: pl.DataFrame, budget: float) -> Settled:
    """Return the margin of a package at its operating point.

    Args:
        package: Packed with any margin; a linear half counts when its margin gives it weight.
        frozen: Messages of both classes that were neither trained on nor will be judged on.
        budget: Share of harmless messages that may be flagged, in (0, 1).

    Raises:
        Invalid: A class is missing.
    """
    encoder, linear = Predictor(package, "int8", threads=2).halves(frozen["text"].to_list())
    present = package.manifest.settled_margin()
    return placed(
        encoder if present.encoder > 0 else None,
        linear if present.linear > 0 else None,
        frozen,
        budget,
    )


def placed(
    encoder: NDArray[np.float64] | None,
    linear: NDArray[np.float64] | None,
    frozen: pl.DataFrame,
    budget: float,
) -> Settled:
    """Return the margin of whatever gave the frozen messages these log odds; see `settle`.

    Args:
        encoder: Shape (n,); None: there is no encoder.
        linear: Shape (n,); None: there is no linear half.
        frozen: The n messages.
        budget: Share of harmless messages that may be flagged, in (0, 1).

    Raises:
        Invalid: A class is missing.
    """
    scam = frozen["label"].to_numpy() == 1
    if scam.all() or not scam.any():
        raise Invalid(
            f"Of the {scam.size} messages that the operating point is set on {int(scam.sum())} are "
            "scams; both classes are needed. Add labelled messages: `shieldctl corpus add`."
        )
    counts = fair_weights(frozen["source"].to_numpy(), scam)
    encodes, reads = encoder is not None, linear is not None
    encoder = np.zeros(scam.size) if encoder is None else encoder
    linear = np.zeros(scam.size) if linear is None else linear
    if encodes and reads:
        weights = weights_of(encoder, linear, scam, counts)
    else:
        alone = spread(encoder + linear, scam)
        weights = encodes / alone, reads / alone
    margins = weights[0] * encoder + weights[1] * linear
    point = operating_point(margins[~scam], budget)
    scale = scale_of(margins - point, scam)
    # Rounded first, so that what is counted is what the manifest says.
    margin = Margin(
        encoder=round(scale * weights[0], 9),
        linear=round(scale * weights[1], 9),
        bias=round(-scale * point, 9),
    )
    cascade = bounds(margin, encoder, linear, scam, counts) if encodes and reads else None
    settled = margin.encoder * encoder + margin.linear * linear + margin.bias
    widths = band(settled, scam, counts)
    return Settled(
        margin,
        Band(harmless=round(widths.harmless, 6), scam=round(widths.scam, 6)),
        cascade,
        share_alone(cascade, linear),
        int(np.sum(settled[~scam] >= 0)),
        int(np.sum(~scam)),
    )


def weights_of(
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    scam: NDArray[np.bool_],
    counts: NDArray[np.float64],
) -> tuple[float, float]:
    """Return what each half is multiplied with: logistic regression on what both say.

    Args:
        encoder: Log odds by the encoder, shape (n,).
        linear: The same by the linear half.
        scam: Shape (n,); both classes must occur.
        counts: How much each message counts, shape (n,).
    """
    spreads = np.array([spread(encoder, scam), spread(linear, scam)])
    regression = LogisticRegression(random_state=0)
    regression.fit(
        np.column_stack([encoder, linear]) / spreads,
        scam,
        sample_weight=counts / counts.sum() * scam.size,
    )
    shares = regression.coef_[0]
    shares = np.maximum(shares, LEAST * shares.max()) if shares.max() > 0 else np.ones(2)
    first, second = shares / spreads
    return float(first), float(second)


def fair_weights(sources: NDArray[np.object_], scam: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much each message counts for band and weights: in a class, every source as much.

    A collection of everyday chat has a hundred messages for each of the book's honest ones that
    look alarming, and those are what people ask about. A source of few messages counts less.

    Args:
        sources: Where each message comes from, shape (n,).
        scam: Shape (n,).
    """
    weights = np.ones(scam.size)
    for flagged in (True, False):
        for source in set(sources):
            mask = (scam == flagged) & (sources == source)
            if mask.any():
                weights[mask] = min(1.0, mask.sum() / FEW) / mask.sum()
    return weights


def spread(values: NDArray[np.float64], scam: NDArray[np.bool_]) -> float:
    """Return the standard deviation within the classes, or 1 of values that are all the same."""
    deviation = float(np.sqrt(np.mean([values[scam].var(), values[~scam].var()])))
    return deviation if deviation > 1e-9 else 1.0


def scale_of(margins: NDArray[np.float64], scam: NDArray[np.bool_]) -> float:
    """Return the factor under which margins are log odds, seen from the operating point.

    Source: Platt, "Probabilistic Outputs for Support Vector Machines" (1999), with his smoothed
    targets and without his shift: at the operating point the odds are even, by definition.

    Args:
        margins: Measured from the operating point, shape (n,).
        scam: Shape (n,); both classes must occur.
    """
    positives, negatives = int(scam.sum()), int((~scam).sum())
    target = np.where(scam, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(logarithm: float) -> float:
        odds = np.exp(logarithm) * margins
        return float(np.mean(np.logaddexp(0, odds) - target * odds))

    most = float(np.log(MOST_SCALE))
    minimum = minimize_scalar(loss, bounds=(-most, most), method="bounded")
    return float(np.exp(minimum.x))
