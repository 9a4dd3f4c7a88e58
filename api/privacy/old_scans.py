"""Removing scans that nobody needs any more, and making room for those to come.

On PostgreSQL a day that is over is dropped at once; see `api.kit.partitions`. What cannot be
dropped so (the rest of a day, all of SQLite) is deleted row by row.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from api.audit import service as audit
from api.kit import partitions
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.ids import first_id
from api.registry import service as registry
from api.tables import (
    ArmFailure,
    Comparison,
    Contest,
    Feedback,
    Notice,
    Revision,
    Scan,
    ShadowScore,
)
from shield.database_errors import is_conflict
from shield.errors import NotFound
from shield.labels import ModelType

logger = logging.getLogger("api.caretaker")

BEFORE = timedelta(days=30)
"""Time before the release in which other versions' scans are the drift watch's reference."""
_TABLE = Scan.__tablename__
_CHUNK = 1000
_MOST_CHUNKS = 200
"""In one run: the rest follows with the next."""
NEEDED_BY = (Feedback, Revision, Notice, Contest)
"""Tables whose rows need their scan; what was counted of a trial goes with it."""
_KEPT = " UNION ".join(
    f"SELECT scan_id FROM {table.__tablename__} WHERE scan_id >= :first AND scan_id < :end"
    for table in NEEDED_BY
)


def look_after(services: Services, principal: Principal) -> None:
    """Make room for the scans of the coming week, and remove those that are old enough."""
    make_room(services, principal)
    if services.settings.scan_days is not None:
        remove(services, principal, services.settings.scan_days)


def make_room(services: Services, principal: Principal) -> None:
    """Make the partitions of the coming week: days where they are dropped one day, else months."""
    period: partitions.Period = "month" if services.settings.scan_days is None else "day"
    with open_context(services, principal) as ctx:
        partitions.make_ahead(ctx.session, _TABLE, ctx.now, period)


def remove(services: Services, principal: Principal, days: float) -> int:
    """Remove scans older than `days` that nothing refers to; return how many.

    Scans that the drift watch counts stay (its test may not lose what it has seen), and so do those
    that were reported, or that their owners were told of.
    """
    removed = 0
    try:
        while (dropped := _drop_oldest(services, principal, days)) is not None:
            removed += dropped
    except SQLAlchemyError as error:
        if not is_conflict(error):
            raise
        logger.info("old scans are dropped later: the table is in use")
    for _ in range(_MOST_CHUNKS):
        with open_context(services, principal) as ctx:
            deleted, is_last = _delete_some(ctx.session, _until(ctx, days))
            _record(ctx, days, deleted)
        removed += deleted
        if is_last:
            break
    return removed


def _record(ctx: Context, days: float, count: int) -> None:
    if count:
        audit.record(ctx, "scan.retention", "scans", f"older than {days:g} days", count=count)


def _until(ctx: Context, days: float) -> datetime:
    """Return the time before which nothing is counted any more."""
    until = ctx.now - timedelta(days=days)
    for model_type in ModelType:
        try:
            champion = registry.champion(ctx, model_type)
        except NotFound:
            continue
        until = min(until, (champion.deployed_at or champion.created_at) - BEFORE)
    return until


def _drop_oldest(services: Services, principal: Principal, days: float) -> int | None:
    with open_context(services, principal) as ctx:
        oldest = partitions.prepare_fold(ctx.session, _TABLE, _until(ctx, days))
    if oldest is None:
        return None
    with open_context(services, principal) as ctx:
        dropped = partitions.fold(ctx.session, _TABLE, oldest, _KEPT)
        _record(ctx, days, dropped or 0)
        return dropped


def _delete_some(session: Session, until: datetime) -> tuple[int, bool]:
    """Delete a chunk of what is left of that time, and of what was counted of it.

    Returns:
        The number of scans, and whether nothing is left.
    """
    needed = or_(*(exists().where(table.scan_id == Scan.id) for table in NEEDED_BY))
    reported = select(Feedback.scan_id)
    is_last, scans = True, 0
    for key, which in (
        (Scan.id, (Scan.id < first_id(until)) & ~needed),
        (
            ShadowScore.scan_id,
            (ShadowScore.created_at < until) & ShadowScore.scan_id.not_in(reported),
        ),
        (
            Comparison.scan_id,
            (Comparison.created_at < until) & Comparison.scan_id.not_in(reported),
        ),
        (ArmFailure.id, ArmFailure.at < until),
    ):
        keys = list(session.scalars(select(key).where(which).limit(_CHUNK)))
        session.execute(
            delete(key.class_)
            .where(key.in_(keys), which)
            .execution_options(synchronize_session=False)
        )
        is_last = is_last and len(keys) < _CHUNK
        scans = len(keys) if key is Scan.id else scans
    return scans, is_last
