"""Compute the five metrics, true rates and trends. The response contains the formulas.

All queries are SQL common to SQLite and PostgreSQL.
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, Integer, and_, case, func, select
from sqlalchemy.orm import Session

from api.kit.context import Context
from api.kit.database import by_no_index
from api.kit.paging import counted
from api.metrics import feedback, learning
from api.metrics.feedback import IS_CORRECTION, ON_SERVER
from api.review import quality
from api.rollouts.evidence import truth_differs_from_verdict
from api.tables import IS_PENDING, Feedback, Scan
from shield.labels import FeedbackType, ModelType, is_positive
from shield.metrics.counts import wilson_interval
from shield.wire import Interval, MetricRead, Rates, StatsRead, TrendPoint, VersionStats

WINDOW_DAYS = 30


def stats(ctx: Context, model_type: ModelType | None = None) -> StatsRead:
    """Return counts, true rates, the trend and the five metrics of the last thirty days."""
    since = ctx.now - timedelta(days=WINDOW_DAYS)
    by_status, by_type = _counts(ctx.session, since, model_type)
    return StatsRead(
        by_status={name: by_status[name] for name in ("pending", "approved", "rejected")},
        by_type={kind.value: by_type[kind.value] for kind in FeedbackType},
        by_version=by_version(ctx.session, since, model_type),
        rates=rates(ctx.session, since, model_type),
        recent_trend=trend(ctx.session, ctx.now, model_type),
        pending_count=_waiting(ctx.session, model_type),
        metrics=five(ctx, since, model_type),
    )


def _counts(
    session: Session, since: datetime, model_type: ModelType | None
) -> tuple[Counter[str], Counter[str]]:
    """Return the number of reports since `since` by status, and by type. Reads them once."""
    query = (
        select(Feedback.status, Feedback.feedback_type, func.count())
        .where(Feedback.source == "report", Feedback.created_at >= since)
        .group_by(Feedback.status, Feedback.feedback_type)
    )
    if model_type is not None:
        query = query.where(by_no_index(Feedback.model_type) == model_type.value)
    by_status, by_type = Counter[str](), Counter[str]()
    for status, kind, count in session.execute(query).all():
        by_status[status] += int(count)
        by_type[kind] += int(count)
    return by_status, by_type


def _waiting(session: Session, model_type: ModelType | None) -> int:
    """Return the number of undecided reports, however old, up to the bound of all lists."""
    query = select(Feedback.id).where(IS_PENDING, Feedback.source == "report")
    if model_type is not None:
        query = query.where(Feedback.model_type == model_type.value)
    return counted(session, query)


def five(ctx: Context, since: datetime, model_type: ModelType | None) -> list[MetricRead]:
    """Return the five metrics of the last thirty days."""
    return [
        feedback.per_thousand(ctx.session, since, ctx.now, model_type),
        _approval_rate(ctx, since, model_type),
        learning.recall_gain(ctx.session, model_type),
        learning.retraining_success(ctx.session, since, model_type),
        learning.rollback_rate(ctx.session, since, model_type),
    ]


def _approval_rate(ctx: Context, since: datetime, model_type: ModelType | None) -> MetricRead:
    query = select(func.count(), _sum(Feedback.status == "approved")).where(
        Feedback.source == "report",
        IS_CORRECTION,
        Feedback.status != "pending",
        Feedback.reviewed_at >= since,
    )
    if model_type is not None:
        query = query.where(by_no_index(Feedback.model_type) == model_type.value)
    decided, approved = ctx.session.execute(query).one()
    value, low, high = proportion(int(approved), int(decided))
    gold = quality.gold_accuracy(ctx.session, before=quality.told_before(ctx))
    beside = "no gold item was judged yet" if gold.value is None else f"{gold.value:.0%}"
    return MetricRead(
        name="approvalRate",
        formula="approved / decided corrections of the last 30 days",
        target=0.7,
        value=value,
        low=low,
        high=high,
        n=int(decided),
        met=None if value is None else value > 0.7,
        note=f"Gold accuracy of the reviewers: {beside}. Careless approvals raise the rate too.",
    )


def _sum(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Count the rows that fulfil a condition; 0, not NULL, if there are none."""
    return func.coalesce(func.sum(condition.cast(Integer)), 0)


def proportion(part: int, whole: int) -> tuple[float | None, float | None, float | None]:
    """Return a share with its 95 % Wilson interval, or `None` without observations."""
    if whole == 0:
        return None, None, None
    low, high = wilson_interval(part, whole)
    return part / whole, low, high


def rates(session: Session, since: datetime, model_type: ModelType | None) -> Rates:
    """Estimate the true error rates since `since` from the audit sample.

    The audit sample is drawn at random from scans, so that its decisions show the errors on
    messages that nobody reports. Shares of feedback show only the errors that users report.
    """
    kind = by_no_index(Feedback.model_type)
    query = (
        select(
            kind,
            Feedback.original_label,
            func.count(),
            func.sum(case((truth_differs_from_verdict, 1), else_=0)),
        )
        .where(
            Feedback.source == "audit",
            Feedback.status != "pending",
            Feedback.created_at >= since,
        )
        .group_by(kind, Feedback.original_label)
    )
    if model_type is not None:
        query = query.where(by_no_index(Feedback.model_type) == model_type.value)
    false = {True: 0, False: 0}
    true = {True: 0, False: 0}
    for of, verdict, total, wrong in session.execute(query).all():
        said_scam = is_positive(ModelType(of), verdict)
        false[said_scam] += int(wrong)
        true[said_scam] += int(total) - int(wrong)
    return Rates(
        false_positive_rate=interval_of(false[True], false[True] + true[False]),
        false_negative_rate=interval_of(false[False], false[False] + true[True]),
    )


def interval_of(part: int, whole: int) -> Interval:
    """Return a share in the form of responses."""
    value, low, high = proportion(part, whole)
    return Interval(value=value, low=low, high=high, n=whole)


def trend(session: Session, now: datetime, model_type: ModelType | None) -> list[TrendPoint]:
    """Return the reports of each of the last thirty days (UTC), oldest first, with empty days."""
    today = now.astimezone(UTC).date()
    days = [today - timedelta(days=back) for back in range(WINDOW_DAYS - 1, -1, -1)]
    starts = [datetime.combine(day, time(), UTC) for day in days]
    columns = [
        func.coalesce(
            func.sum(
                case(
                    (
                        and_(
                            Feedback.created_at >= start,
                            Feedback.created_at < start + timedelta(days=1),
                        ),
                        1,
                    ),
                    else_=0,
                )
            ),
            0,
        )
        for start in starts
    ]
    query = select(*columns).where(Feedback.source == "report", Feedback.created_at >= starts[0])
    if model_type is not None:
        query = query.where(by_no_index(Feedback.model_type) == model_type.value)
    row = session.execute(query).one()
    return [TrendPoint(date=day, count=int(n)) for day, n in zip(days, row, strict=True)]


def by_version(
    session: Session, since: datetime, model_type: ModelType | None
) -> list[VersionStats]:
    """Return the counts of each model version since `since`, of answers by the server alone.

    A phone's verdict is its judge's, not the version's whole predictor's: `api.device` counts it.
    """
    # Grouped by an index, all scans and reports would be read.
    kind, said_kind = by_no_index(Scan.model_type), by_no_index(Feedback.model_type)
    scans = (
        select(
            kind,
            Scan.model_version,
            func.count().label("scans"),
            func.sum(Scan.positive.cast(Integer)).label("positives"),
        )
        .where(Scan.created_at >= since, ON_SERVER)
        .group_by(kind, Scan.model_version)
        .order_by(kind, Scan.model_version)
    )
    decided = Feedback.status != "pending"
    reports = (
        select(
            said_kind,
            Feedback.model_version,
            func.count(),
            func.sum((Feedback.feedback_type == "false_positive").cast(Integer)),
            func.sum((Feedback.feedback_type == "false_negative").cast(Integer)),
            func.sum(decided.cast(Integer)),
            func.sum(case((and_(decided, truth_differs_from_verdict), 1), else_=0)),
        )
        .join(Scan, Scan.id == Feedback.scan_id)
        .where(Feedback.source == "report", Feedback.created_at >= since, ON_SERVER)
        .group_by(said_kind, Feedback.model_version)
    )
    if model_type is not None:
        scans = scans.where(by_no_index(Scan.model_type) == model_type.value)
        reports = reports.where(by_no_index(Feedback.model_type) == model_type.value)
    said = {(row[0], row[1]): row[2:] for row in session.execute(reports).all()}
    versions = []
    for of, version, total, positives in session.execute(scans).all():
        n, positive_claims, negative_claims, settled, errors = said.get(
            (of, version), (0, 0, 0, 0, 0)
        )
        versions.append(
            VersionStats(
                model_type=ModelType(of),
                version=version,
                scans=int(total),
                positives=int(positives),
                reports=int(n),
                false_positive_claims=int(positive_claims),
                false_negative_claims=int(negative_claims),
                decided=int(settled),
                verdict_errors=int(errors),
            )
        )
    return versions
