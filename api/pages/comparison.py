"""Prepare the drawings of a comparison of two versions. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shield.metrics import SCORE_EDGES
from shield.wire.comparison import CurvePoint, VersionComparison

LEAST_FPR = 1e-4
"""Left end of the logarithmic axis of the ROC curve; relevant rates are below one percent."""


@dataclass(frozen=True)
class Bin:
    """Number of golden messages with a score in a range, per version."""

    label: str
    old: int
    new: int


@dataclass(frozen=True)
class Drawn:
    """Shapes and numbers to draw."""

    reach: float
    """End of the axis of changes, on both sides of zero."""
    curves: dict[str, str]
    """Points of an SVG polyline in a square of 100, for `old` and `new`."""
    bins: dict[str, list[Bin]]
    """Messages by score, for `scam` and `harmless`."""


def drawn(compared: VersionComparison) -> Drawn:
    """Return the drawings of a comparison."""
    figures = [figure for part in compared.sets for figure in part.figures]
    ends = [abs(end) for figure in figures for end in (figure.low, figure.high)]
    return Drawn(
        reach=max([0.01, *ends]),
        curves={name: _polyline(points) for name, points in compared.curves.items()},
        bins={
            title: _bins(compared, name)
            for title, name in (("scam", "scam"), ("harmless", "ham"))
            if compared.scores
        },
    )


def _polyline(points: Sequence[CurvePoint]) -> str:
    corners: list[str] = []
    height = 100.0
    for point in points:
        place = _place(point.fpr)
        corners.append(f"{place:.2f},{height:.2f}")  # a step: recall rises at its own rate
        height = 100 * (1 - point.recall)
        corners.append(f"{place:.2f},{height:.2f}")
    return " ".join(corners)


def _place(fpr: float) -> float:
    return 100 * (1 - math.log10(max(fpr, LEAST_FPR)) / math.log10(LEAST_FPR))


def _bins(compared: VersionComparison, name: str) -> list[Bin]:
    edges = (0.0, *SCORE_EDGES, 1.0)
    ranges = [f"{low:.0%} to {high:.0%}" for low, high in pairwise(edges)]
    old, new = compared.scores["old"][name], compared.scores["new"][name]
    return [Bin(*each) for each in zip(ranges, old, new, strict=True)]
