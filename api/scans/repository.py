"""Queries about scans."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Integer, Select, case, func, select
from sqlalchemy.orm import Session

from api.tables import ArmFailure, Feedback, Revision, Scan, ShadowScore
from shield.errors import Overloaded
from shield.labels import FeedbackType

UNREACHED = ("ConnectError", "ConnectTimeout")
"""Kinds of failure in which no server was reachable."""

OVERLOADED = Overloaded.__name__
"""Kind of failure of an overloaded server; another version answers instead. It does not reject a
version, but a version whose servers refuse more requests counts as slower."""

_TIMED_ANSWERS = 500


def of_user(user_id: str) -> Select[Scan]:
    """Return the query for one user's scans."""
    return select(Scan).where(Scan.user_id == user_id)


def reports_of(session: Session, scan_ids: Sequence[str]) -> dict[str, Feedback]:
    """Return the reports on the given scans, by scan."""
    rows = session.scalars(
        select(Feedback).where(Feedback.scan_id.in_(scan_ids), Feedback.source == "report")
    )
    return {row.scan_id: row for row in rows}


def revisions_of(session: Session, scan_ids: Sequence[str]) -> dict[str, Revision]:
    """Return the corrections of the given scans' verdicts, by scan."""
    rows = session.scalars(select(Revision).where(Revision.scan_id.in_(scan_ids)))
    return {row.scan_id: row for row in rows}


def exposures(session: Session, version: str, model_type: str, since: datetime) -> tuple[int, int]:
    """Count a version's scans since `since`, and those it called a scam."""
    total, positives = session.execute(
        select(func.count(), func.coalesce(func.sum(Scan.positive.cast(Integer)), 0)).where(
            Scan.model_type == model_type,
            Scan.model_version == version,
            Scan.created_at >= since,
            Scan.forced.is_(False),
        )
    ).one()
    return int(total), int(positives)


def voters(session: Session, version: str, model_type: str, since: datetime) -> tuple[int, int]:
    """Count the users a version has answered since `since`, and those who objected."""
    objected = (Feedback.source == "report") & (
        Feedback.feedback_type != FeedbackType.CONFIRMED.value
    )
    users, reporters = session.execute(
        select(
            func.count(func.distinct(Scan.user_id)),
            func.count(func.distinct(case((objected, Scan.user_id)))),
        )
        .select_from(Scan)
        .outerjoin(Feedback, Feedback.scan_id == Scan.id)
        .where(
            Scan.model_type == model_type,
            Scan.model_version == version,
            Scan.created_at >= since,
            Scan.forced.is_(False),
        )
    ).one()
    return int(users), int(reporters)


def shadow_exposures(session: Session, version: str, since: datetime) -> tuple[int, int]:
    """Count a version's shadow scores, and those it called a scam."""
    total, positives = session.execute(
        select(func.count(), func.coalesce(func.sum(ShadowScore.positive.cast(Integer)), 0)).where(
            ShadowScore.model_version == version, ShadowScore.created_at >= since
        )
    ).one()
    return int(total), int(positives)


def verdicts(
    session: Session,
    version: str,
    model_type: str,
    since: datetime,
    *,
    of_user_and_day: int,
    shadow: bool,
) -> tuple[int, int]:
    """Count a version's verdicts since `since`, and the scams among them, of each user a few a day.

    They are the first `of_user_and_day`, whatever was said of them: what somebody sends by the
    hundred would otherwise outweigh the messages of all others.
    """
    table = ShadowScore if shadow else Scan
    place = func.row_number().over(
        partition_by=(Scan.user_id, func.date(table.created_at)), order_by=Scan.id
    )
    query = select(table.positive.label("positive"), place.label("place")).where(
        table.model_version == version, table.created_at >= since
    )
    if shadow:
        query = query.join(Scan, Scan.id == ShadowScore.scan_id)
    else:
        query = query.where(Scan.model_type == model_type, Scan.forced.is_(False))
    ranked = query.subquery()
    total, positives = session.execute(
        select(func.count(), func.coalesce(func.sum(ranked.c.positive.cast(Integer)), 0)).where(
            ranked.c.place <= of_user_and_day
        )
    ).one()
    return int(total), int(positives)


def failures(session: Session, version: str, since: datetime) -> int:
    """Count a version's failed requests since `since`."""
    return (
        session.scalar(
            select(func.count()).where(
                ArmFailure.model_version == version,
                ArmFailure.at >= since,
                ArmFailure.kind != OVERLOADED,
            )
        )
        or 0
    )


def failures_in_a_row(
    session: Session, version: str, model_type: str, since: datetime, *, shadow: bool
) -> tuple[int, int]:
    """Count a version's failures since its last answer, and those without a connection."""
    if shadow:
        last = select(func.max(ShadowScore.created_at)).where(
            ShadowScore.model_version == version, ShadowScore.created_at >= since
        )
    else:
        last = select(func.max(Scan.created_at)).where(
            Scan.model_type == model_type,
            Scan.model_version == version,
            Scan.created_at >= since,
        )
    answered = session.scalar(last)
    unreached = ArmFailure.kind.in_(UNREACHED).cast(Integer)
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(unreached), 0)).where(
            ArmFailure.model_version == version,
            ArmFailure.kind != OVERLOADED,
            ArmFailure.at > answered if answered else ArmFailure.at >= since,
        )
    ).one()
    return int(row[0]), int(row[1])


class Times(NamedTuple):
    """Times of a version's answers, in milliseconds, sorted."""

    latency: list[float]
    """Latency as users see it."""
    processor: list[float]
    """Processing times of computed answers; infinite for requests refused because of overload."""


def times(
    session: Session,
    version: str,
    model_type: str,
    since: datetime,
    *,
    shadow: bool,
    lookback: timedelta = timedelta(0),
) -> Times:
    """Return the times of a version's latest answers since `since`, at most 500 of each.

    Processing times count from `lookback` before `since`.
    """
    table = ShadowScore if shadow else Scan
    conditions = [table.model_version == version, table.created_at >= since - lookback]
    if not shadow:
        conditions += [Scan.model_type == model_type, Scan.forced.is_(False)]
    latest = table.created_at.desc()
    felt = select(table.latency_ms).where(*conditions, table.created_at >= since)
    spent = select(table.created_at, table.processor_ms).where(
        *conditions, table.processor_ms.is_not(None)
    )
    refused = select(ArmFailure.at).where(
        ArmFailure.model_version == version,
        ArmFailure.kind == OVERLOADED,
        ArmFailure.at >= since - lookback,
    )
    answers = session.execute(spent.order_by(latest).limit(_TIMED_ANSWERS))
    refusals = session.scalars(refused.order_by(ArmFailure.at.desc()).limit(_TIMED_ANSWERS))
    costs = [(at, ms) for at, ms in answers if ms is not None]
    costs = sorted([*costs, *((at, math.inf) for at in refusals)], reverse=True)
    return Times(
        sorted(session.scalars(felt.order_by(latest).limit(_TIMED_ANSWERS))),
        sorted(ms for _, ms in costs[:_TIMED_ANSWERS]),
    )
