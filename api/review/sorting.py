"""Note the language and the tactic of campaigns that wait, so that queues find them by an index.

Nothing is computed while somebody scans or reports. Whoever looks at a queue of a language or a
tactic first has all that is new opened and noted, each campaign once.
"""

import logging
import threading
import time

from sqlalchemy import Row, select, update

from api.kit.context import Context
from api.kit.paging import counted
from api.review.reading import language_of
from api.tables import IS_PENDING, IS_UNSORTED, Campaign, Feedback, Scan
from shield.errors import Misconfigured
from shield.reasons import tactics

logger = logging.getLogger("api.review")

_CHUNK = 100
MOST = 3_000
"""Most campaigns that one request sorts ..."""
MOST_SECONDS = 1.0
"""... and its longest time. The next request goes on from there."""
_SORTING = threading.Lock()


def sort(ctx: Context) -> None:
    """Note language and tactic of the waiting campaigns that have none yet, as many as time allows.

    Only one request of a process does it; others go on at once with what is sorted so far.

    For requests that only read: what is noted is written in transactions of its own, and the
    request's transaction begins anew, so that it sees it.
    """
    # Who waited here would keep a thread and a connection that scans need.
    if not _SORTING.acquire(blocking=False):
        return
    try:
        ctx.session.commit()  # gives its connection back: one is enough for a request
        _sort(ctx)
    finally:
        _SORTING.release()


def _sort(ctx: Context) -> None:
    began, done = time.monotonic(), 0
    while done < MOST and time.monotonic() - began < MOST_SECONDS:
        unsorted = _next(ctx)
        if not unsorted:
            break
        # Rows are locked by their ids, in one order everywhere.
        noted = sorted((_read(ctx, row) for row in unsorted), key=lambda each: str(each["id"]))
        with ctx.services.sessions() as session:
            session.execute(update(Campaign), noted)
            session.commit()
        done += len(noted)


def unsorted(ctx: Context) -> int:
    """Return the number of waiting campaigns that are in no queue of a language or tactic yet."""
    return counted(ctx.session, select(Campaign.id).where(IS_UNSORTED))


def _next(ctx: Context) -> list[Row[str, str, bytes | None]]:
    """Return id, scan and sealed message of the campaigns to be sorted next."""
    with ctx.services.reading() as session:
        first = (
            select(Feedback.scan_id)
            .where(Feedback.campaign_id == Campaign.id, IS_PENDING)
            .order_by(Feedback.queue_key, Feedback.id)
            .limit(1)
            .scalar_subquery()
        )
        chosen = (
            select(Campaign.id, first.label("scan_id"))
            .where(IS_UNSORTED)
            .order_by(Campaign.queue_key)
            .limit(_CHUNK)
            .subquery()
        )
        return list(
            session.execute(
                select(chosen.c.id, Scan.id, Scan.text_sealed).outerjoin(
                    Scan, Scan.id == chosen.c.scan_id
                )
            )
        )


def _read(ctx: Context, row: Row[str, str, bytes | None]) -> dict[str, str]:
    """Return a campaign's new values; empty ones where its message says nothing or is not readable.

    One such message must not keep the others from their queues, nor be opened at every look.
    """
    campaign_id, scan_id, sealed = row
    try:
        text = ctx.ring.open(sealed, scan_id) if sealed is not None else ""
    except Misconfigured as fault:
        logger.error("campaign %s is in no queue of a language or tactic: %s", campaign_id, fault)
        text = ""
    language, tactic = (language_of(text), tactics.nearest(text)) if text else (None, None)
    return {"id": campaign_id, "language": language or "", "tactic": tactic or ""}
