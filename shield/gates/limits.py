"""The numbers of the gates, each with its unit and its reason."""

from typing import Annotated

from pydantic import Field

from shield.crds.v1alpha1 import Wire

Share = Annotated[float, Field(ge=0, le=1)]


class GateLimits(Wire):
    """Limits of all gates. Shares are absolute: 0.005 is half a point."""

    min_feedback: Annotated[int, Field(ge=0)] = 50
    """Fewest approved corrections that justify a release. Fewer teach noise."""

    accuracy_drop: Share = 0.005
    """Largest measured fall in golden accuracy."""

    accuracy_harm: Share = 0.01
    """Fall that must be ruled out with `confidence`. Wider than `accuracy_drop`: the measured value
    is allowed its half point, but a golden set too small to exclude a whole one may not promote."""

    fpr_rise: Share = 0.005
    """Largest measured rise of the false-positive rate on the golden set."""

    fpr_harm: Share = 0.01
    """Rise that must be ruled out with `confidence`."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """One-sided confidence of everything that must be ruled out."""

    slice_drop: Share = 0.05
    """A slice collapses when its recall falls (or its false alarms rise) by more than this ..."""

    slice_significance: Share = 0.01
    """... and chance alone would do so in fewer than this share of cases. Stricter than
    `confidence`, because a dozen slices are asked at once; where more are, they share it."""

    phrase_drop: Share = 0.05
    """A phrase opens a door when recall on known scams that carry it falls by more than this, and
    chance alone would do so in fewer than `slice_significance` of cases."""

    slice_size: Annotated[int, Field(ge=1)] = 20
    """Slices with fewer messages of a class are shown in the report, and decide nothing."""

    frozen_ham_factor: Annotated[float, Field(ge=1)] = 2.0
    """The share of frozen ham flagged may grow by less than this factor."""

    frozen_ham_floor: Share = 0.002
    """Below this share nobody is bothered: from 0 to 1 in a thousand is a doubling, and no news."""

    int8_flips: Share = 0.005
    """Largest share of verdicts that may change between fp32 and the served int8 file."""

    threshold_moved: Share = 0.1
    """Farthest that the threshold may move in one release."""

    best_ever_drop: Share = 0.005
    """How far golden accuracy may lie below the best ever on that set (and the false-positive
    rate above that version's): many small, allowed falls must not add up."""

    first_recall: Share = 0.5
    """A first model has no champion to beat; it must find this share of golden scams ..."""

    first_fpr: Share = 0.03
    """... at no more than this false-positive rate."""
