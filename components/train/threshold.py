"""Where to put the threshold, and what it may cost: by the file that will serve."""

import numpy as np
import polars as pl

from shield.errors import Invalid
from shield.metrics import operating_threshold
from shield.packages import ModelPackage
from shield.predictor import Predictor

MOST_MOVED = 0.09
"""Longest step of the threshold, inside the gate's 0.1."""
AIMED = 0.06
"""Longest step that the calibration leaves to it: the 8-bit file may need a little more."""
FIRST_ALARMS = "first_false_alarms"
"""Where a manifest's recipe keeps what the first model of its line flags."""


def first_alarms(parent: ModelPackage, valid: pl.DataFrame, judged_on: str) -> float:
    """Return the share of these harmless messages that the first model of the line flags.

    It is handed down from package to package; on another validation set the champion counts as the
    first.
    """
    kept = parent.manifest.recipe.get(FIRST_ALARMS, {})
    if kept.get("valid") == judged_on:
        return float(kept["share"])
    scores = Predictor(parent, "int8", threads=2).probabilities(_ham(valid))
    return float(np.mean(scores >= parent.manifest.threshold))


def threshold_of(
    package: ModelPackage, valid: pl.DataFrame, parent: ModelPackage | None, budget: float
) -> tuple[float, float]:
    """Return (threshold, share flagged) on harmless messages that were not trained on.

    Args:
        package: The challenger, packed with any threshold.
        valid: Messages of both classes.
        parent: Its champion, whose threshold it must not leave far behind.
        budget: Largest share of the harmless ones that may be flagged.

    Raises:
        Invalid: No threshold keeps the budget.
    """
    ham = _ham(valid)
    scores = Predictor(package, "int8", threads=2).probabilities(ham)
    previous = None if parent is None else parent.manifest.threshold
    try:
        found = operating_threshold(scores, budget, previous, MOST_MOVED)
    except ValueError as error:
        raise Invalid(
            f"No threshold keeps the false-positive rate under {budget:.1%} on {len(ham)} harmless "
            f"messages ({error}). Add harmless messages to the corpus, or widen the budget."
        ) from error
    if previous is not None:
        # Beyond that the gate refuses anyway; within it the challenger gets its chance.
        found = min(found, previous + MOST_MOVED)
    found = float(np.clip(round(found, 6), 1e-6, 1 - 1e-6))
    return found, float(np.mean(scores >= found))


def _ham(table: pl.DataFrame) -> list[str]:
    return table.filter(pl.col("label") == 0)["text"].to_list()
