"""Counts, rates and metrics."""

from datetime import date

from shield.labels import ModelType
from shield.wire.base import Answer


class Interval(Answer):
    """A value with its 95 % interval; `value` is null without observations."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    """Number of observations."""


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
    """True error rates over scans, estimated from the audit sample only."""

    false_positive_rate: Interval
    false_negative_rate: Interval


class VersionStats(Answer):
    """Counts of one version in the window."""

    model_type: ModelType
    version: str
    scans: int
    positives: int
    """Number of scans that it called a scam."""
    reports: int
    false_positive_claims: int
    false_negative_claims: int
    decided: int
    verdict_errors: int
    """Number of verdicts that reviewers decided to be wrong."""


class StatsRead(Answer):
    """The numbers of the dashboard."""

    by_status: dict[str, int]
    """Number of the reports of the last 30 days, by their status now."""
    by_type: dict[str, int]
    """The same by what they claim."""
    by_version: list[VersionStats] = []
    rates: Rates
    recent_trend: list[TrendPoint]
    pending_count: int
    """Number of undecided reports, however old, counted up to 10,000."""
    metrics: list[MetricRead]
