"""The five metrics by week: the same formulas over shorter windows.

Uses SQL common to SQLite and PostgreSQL, with one query per table that has one sum per week, so
that the cost does not grow with the number of weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from api.kit.database import by_no_index
from api.metrics.feedback import IS_CORRECTION, answered
from api.metrics.learning import recall_gain_of
from api.tables import Feedback, LedgerRow, Run, Version
from shield.labels import ModelType

WEEKS = 8


@dataclass(frozen=True)
class Point:
    """One metric in one week, or of one version."""

    label: str
    """First day of the week (UTC), or the version's name."""
    value: float | None
    """Value in the unit of the metric; `None` if there was nothing to count."""
    n: int
    """Number of items that the value was counted over."""


def history(
    session: Session, now: datetime, model_type: ModelType | None, weeks: int = WEEKS
) -> dict[str, list[Point]]:
    """Return the points of each metric, oldest first. The last week ends now."""
    starts = [now - timedelta(days=7 * back) for back in range(weeks, 0, -1)]
    return {
        "feedbackPerThousandScans": _feedback(session, starts, model_type),
        "approvalRate": _approval(session, starts, model_type),
        "recallGain": _gains(session, model_type, weeks),
        "retrainingSuccess": _retraining(session, starts, model_type),
        "rollbackRate": _rollbacks(session, starts, model_type),
    }


def _weekly(
    session: Session, query: Select[Any], at: Any, starts: Sequence[datetime], *what: Any
) -> list[list[int]]:
    """Count for each week the rows of `query` that fulfil each condition of `what`."""
    columns: list[ColumnElement[int]] = [
        func.coalesce(
            func.sum(case((and_(at >= start, at < start + timedelta(days=7), one), 1), else_=0)), 0
        )
        for start in starts
        for one in what
    ]
    row = session.execute(query.with_only_columns(*columns).where(at >= starts[0])).one()
    width = len(what)
    return [[int(n) for n in row[week * width : (week + 1) * width]] for week in range(len(starts))]


def _points(
    starts: Sequence[datetime], counted: Sequence[tuple[int, int]], unit: float = 1.0
) -> list[Point]:
    return [
        Point(f"{start:%Y-%m-%d}", unit * min(part, whole) / whole if whole else None, whole)
        for start, (part, whole) in zip(starts, counted, strict=True)
    ]


def _feedback(
    session: Session, starts: Sequence[datetime], model_type: ModelType | None
) -> list[Point]:
    week = timedelta(days=7)
    of_weeks = answered(session, [(start, start + week) for start in starts], model_type)
    return _points(starts, [(each.part, each.scans) for each in of_weeks], 1000)


def _approval(
    session: Session, starts: Sequence[datetime], model_type: ModelType | None
) -> list[Point]:
    query = select(Feedback).where(
        Feedback.source == "report", IS_CORRECTION, Feedback.status != "pending"
    )
    if model_type is not None:
        query = query.where(by_no_index(Feedback.model_type) == model_type.value)
    approved = Feedback.status == "approved"
    rows = _weekly(session, query, Feedback.reviewed_at, starts, approved, Feedback.id.is_not(None))
    return _points(starts, [(part, whole) for part, whole in rows])


def _gains(session: Session, model_type: ModelType | None, most: int) -> list[Point]:
    """Return the recall gain of each of the newest accepted versions over its parent."""
    query = select(Version).where(Version.parent.is_not(None), Version.status != "refused")
    if model_type is not None:
        query = query.where(Version.model_type == model_type.value)
    newest = session.scalars(query.order_by(Version.created_at.desc()).limit(most)).all()
    gains = []
    for version in reversed(newest):
        gain = recall_gain_of(session, version)
        gains.append(Point(version.name, gain[0] if gain else None, gain[3] if gain else 0))
    return gains


def _retraining(
    session: Session, starts: Sequence[datetime], model_type: ModelType | None
) -> list[Point]:
    query = select(Run)
    if model_type is not None:
        query = query.where(Run.model_type == model_type.value)
    good = Run.outcome.in_(["succeeded", "refused"])
    ended = Run.outcome.in_(["succeeded", "refused", "failed"])
    rows = _weekly(session, query, Run.started_at, starts, good, ended)
    return _points(starts, [(part, whole) for part, whole in rows])


def _rollbacks(
    session: Session, starts: Sequence[datetime], model_type: ModelType | None
) -> list[Point]:
    query = select(LedgerRow)
    if model_type is not None:
        query = query.where(LedgerRow.model_type == model_type.value)
    undone = LedgerRow.action == "undo"
    promoted = LedgerRow.action.in_(["install", "promote"])
    rows = _weekly(session, query, LedgerRow.at, starts, undone, promoted | undone)
    return _points(starts, [(part, whole) for part, whole in rows])
