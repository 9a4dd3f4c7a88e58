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
"""Kinds of failure in which there was no server at the address."""

OVERLOADED = Overloaded.__name__
"""Kind of failure of a server with more to do than it can: another version answers meanwhile. It
rejects no version; a version whose servers refuse more than the other's is slow."""

_TIMED_ANSWERS = 500


def of_user(user_id: str) -> Select[Scan]:
    """Return the scans of one user."""
    return select(Scan).where(Scan.user_id == user_id)


def reports_of(session: Session, scan_ids: Sequence[str]) -> dict[str, Feedback]:
    """Return the users' reports of the given scans, by scan."""
    rows = session.scalars(
        select(Feedback).where(Feedback.scan_id.in_(scan_ids), Feedback.source == "report")
    )
    return {row.scan_id: row for row in rows}


def revisions_of(session: Session, scan_ids: Sequence[str]) -> dict[str, Revision]:
    """Return what was corrected of the given scans, by scan."""
    rows = session.scalars(select(Revision).where(Revision.scan_id.in_(scan_ids)))
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


def voters(session: Session, version: str, model_type: str, since: datetime) -> tuple[int, int]:
    """Return how many users a version answered since then, and how many of them objected."""
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
            ArmFailure.kind != OVERLOADED,
            ArmFailure.at > answered if answered else ArmFailure.at >= since,
        )
    ).one()
    return int(row[0]), int(row[1])


class Times(NamedTuple):
    """How long a version's answers took, in milliseconds, each sorted."""

    latency: list[float]
    """As users have felt it."""
    processor: list[float]
    """As the server itself has spent it, of those answers that were computed; infinite for those
    that it refused because it had too much to do."""


def times(
    session: Session,
    version: str,
    model_type: str,
    since: datetime,
    *,
    shadow: bool,
    lookback: timedelta = timedelta(0),
) -> Times:
    """Return the times of a version's latest answers since then, at most 500 of each.

    Processor times are taken from `lookback` earlier on.
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
