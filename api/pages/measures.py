"""How the five metrics read on a page: in the unit people think in, with a verdict. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from shield.wire import MetricRead


@dataclass(frozen=True)
class Measure:
    """One metric, ready to be shown. Fractions are places on a drawn line, 0 to 1."""

    title: str
    value: str
    unit: str
    target: str
    verdict: str
    kind: str
    """Look of the verdict: `good`, `bad`, `warn` or `plain`."""
    low: str | None
    high: str | None
    fraction: float | None
    fraction_low: float | None
    fraction_high: float | None
    fraction_target: float
    formula: str
    n: int
    note: str


@dataclass(frozen=True)
class _Style:
    title: str
    write: Callable[[float], str]
    unit: str = ""
    below: bool = False
    centred: bool = False
    """The line has zero in its middle, for differences."""
    shortest: float = 1.0
    """Right end of the line, at least."""


def _percent(value: float) -> str:
    return f"{100 * value:.0f}%"


def _points(value: float) -> str:
    return f"{round(100 * value, 1) + 0.0:+.1f}"


_STYLES = {
    "feedbackPerThousandScans": _Style(
        "Feedback", lambda value: f"{value:.0f}", unit="per 1,000 scans", shortest=100
    ),
    "approvalRate": _Style("Approval of decided reports", _percent),
    "recallGain": _Style(
        "Recall gained by the newest version",
        _points,
        unit="points",
        centred=True,
        shortest=0.05,
    ),
    "retrainingSuccess": _Style("Retraining success", _percent),
    "rollbackRate": _Style("Versions taken back", _percent, below=True),
}


def measure(metric: MetricRead) -> Measure:
    """Return a metric as people read it; one of an unknown name is shown as a bare number."""
    style = _STYLES.get(metric.name, _Style(metric.name, lambda value: f"{value:.3g}"))
    place = _scale(metric, style)
    verdict, kind = _verdict(metric)
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
    )


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
