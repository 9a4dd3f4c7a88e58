"""Compare a batch with earlier training data: class shares, new campaigns, message lengths."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shield.run_files import BatchShift

SHIFTED = 0.25
"""Population stability index from which a distribution is called another one (Siddiqi, "Credit Risk
Scorecards", 2006: below 0.1 none, above 0.25 a major shift)."""
ONE_SIDED = 0.95
"""From this share of one class on, a warning says that the batch teaches little of the other."""
LEAST = 20
"""Fewest corrections in a batch for a warning about it."""
_BINS = 10


def compared(batch: pl.DataFrame, before: pl.DataFrame) -> BatchShift:
    """Return figures and warnings about a batch, compared with what was learned before it.

    Args:
        batch: Corrections of this run, with `text`, `label` and `campaign`.
        before: Corrections of earlier batches, or the base corpus where there are none.
    """
    if batch.is_empty() or before.is_empty():
        return BatchShift(messages=batch.height)
    scams, earlier = float(batch["label"].mean()), float(before["label"].mean())  # type: ignore[arg-type]
    known = batch["campaign"].unique().is_in(before["campaign"].unique().implode())
    shift = stability(_lengths(before), _lengths(batch))
    warnings = []
    if batch.height >= LEAST:
        if max(scams, 1 - scams) >= ONE_SIDED:
            kind = "scams" if scams > 0.5 else "harmless"
            warnings.append(
                f"{max(scams, 1 - scams):.0%} of this batch's corrections are {kind}: the other "
                "class is learned from replay alone."
            )
        if shift > SHIFTED:
            warnings.append(
                f"Messages of this batch are of other lengths than before (stability index "
                f"{shift:.2f}): a new channel, or a flood?"
            )
    return BatchShift(
        messages=batch.height,
        scams=round(scams, 4),
        scams_before=round(earlier, 4),
        new_campaigns=round(1 - float(known.mean()), 4),  # type: ignore[arg-type]
        length_shift=round(shift, 4),
        warnings=warnings,
    )


def _lengths(table: pl.DataFrame) -> NDArray[np.float64]:
    return np.asarray(table["text"].str.len_chars().to_numpy(), dtype=np.float64)


def stability(before: NDArray[np.float64], now: NDArray[np.float64]) -> float:
    """Return the population stability index of two samples, by tenths of the first; 0 is the same.

    Each bin gets half an observation, so that an empty one is no infinity.
    """
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _BINS + 1))[1:-1])
    counts = [
        np.bincount(np.searchsorted(edges, part, side="right"), minlength=len(edges) + 1) + 0.5
        for part in (before, now)
    ]
    expected, actual = (each / each.sum() for each in counts)
    return float(np.sum((actual - expected) * np.log(actual / expected)))
