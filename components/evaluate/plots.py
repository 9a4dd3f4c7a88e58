"""Plots as inline SVG: self-contained, and the same bytes for the same numbers."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from shield.metrics import reliability_bins, roc_points

CHALLENGER, CHAMPION, BASELINE = "#0b6e4f", "#c44900", "#6c757d"
Scores = NDArray[np.float64]
Labels = NDArray[np.bool_]


@contextmanager
def _drawing(width: float = 5.2, height: float = 3.6) -> Iterator[tuple[Figure, Any, list[str]]]:
    # Text stays text: small files that can be searched. The salt makes the ids repeat themselves.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "shield", "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
        axes.set_axisbelow(True)
        drawn: list[str] = []
        yield figure, axes, drawn
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = buffer.getvalue()
        drawn.append(svg[svg.index("<svg") :])


def _legend_above(axes: Any) -> None:
    """Put the legend above the plot: inside, some model's curve or bar would lie under it."""
    names = axes.get_legend_handles_labels()[1]
    axes.legend(
        frameon=False,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3 if len(names) == 3 else 2,
        borderpad=0.2,
    )


def roc(scam: Labels, models: list[tuple[str, str, Scores]], budget: float) -> str:
    """Draw the ROC curves with a logarithmic x axis: below the budget is where the decision falls.

    Args:
        scam: Shape (n,), both classes.
        models: Name, colour and scores of shape (n,) of each model.
        budget: False-positive rate to mark.
    """
    with _drawing() as (_, axes, drawn):
        least = 0.5 / max(1, int(np.sum(~scam)))
        for name, colour, scores in models:
            points = roc_points(scam, scores, most=300)
            axes.step(
                [max(p.fpr, least) for p in points],
                [p.tpr for p in points],
                where="post",
                color=colour,
                label=name,
            )
        axes.axvline(budget, color="black", lw=0.8, ls=":", label=f"budget {budget:.1%}")
        axes.set(xscale="log", xlabel="false-positive rate", ylabel="recall", ylim=(0, 1.01))
        axes.xaxis.set_major_formatter(lambda rate, _: f"{100 * rate:g} %")
        _legend_above(axes)
    return drawn[0]


def histogram(scam: Labels, scores: Scores, point: float) -> str:
    """Draw how the scores of both classes lie around the operating point."""
    with _drawing() as (_, axes, drawn):
        bins = np.linspace(0, 1, 41)
        axes.hist(scores[~scam], bins, color="#4c78a8", alpha=0.7, label="harmless")
        axes.hist(scores[scam], bins, color="#e45756", alpha=0.7, label="scam")
        axes.axvline(point, color="black", lw=1, label="operating point")
        axes.set(yscale="symlog", xlabel="probability of the scam class", ylabel="messages")
        axes.yaxis.set_major_formatter(lambda number, _: f"{number:g}")
        _legend_above(axes)
    return drawn[0]


def reliability(scam: Labels, models: list[tuple[str, str, Scores]]) -> str:
    """Draw what was claimed against what was true; the dot's size is the number of messages."""
    with _drawing() as (_, axes, drawn):
        axes.plot([0, 1], [0, 1], color="black", lw=0.8, ls=":")
        for name, colour, scores in models:
            bins = reliability_bins(scam, scores)
            sizes = [10 + 90 * b.n / scam.size for b in bins]
            axes.plot([b.claimed for b in bins], [b.observed for b in bins], color=colour, lw=1)
            axes.scatter(
                [b.claimed for b in bins], [b.observed for b in bins], sizes, colour, label=name
            )
        axes.set(xlabel="claimed probability", ylabel="share of scams", ylim=(-0.02, 1.02))
        _legend_above(axes)
    return drawn[0]


def bars(names: list[str], models: list[tuple[str, str, list[float | None]]], label: str) -> str:
    """Draw a group of bars per name; a value of None is left out.

    Args:
        names: One per group.
        models: Name, colour and one value per group of each model.
        label: Of the value axis.
    """
    with _drawing(5.2, 0.9 + 0.34 * len(names)) as (_, axes, drawn):
        thick = 0.8 / max(1, len(models))
        for place, (name, colour, values) in enumerate(models):
            at = [row + (place - (len(models) - 1) / 2) * thick for row in range(len(names))]
            shown = [(y, value) for y, value in zip(at, values, strict=True) if value is not None]
            axes.barh([y for y, _ in shown], [v for _, v in shown], thick, color=colour, label=name)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set(xlabel=label, xlim=(0, 1))
        _legend_above(axes)
    return drawn[0]
