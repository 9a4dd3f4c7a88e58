"""Periodic maintenance: erase old messages, end expired leases, remove leftover files."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import delete, exists, select, update

from api.audit import heads
from api.audit import service as audit
from api.batches import service as batches
from api.campaigns import signing
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.database import lock, settle
from api.kit.idempotency import forget_old
from api.known import service as known
from api.privacy import datasets, old_scans, snapshots
from api.tables import Contest, Feedback, Notice, Scan, WebhookDelivery, WebhookMessage
from shield.errors import ShieldError

logger = logging.getLogger("api.caretaker")

_CHUNK = 1000
"""Rows per transaction, which others wait for; what a death leaves over the next run does."""
EVENT_DAYS = 30
"""Time for which events are kept and can be sent to webhooks again."""
CARETAKER = Principal("caretaker", frozenset())


def retain(services: Services, days: float) -> int:
    """Erase unreported messages older than `days`, a chunk per transaction; return their number."""
    reported = exists().where(Feedback.scan_id == Scan.id)
    erased = 0
    while True:
        with open_context(services, CARETAKER) as ctx:
            old = select(Scan.id).where(
                Scan.created_at < ctx.now - timedelta(days=days),
                Scan.text_sealed.is_not(None),
                ~reported,
            )
            ids = list(ctx.session.scalars(old.limit(_CHUNK)))
            ctx.session.execute(
                update(Scan)
                .where(Scan.id.in_(ids))
                .values(text_sealed=None, fingerprint="", sketch=None)
            )
            if ids:
                said = f"older than {days:g} days"
                audit.record(ctx, "message.retention", "scans", said, count=len(ids))
        erased += len(ids)
        if len(ids) < _CHUNK:
            return erased


def look_after(services: Services) -> None:
    """Run all periodic work once."""
    for piece in PIECES:
        piece(services)


def _erase_old_scans(services: Services) -> None:
    old_scans.look_after(services, CARETAKER)


def _end_what_has_expired(services: Services) -> None:
    with open_context(services, CARETAKER) as ctx:
        lock(ctx.session, "caretaker")
        batches.expire(ctx)
        forget_old(ctx.session, ctx.now)
        _forget_contests(ctx, ctx.now - timedelta(days=services.settings.inbox_days))


def _forget_old_messages(services: Services) -> None:
    if services.settings.retention_days is not None:
        retain(services, services.settings.retention_days)


def _forget_old_notices(services: Services) -> None:
    while True:
        with open_context(services, CARETAKER) as ctx:
            old = Notice.created_at < ctx.now - timedelta(days=services.settings.inbox_days)
            ids = list(ctx.session.scalars(select(Notice.id).where(old).limit(_CHUNK)))
            ctx.session.execute(delete(Notice).where(Notice.id.in_(ids)))
        if len(ids) < _CHUNK:
            return


def _forget_old_events(services: Services) -> None:
    while True:
        with open_context(services, CARETAKER) as ctx:
            old = WebhookMessage.at < ctx.now - timedelta(days=EVENT_DAYS)
            ids = list(ctx.session.scalars(select(WebhookMessage.id).where(old).limit(_CHUNK)))
            ctx.session.execute(
                delete(WebhookDelivery)
                .where(WebhookDelivery.message_id.in_(ids))
                .execution_options(synchronize_session=False)
            )
            ctx.session.execute(delete(WebhookMessage).where(WebhookMessage.id.in_(ids)))
        if len(ids) < _CHUNK:
            return


def _in_one_context(work: Callable[[Context], object]) -> Callable[[Services], None]:
    def piece(services: Services) -> None:
        with open_context(services, CARETAKER) as ctx:
            work(ctx)

    return piece


def _settle(services: Services) -> None:
    settle(services.engine)


PIECES: tuple[Callable[[Services], None], ...] = (
    _erase_old_scans,
    _end_what_has_expired,
    _forget_old_messages,
    _forget_old_notices,
    _forget_old_events,
    partial(known.look_after, principal=CARETAKER),
    _in_one_context(snapshots.sweep),
    _in_one_context(datasets.sweep),
    _in_one_context(heads.publish),
    _settle,
)
"""Periodic work, in order. A store that lets nothing be deleted, say, must not keep leases from
ending and messages from being erased by age: the caretaker tries each piece by itself."""


def _forget_contests(ctx: Context, kept: datetime) -> None:
    """Forget what senders wrote of themselves, once it is decided; messages stay as reports do."""
    waits = select(Feedback.id).where(Feedback.source == "contest", Feedback.status == "pending")
    ctx.session.execute(
        delete(Contest)
        .where(
            Contest.created_at < kept,
            Contest.feedback_id.is_(None) | Contest.feedback_id.not_in(waits),
        )
        .execution_options(synchronize_session=False)
    )


def sign_again(services: Services, progress: Callable[[int], None] = lambda done: None) -> int:
    """Recompute outdated fingerprints and sketches with the current key; return their number."""
    done = signing.resign(services, CARETAKER, progress)
    known.look_after(services, CARETAKER)
    return done


class Caretaker:
    """Runs the periodic work in a background thread."""

    def __init__(self, services: Services, every_seconds: float) -> None:
        self._services = services
        self._every = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)

    def start(self) -> None:
        """Start; make partitions and recompute fingerprints now, the rest after one interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the current run."""
        self._stopped.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        self._try(lambda: old_scans.make_room(self._services, CARETAKER))
        self._try(lambda: sign_again(self._services))
        while not self._stopped.wait(self._every):
            for piece in PIECES:
                self._try(partial(piece, self._services))

    def _try(self, work: Callable[[], object]) -> None:
        try:
            work()
        except ShieldError as error:
            logger.warning("periodic maintenance failed: %s", error.message)
        except Exception:
            logger.exception("not looked after")
