"""Group a version's registered figures for its page. Pure."""

from dataclasses import dataclass
from typing import Any

from shield.gates.evidence import Slice
from shield.metrics import wilson_interval

PARTS = {
    "golden": "Golden set",
    "timeForward": "Newest messages",
    "fresh": "Fresh corrections",
    "oldErrors": "Old errors",
    "judge": "Book of scams",
    "frozenHam": "Frozen harmless",
}
FIGURES = {
    "Recall": "Recall",
    "Fpr": "False positives",
    "Precision": "Precision",
    "Accuracy": "Accuracy",
    "F1": "F1",
    "Auc": "Area under ROC",
    "RecallAtBudget": "Recall within the false-positive budget",
}
LOWER_IS_BETTER = {"Fpr"}
GAINS = {"recall": "goldenRecallGain", "accuracy": "goldenGain"}


@dataclass(frozen=True)
class Comparison:
    """One figure of champion and challenger on one set."""

    part: str
    figure: str
    challenger: float
    champion: float | None
    change: float | None
    kind: str
    """`good`, `bad` or empty: direction of the change."""


@dataclass(frozen=True)
class Gain:
    """A difference with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def kind(self) -> str:
        """Return `good` or `bad` if the interval excludes zero, else an empty string."""
        if self.low > 0:
            return "good"
        return "bad" if self.high < 0 else ""


@dataclass(frozen=True)
class SliceShown:
    """Accuracy of both models on one slice of messages."""

    kind: str
    n: int
    champion: float | None
    challenger: float | None
    low: float
    high: float

    @property
    def change(self) -> float | None:
        """Return the challenger's accuracy minus the champion's."""
        if self.champion is None or self.challenger is None:
            return None
        return self.challenger - self.champion

    @property
    def kind_of_change(self) -> str:
        """Return `good` or `bad` by the direction of the change, empty for none."""
        if self.change is None or abs(self.change) < 0.0005:
            return ""
        return "good" if self.change > 0 else "bad"


@dataclass(frozen=True)
class Figures:
    """The figures of a version's page."""

    comparisons: list[Comparison]
    gains: list[tuple[str, Gain]]
    """Differences on the golden set: recall, then accuracy."""
    reach: float
    """End of the axis of gains, on both sides of zero."""
    slices: list[SliceShown]
    slice_floor: float
    """Left end of the axis of intervals."""
    gates: list[tuple[str, str]]
    """Outcome of each gate: `passed`, or the reason of its refusal."""
    warnings: list[str]
    other: list[tuple[str, str]]


def read(metrics: dict[str, Any]) -> Figures:
    """Group figures by set and kind; unknown figures are listed unchanged."""
    used: set[str] = set()
    comparisons = []
    for prefix, part in PARTS.items():
        for suffix, figure in FIGURES.items():
            comparison = _comparison(metrics, prefix, suffix, part, figure)
            if comparison is not None:
                comparisons.append(comparison)
                used |= {f"{prefix}{suffix}", f"{prefix}Champion{suffix}"}
    gains = []
    for name, key in GAINS.items():
        gain = _gain(metrics, key)
        if gain is not None:
            gains.append((name, gain))
            used |= {key, f"{key}Low", f"{key}High"}
    slices = [_slice(Slice.model_validate(one)) for one in metrics.get("slices", [])]
    gates = metrics.get("gate", {})
    used |= {"slices", "gate", "warnings", "goldenScores"}
    other = [(name, _plain(value)) for name, value in sorted(metrics.items()) if name not in used]
    return Figures(
        comparisons,
        gains,
        max([0.01, *(abs(end) for _, one in gains for end in (one.low, one.high))]),
        slices,
        min((0.1 * int(10 * one.low) for one in slices), default=0.0),
        [(str(name), str(said)) for name, said in gates.items()],
        [str(one) for one in metrics.get("warnings", [])],
        other,
    )


def _comparison(
    metrics: dict[str, Any], prefix: str, suffix: str, part: str, figure: str
) -> Comparison | None:
    challenger = number(metrics.get(f"{prefix}{suffix}"))
    if challenger is None:
        return None
    champion = number(metrics.get(f"{prefix}Champion{suffix}"))
    change = challenger - champion if champion is not None else None
    kind = ""
    if change is not None and abs(change) >= 0.0005:
        kind = "good" if (change > 0) != (suffix in LOWER_IS_BETTER) else "bad"
    return Comparison(part, figure, challenger, champion, change, kind)


def _gain(metrics: dict[str, Any], key: str) -> Gain | None:
    numbers = [number(metrics.get(f"{key}{end}")) for end in ("", "Low", "High")]
    value, low, high = numbers
    if value is None or low is None or high is None:
        return None
    return Gain(value, low, high)


def _slice(one: Slice) -> SliceShown:
    now, before = one.comparison.challenger, one.comparison.champion
    n = now.tp + now.fn + now.fp + now.tn
    low, high = wilson_interval(now.tp + now.tn, n)
    kind = f"{one.dimension}: {one.value}"
    return SliceShown(kind, n, before.accuracy, now.accuracy, low, high)


def number(value: object) -> float | None:
    """Return a registered figure as a number; `None` if it is not one."""
    return float(value) if isinstance(value, int | float) and value == value else None


def _plain(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
