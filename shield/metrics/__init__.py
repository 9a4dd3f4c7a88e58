"""How well a model does, and whether the difference between two models is more than luck.

Scam is the positive class everywhere. Verdicts are booleans ("flagged"), scores are probabilities
of the scam class. Everything here is pure: numpy only, and chance comes in as a generator.

- `counts`: the confusion matrix, its rates, and the interval around a rate.
- `paired`: two models on the same messages: McNemar, the interval of a difference, bootstrap.
- `curves`: ROC, calibration, and the operating point that keeps within a false-alarm budget.
- `certainty`: how far from the operating point a verdict is sure.
- `scores`: how scores are distributed.
"""

from shield.metrics.certainty import Widths, band
from shield.metrics.counts import Counts, chance_of_at_least, count, wilson_interval
from shield.metrics.curves import (
    ReliabilityBin,
    RocPoint,
    area_under_roc,
    brier_score,
    enough_hams,
    expected_calibration_error,
    most_flagged,
    operating_point,
    recall_at_fpr,
    reliability_bins,
    roc_points,
    threshold_for_fpr,
)
from shield.metrics.paired import (
    Interval,
    disagreements,
    mcnemar_p_value,
    paired_bootstrap,
    paired_difference_interval,
    sign_test,
)
from shield.metrics.scores import SCORE_EDGES, score_bins

__all__ = [
    "SCORE_EDGES",
    "Counts",
    "Interval",
    "ReliabilityBin",
    "RocPoint",
    "Widths",
    "area_under_roc",
    "band",
    "brier_score",
    "chance_of_at_least",
    "count",
    "disagreements",
    "enough_hams",
    "expected_calibration_error",
    "mcnemar_p_value",
    "most_flagged",
    "operating_point",
    "paired_bootstrap",
    "paired_difference_interval",
    "recall_at_fpr",
    "reliability_bins",
    "roc_points",
    "score_bins",
    "sign_test",
    "threshold_for_fpr",
    "wilson_interval",
]
