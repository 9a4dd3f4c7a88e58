"""Queries about scans."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Integer, Select, func, select
from sqlalchemy.orm import Session

from api.tables import ArmFailure, Feedback, Scan, ShadowScore

UNREACHED = ("ConnectError", "ConnectTimeout")
"""Kinds of failure in which there was no server at the address."""

_LATENCY_SAMPLE = 1000


def of_user(user_id: str) -> Select[Scan]:
    """Return the scans of one user."""
    return select(Scan).where(Scan.user_id == user_id)


def reports_of(session: Session, scan_ids: Sequence[str]) -> dict[str, Feedback]:
    """Return the users' reports of the given scans, by scan."""
    rows = session.scalars(
        select(Feedback).where(Feedback.scan_id.in_(scan_ids), Feedback.source == "report")
    )
    return {row.scan_id: row for row in rows}


def exposures(session: Session, version: str, model_type: str, since: datetime) -> tuple[int, int]:
    """Return how many scans a version answered since then, and how many it called a scam."""
    total, positives = session.execute(
        select(func.count(), func.coalesce(func.sum(Scan.positive.cast(Integer)), 0)).where(
            Scan.model_type == model_type,
            Scan.model_version == version,
            Scan.created_at >= since,
            Scan.forced.is_(False),
        )
    ).one()
    return int(total), int(positives)


def shadow_exposures(session: Session, version: str, since: datetime) -> tuple[int, int]:
    """Return how many scans a version scored in shadow, and how many it called a scam."""
    total, positives = session.execute(
        select(func.count(), func.coalesce(func.sum(ShadowScore.positive.cast(Integer)), 0)).where(
            ShadowScore.model_version == version, ShadowScore.created_at >= since
        )
    ).one()
    return int(total), int(positives)


def failures(session: Session, version: str, since: datetime) -> int:
    """Return how many requests a version failed since then."""
    return (
        session.scalar(
            select(func.count()).where(ArmFailure.model_version == version, ArmFailure.at >= since)
        )
        or 0
    )


def failures_in_a_row(
    session: Session, version: str, model_type: str, since: datetime, *, shadow: bool
) -> tuple[int, int]:
    """Return how many requests a version has failed since it last answered, and unreached ones."""
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
            ArmFailure.at > answered if answered else ArmFailure.at >= since,
        )
    ).one()
    return int(row[0]), int(row[1])


def latencies_ms(
    session: Session, version: str, model_type: str, since: datetime, *, shadow: bool
) -> list[float]:
    """Return the latest latencies of a version since then, at most a thousand."""
    if shadow:
        query = (
            select(ShadowScore.latency_ms)
            .where(ShadowScore.model_version == version, ShadowScore.created_at >= since)
            .order_by(ShadowScore.created_at.desc())
        )
    else:
        query = (
            select(Scan.latency_ms)
            .where(
                Scan.model_type == model_type,
                Scan.model_version == version,
                Scan.created_at >= since,
                Scan.forced.is_(False),
            )
            .order_by(Scan.created_at.desc())
        )
    return sorted(session.scalars(query.limit(_LATENCY_SAMPLE)))
