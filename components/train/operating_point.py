"""Put a package at its operating point, by the file that will serve.

Both halves speak in log odds of their own making. Each is divided by its spread on harmless
messages, so that neither drowns the other, and they are averaged. The margin is then measured from
the point that keeps the false-alarm budget, and scaled so that its logistic function is the chance
of a scam, seen from there.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from shield.errors import Invalid
from shield.metrics import band, operating_point
from shield.packages import Band, Margin, ModelPackage
from shield.predictor import Predictor

FEW = 20
"""A source with fewer messages of a class counts in proportion."""
MOST_SCALE = 100.0
"""A larger factor would only sharpen what is already certain."""


@dataclass(frozen=True)
class Settled:
    """Where a package was put."""

    margin: Margin
    band: Band
    """Beyond it, verdicts are sure."""
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
    encodes, reads = encoder is not None, linear is not None
    encoder = np.zeros(scam.size) if encoder is None else encoder
    linear = np.zeros(scam.size) if linear is None else linear
    weights = weights_of(encoder[~scam], linear[~scam], with_encoder=encodes, with_linear=reads)
    margins = weights[0] * encoder + weights[1] * linear
    point = operating_point(margins[~scam], budget)
    scale = scale_of(margins - point, scam)
    # Rounded first, so that what is counted is what the manifest says.
    margin = Margin(
        encoder=round(scale * weights[0], 9),
        linear=round(scale * weights[1], 9),
        bias=round(-scale * point, 9),
    )
    settled = margin.encoder * encoder + margin.linear * linear + margin.bias
    widths = band(settled, scam, fair_weights(frozen["source"].to_numpy(), scam))
    return Settled(
        margin,
        Band(harmless=round(widths.harmless, 6), scam=round(widths.scam, 6)),
        int(np.sum(settled[~scam] >= 0)),
        int(np.sum(~scam)),
    )


def weights_of(
    encoder: NDArray[np.float64],
    linear: NDArray[np.float64],
    *,
    with_linear: bool,
    with_encoder: bool = True,
) -> tuple[float, float]:
    """Return what each half is multiplied with: the average of both, each over its spread.

    Args:
        encoder: Log odds of harmless messages, shape (n,).
        linear: The same of the linear half.
        with_linear: False: there is none.
        with_encoder: False: there is no encoder.
    """
    share = 0.5 if with_linear and with_encoder else 1.0
    return (
        share / spread(encoder) if with_encoder else 0.0,
        share / spread(linear) if with_linear else 0.0,
    )


def fair_weights(sources: NDArray[np.object_], scam: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return how much each message counts for the band: in a class, every source as much.

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


def spread(values: NDArray[np.float64]) -> float:
    """Return the standard deviation, or 1 of values that are all the same."""
    deviation = float(values.std())
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
