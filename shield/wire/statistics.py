"""Counts, rates and metrics."""

from datetime import date

from shield.labels import ModelType
from shield.wire.base import Answer


class Interval(Answer):
    """A measured value with its 95 % interval; `value` is null when nothing can be known yet."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Observations behind it."""


class MetricRead(Interval):
    """One of the five metrics."""

    name: str
    formula: str
    target: float
    met: bool | None = None
    note: str = ""


class TrendPoint(Answer):
    """Feedback received on one day (UTC)."""

    date: date
    count: int


class Rates(Answer):
    """True rates over scans, known from the audit sample alone; never shares of feedback."""

    false_positive_rate: Interval
    false_negative_rate: Interval


class VersionStats(Answer):
    """What one model version has shown in the window."""

    model_type: ModelType
    version: str
    scans: int
    positives: int
    """Scans that it called a scam."""
    reports: int
    false_positive_claims: int
    false_negative_claims: int
    decided: int
    verdict_errors: int
    """Verdicts that a reviewer found wrong."""


class StatsRead(Answer):
    """The numbers of the dashboard."""

    by_status: dict[str, int]
    by_type: dict[str, int]
    by_version: list[VersionStats] = []
    rates: Rates
    recent_trend: list[TrendPoint]
    pending_count: int
    metrics: list[MetricRead]
