"""Prepare the five metrics for a page: unit, target and assessment. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from api.metrics.history import Point
from shield.wire import MetricRead


@dataclass(frozen=True)
class Step:
    """One bar in the history of a metric."""

    label: str
    value: str
    height: float
    """Height of the bar, 0 to 100; for differences from the middle line, at most 50."""
    top: float
    """Start of the bar, 0 at the top."""
    kind: str
    """`good` or `bad` against the target; `plain` without observations."""


@dataclass(frozen=True)
class Measure:
    """One metric, prepared for the page. Fractions are positions on its axis, 0 to 1."""

    title: str
    value: str
    unit: str
    target: str
    verdict: str
    kind: str
    """Style of the assessment: `good`, `bad`, `warn` or `plain`."""
    low: str | None
    high: str | None
    fraction: float | None
    fraction_low: float | None
    fraction_high: float | None
    fraction_target: float
    formula: str
    n: int
    note: str
    centred: bool
    """Whether the metric is a difference, with zero in the middle and a history by version."""
    steps: list[Step]
    """History, oldest first."""
    target_top: float
    """Position of the target in the history, 0 at the top, 100 at the bottom."""
    more: tuple[str, str]
    """Text and URL of a page with details; empty if there is none."""


@dataclass(frozen=True)
class _Style:
    title: str
    write: Callable[[float], str]
    unit: str = ""
    below: bool = False
    centred: bool = False
    """Whether the axis has zero in its middle."""
    shortest: float = 1.0
    """Least right end of the axis."""
    more: tuple[str, str] = ("", "")


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"


_STYLES = {
    "feedbackPerThousandScans": _Style(
        "Feedback",
        lambda value: f"{value:.0f}",
        unit="per 1,000 scans",
        shortest=100,
        more=("Day by day", "#trend-title"),
    ),
    "approvalRate": _Style(
        "Approval of decided reports",
        _percent,
        more=("Approved reports", "/review/audit?action=feedback.approve"),
    ),
    "recallGain": _Style(
        "Recall gained by the newest version",
        _points,
        unit="points",
        centred=True,
        shortest=0.05,
        more=("Versions", "/review/models"),
    ),
    "retrainingSuccess": _Style("Retraining success", _percent, more=("Runs", "/review/runs")),
    "rollbackRate": _Style(
        "Versions taken back",
        _percent,
        below=True,
        more=("Promotion ledger", "/review/models#ledger-title"),
    ),
}


def measure(metric: MetricRead, history: Sequence[Point] = ()) -> Measure:
    """Prepare a metric for the page; one with an unknown name is shown as a plain number."""
    style = _STYLES.get(metric.name, _Style(metric.name, lambda value: f"{value:.3g}"))
    place = _scale(metric, style)
    verdict, kind = _verdict(metric)
    sizes = [abs(point.value) for point in history if point.value is not None]
    tall = max([metric.target * 1.25, *sizes])
    unit = f" {style.unit}" if style.centred else ""
    return Measure(
        title=style.title,
        value="–" if metric.value is None else style.write(metric.value),
        unit=style.unit if metric.value is not None else "",
        target=f"{'below' if style.below else 'above'} {style.write(metric.target)}{unit}",
        verdict=verdict,
        kind=kind,
        low=None if metric.low is None else style.write(metric.low),
        high=None if metric.high is None else style.write(metric.high),
        fraction=None if metric.value is None else place(metric.value),
        fraction_low=None if metric.low is None else place(metric.low),
        fraction_high=None if metric.high is None else place(metric.high),
        fraction_target=place(metric.target),
        formula=_sentence(metric.formula),
        n=metric.n,
        note=_sentence(metric.note),
        centred=style.centred,
        steps=[_step(point, metric.target, style, tall) for point in history],
        target_top=_top(metric.target, style, tall),
        more=style.more,
    )


def _step(point: Point, target: float, style: _Style, tall: float) -> Step:
    if point.value is None:
        return Step(point.label, "nothing to count", 0.0, 50.0 if style.centred else 100.0, "plain")
    met = point.value < target if style.below else point.value > target
    floor = _top(0.0, style, tall)
    end = _top(point.value, style, tall)
    height = max(abs(floor - end), 2.0)  # a zero is a fact, and is drawn
    top = min(floor, end) if floor != end else floor - height
    return Step(
        point.label,
        style.write(point.value),
        round(height, 2),
        round(top, 2),
        "good" if met else "bad",
    )


def _top(value: float, style: _Style, tall: float) -> float:
    """Return the position of a value, 0 at the top, 100 at the bottom."""
    share = min(max(value / tall, -1.0), 1.0)
    return round(50 * (1 - share) if style.centred else 100 * (1 - max(share, 0.0)), 2)


def _verdict(metric: MetricRead) -> tuple[str, str]:
    if metric.met is None:
        return "not known yet", "plain"
    if "no measurable change" in metric.note:
        return "no measurable change", "warn"
    return ("on target", "good") if metric.met else ("off target", "bad")


def _scale(metric: MetricRead, style: _Style) -> Callable[[float], float]:
    known = [abs(value) for value in (metric.value, metric.low, metric.high) if value is not None]
    reach = max([style.shortest, *known])
    if style.centred:
        return lambda value: min(max((value + reach) / (2 * reach), 0.0), 1.0)
    return lambda value: min(max(value / reach, 0.0), 1.0)


def _sentence(text: str) -> str:
    return text if not text or text.endswith(".") else f"{text}."
