"""Outbox: work that follows a change, stored in the change's transaction, so that none is lost.

A row is one piece of work. Worker threads of all processes lease rows: by `FOR UPDATE SKIP LOCKED`
on PostgreSQL, under the write lock on SQLite. The lease of a crashed process expires and another
process repeats the work, so that handlers must be idempotent.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Index, String, and_, delete, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.kit.context import Context, Services
from api.kit.database import Base
from api.kit.ids import new_id

logger = logging.getLogger("api.outbox")

_LOOK_SECONDS = 2.0
"""Time between polls for work of other processes and for retries that are due."""
_LONGEST_PAUSE_SECONDS = 3600.0
_MOST_DOUBLINGS = 12
"""Of the pause after a failure, until it is the longest. Work may fail for weeks."""


class OutboxRow(Base):
    """One piece of work; deleted when it is done."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "due_at", "id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(128))
    facts: Mapped[dict[str, Any]]
    due_at: Mapped[datetime | None]
    """Earliest time of the work; NULL: immediately, whatever the clocks of the processes."""
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Job:
    """A piece of work, as passed to its handler."""

    id: str
    kind: str
    subject: str
    facts: Mapping[str, Any]
    attempts: int
    """Attempts since it last asked to be done later, this one included."""
    posted_at: datetime
    renew: Callable[[], None]
    """Renews the lease of long work."""


Handler = Callable[[Services, Job], None]


class Later(Exception):
    """Raised by a handler to retry its work after a number of seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"again in {seconds:g} s")
        self.seconds = seconds


def post(
    ctx: Context, kind: str, subject: str, *, due_at: datetime | None = None, **facts: Any
) -> None:
    """Add work to be done after the transaction commits."""
    ctx.session.add(
        OutboxRow(
            id=new_id(ctx.now),
            kind=kind,
            subject=subject,
            facts=facts,
            due_at=due_at,
            attempts=0,
            created_at=ctx.now,
        )
    )
    if due_at is None:
        ctx.after_commit.append(ctx.services.posted.ring)


def oldest(session: Session, now: datetime) -> datetime | None:
    """Return the time since which the oldest due work waits."""
    due = or_(OutboxRow.due_at.is_(None), OutboxRow.due_at <= now)
    since = func.coalesce(OutboxRow.due_at, OutboxRow.created_at)
    return session.scalar(select(func.min(since)).where(due))


class Worker:
    """Does work of some kinds in background threads, each one piece at a time."""

    def __init__(
        self, services: Services, handlers: Mapping[str, Handler], name: str, threads: int = 1
    ) -> None:
        self._services, self._handlers = services, handlers
        self._lease = timedelta(seconds=services.settings.outbox_lease_seconds)
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True)
            for number in range(threads)
        ]

    def start(self) -> None:
        """Start, with the oldest work first."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop after the current piece of work."""
        self._stopped.set()
        self._services.posted.ring()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def work(self) -> int:
        """Do all due work; return the number of pieces."""
        taken = 0
        while not self._stopped.is_set() and (job := self._take()) is not None:
            self._do(job)
            taken += 1
        return taken

    def _run(self) -> None:
        while not self._stopped.is_set():
            heard = self._services.posted.heard()
            try:
                self.work()
            except SQLAlchemyError as fault:
                logger.warning("the database does not answer: %s", type(fault).__name__)
            except Exception:  # without this thread nobody would be told of anything any more
                logger.exception("no work was taken; it is tried again")
            if not self._stopped.is_set():
                self._services.posted.wait(heard, _LOOK_SECONDS)

    def _due(self, session: Session) -> ColumnElement[bool]:
        now = self._services.clock()
        free = or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= self._now(session))
        due = or_(OutboxRow.due_at.is_(None), OutboxRow.due_at <= now)
        return and_(OutboxRow.kind.in_(list(self._handlers)), due, free)

    def _now(self, session: Session) -> datetime:
        """Return the database's time, which all processes share, for leases."""
        if session.get_bind().dialect.name == "postgresql":
            told: datetime | None = session.scalar(select(func.clock_timestamp()))
            if told is not None:
                return told
        return self._services.clock()

    def _take(self) -> Job | None:
        while (leased := self._lease_one()) is not None:
            row_id, attempts = leased
            try:
                return self._read(row_id, attempts)
            except (ValueError, TypeError):  # it must not keep what was posted after it
                logger.exception("the outbox row %s cannot be read", row_id)
                self._try_again(row_id, attempts)
        return None

    def _lease_one(self) -> tuple[str, int] | None:
        """Lease the oldest due row; return its id and attempts, or `None`."""
        # A look takes no write lock; only taking does.
        with self._services.reading() as session:
            if session.scalar(select(OutboxRow.id).where(self._due(session)).limit(1)) is None:
                return None
        with self._services.sessions() as session:
            row = session.execute(
                select(OutboxRow.id, OutboxRow.attempts)
                .where(self._due(session))
                .order_by(OutboxRow.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).first()
            if row is None:
                return None
            until, attempts = self._now(session) + self._lease, row.attempts + 1
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == row.id)
                .values(leased_until=until, attempts=attempts)
            )
            session.commit()
            return row.id, attempts

    def _read(self, row_id: str, attempts: int) -> Job:
        """Return a leased row. Raises `ValueError` or `TypeError` if it was changed on disk."""
        with self._services.reading() as session:
            row = session.get_one(OutboxRow, row_id)
            if not isinstance(row.facts, dict):
                raise TypeError(f"facts that are none: {type(row.facts).__name__}")
            return Job(
                row.id,
                row.kind,
                row.subject,
                row.facts,
                attempts,
                row.created_at,
                lambda: self._renew(row_id),
            )

    def _renew(self, row_id: str) -> None:
        with self._services.sessions() as session:
            until = self._now(session) + self._lease
            kept = update(OutboxRow).where(OutboxRow.id == row_id).values(leased_until=until)
            session.execute(kept)
            session.commit()

    def _do(self, job: Job) -> None:
        try:
            self._handlers[job.kind](self._services, job)
        except Later as later:
            self._postpone(job.id, later.seconds, attempts=0)
        except Exception:
            logger.exception("%s %s is tried again later", job.kind, job.subject)
            self._try_again(job.id, job.attempts)
        else:
            with self._services.sessions() as session:
                session.execute(delete(OutboxRow).where(OutboxRow.id == job.id))
                session.commit()

    def _try_again(self, row_id: str, attempts: int) -> None:
        pause = 2.0 ** min(attempts, _MOST_DOUBLINGS)
        self._postpone(row_id, min(pause, _LONGEST_PAUSE_SECONDS))

    def _postpone(self, row_id: str, seconds: float, **values: Any) -> None:
        due = self._services.clock() + timedelta(seconds=seconds)
        self._change(row_id, due_at=due, leased_until=None, **values)

    def _change(self, row_id: str, **values: Any) -> None:
        with self._services.sessions() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == row_id).values(**values))
            session.commit()
