"""The numbers of the gates, each with its unit and its reason."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from shield.crds.base import Wire

Share = Annotated[float, Field(ge=0, le=1)]


REMOVED = frozenset(
    ("fprRise", "fprHarm", "frozenHamFactor", "frozenHamFloor", "thresholdMoved", "firstFpr")
) | {"bestEverDrop"}
"""Limits of gates that one operating point has made needless (docs/adr/0021, 0022)."""


class GateLimits(Wire):
    """Limits of all gates. Shares are absolute: 0.005 is half a point."""

    min_feedback: Annotated[int, Field(ge=0)] = 50
    """Fewest approved corrections that justify a release. Fewer teach noise."""

    accuracy_drop: Share = 0.005
    """Largest measured fall in golden accuracy."""

    accuracy_harm: Share = 0.01
    """Fall that must be ruled out with `confidence`. Wider than `accuracy_drop`: the measured value
    is allowed its half point, but a golden set too small to exclude a whole one may not promote."""

    recall_drop: Share = 0.02
    """Largest measured fall in golden recall at the budget ..."""

    recall_harm: Share = 0.05
    """... and the fall that must be ruled out with `confidence`. A golden set has far fewer scams
    than harmless messages, so this is wider than `accuracy_harm`."""

    luck_most: Share = 0.005
    """Most of a fall in golden accuracy that is put down to the champion's luck on that set."""

    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """One-sided confidence of everything that must be ruled out."""

    learnt_share: Share = 0.33
    """Of the corrections that the champion gets wrong, the share that a challenger which learnt is
    expected to get right. Where it fixes none, that is no chance (`confidence`) from eight on;
    where fewer are held out, it must know this share of those that taught."""

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

    int8_harm: Share = 0.005
    """Largest share of verdicts that the served int8 file may turn wrong, less those that it turns
    right, unless chance alone would do so in more than 1 - `confidence` of cases."""

    int8_flips: Share = 0.1
    """Share of verdicts that change between fp32 and int8 from which on it is another model. Most
    changes lie at the operating point, where either verdict is as good."""

    best_ever_kept: Share = 0.33
    """Share of the best version's lead over the first on the golden set that a challenger must
    keep. The rest is taken for luck: the best of twenty equal versions looks a point better than it
    is. Many small, allowed falls must not add up."""

    first_recall: Share = 0.5
    """A first model has no champion to beat; it must find this share of golden scams."""

    @model_validator(mode="before")
    @classmethod
    def _no_removed_limit(cls, given: Any) -> Any:
        removed = sorted(REMOVED & set(given)) if isinstance(given, dict) else []
        if removed:
            raise ValueError(
                f"{', '.join(removed)}: there is no such limit any more. False alarms are bounded "
                "by one number, fpr_budget; take the limit out (docs/gates.md lists the others)"
            )
        return given
