"""Search undecided and decided items page by page, in the order of a view."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select, union_all

from api.audit import service as audit
from api.kit.context import Context
from api.kit.paging import MOST_COUNTED, PageRequest, Sorted, counted, encode, moment, pagination
from api.kit.turns import Turns
from api.review import repository as reviews
from api.review.reading import matches
from api.review.views import View
from api.tables import IS_PENDING, Campaign, Feedback, Review, Scan
from shield.wire import Pagination

_CHUNK = 100
"""Lines read at once while messages are searched; other views read one page."""
_PER_CAMPAIGN = 5
"""Messages searched per campaign; they are near-identical."""
MOST = 5_000
"""Most campaigns or decided items that one request searches ..."""
MOST_SECONDS = 3.0
"""... and its longest time. The next page continues from there."""
SEARCHES = Turns(per_user=3, wait_seconds=2 * MOST_SECONDS)
"""Searches open messages for seconds: with a stolen token somebody could keep every thread busy."""


@dataclass(frozen=True)
class Searched:
    """The progress of a search."""

    examined: int
    whole: bool
    """Whether there are no further items."""


@dataclass(frozen=True)
class _Unit:
    """One line of the list: an undecided campaign or a decided item."""

    cursor: tuple[Any, str]
    messages: Sequence[tuple[Feedback, Scan]]


@dataclass(frozen=True)
class Line:
    """What is listed."""

    view: View
    where: Sequence[ColumnElement[bool]]
    """The conditions of the items."""
    model_type: str | None
    """The model type that the conditions ask for, if they do."""
    narrow: bool
    """Whether the conditions can leave few of the undecided items."""
    pending: ColumnElement[bool] = IS_PENDING
    """See `reviews.free_for`."""
    within: Sequence[ColumnElement[bool]] = ()
    """The conditions of the campaigns."""


def look(
    ctx: Context, paging: PageRequest, line: Line
) -> tuple[list[Feedback], Pagination, Searched]:
    """Return one page of a view: the item of each line, and the progress of the search.

    Decrypts only as many messages as the page and the limits need. The cursor continues the search,
    whether or not this page is full.

    Raises:
        RateLimited: The caller searches too often at the same time.
    """
    if not line.view.reads_texts:
        return _look(ctx, paging, line)
    with SEARCHES.taken(ctx.user, "searches"):
        return _look(ctx, paging, line)


def _look(
    ctx: Context, paging: PageRequest, line: Line
) -> tuple[list[Feedback], Pagination, Searched]:
    view = line.view
    order = _WAITING[view.sort]
    total = _total(ctx, line)
    chunk = _CHUNK if view.reads_texts else paging.limit + 1
    began, examined = time.monotonic(), 0
    matching: list[Feedback] = []
    cursor = paging.cursor
    skipped = 0 if cursor is not None else (paging.page - 1) * paging.limit
    offset = 0 if view.reads_texts else skipped  # the database skips what need not be opened
    skipped -= offset
    while True:
        units = list(_units(ctx, line, order, cursor, offset, chunk))
        offset = 0
        for unit in units:
            if len(matching) == paging.limit:
                break
            examined += 1
            cursor = unit.cursor
            row = _first(ctx, unit, view)
            if row is not None and skipped:
                skipped -= 1
            elif row is not None:
                matching.append(row)
        last = len(units) < chunk and (not units or cursor == units[-1].cursor)
        spent = examined >= MOST or time.monotonic() - began > MOST_SECONDS
        if last or len(matching) == paging.limit or spent:
            break
    if view.reads_texts:
        kinds = [name for name in ("q", "host", "language", "tactic") if getattr(view, name)]
        audit.record_later(
            ctx,
            "message.search",
            "queue",
            "review",
            by=kinds,
            examined=examined,
            found=len(matching),
        )
    following = None if last or cursor is None else encode(_told(cursor))
    return matching, pagination(paging, total, following), Searched(examined, last)


def _told(cursor: tuple[Any, str]) -> tuple[Any, str]:
    key, id_ = cursor
    return (key.isoformat() if hasattr(key, "isoformat") else key), id_


def _first(ctx: Context, unit: _Unit, view: View) -> Feedback | None:
    """Return the first item of a line that fulfils the view's filters, or `None`."""
    for item, scan in unit.messages:
        if not view.reads_texts:
            return item
        text = ctx.ring.shown(scan.text_sealed, scan.id) if scan.text_sealed is not None else None
        if text is not None and matches(text, view):
            return item
    return None


def _reports(value: Any) -> int:
    """Parse a number of reports from a cursor. Raises `ValueError`."""
    number = int(value)
    if not 0 <= number < 2**31:
        raise ValueError("no number of reports")
    return number


_WAITING = {
    "rank": Sorted(Campaign.queue_key, Campaign.id),
    "oldest": Sorted(Campaign.first_seen, Campaign.id, kind=moment),
    "largest": Sorted(Campaign.pending, Campaign.id, descending=True, kind=_reports),
}
_DECIDED = Sorted(Feedback.reviewed_at, Feedback.id, descending=True, kind=moment)
# A gold item waits for ever; to who has judged it, it is as decided as any other.
_JUDGED = Sorted(Review.at, Feedback.id, descending=True, kind=moment)


def _decided(
    ctx: Context,
    where: Sequence[ColumnElement[bool]],
    cursor: tuple[Any, ...] | None,
    most: int,
) -> Select[Any]:
    """Return the query for key and id of the newest decided items, at most `most` of each kind."""
    settled = (
        select(_DECIDED.key.label("key"), Feedback.id)
        .where(Feedback.reviewed_at.is_not(None), Feedback.source != "gold")
        .where(Feedback.status != "pending", *where)
    )
    gold = (
        select(_JUDGED.key.label("key"), Feedback.id)
        .join(Review, Review.feedback_id == Feedback.id)
        .where(Review.reviewer == ctx.user, Review.undone_at.is_(None))
        .where(Review.correct.is_not(None), Feedback.source == "gold", *where)
    )
    kinds = []
    for query, order in ((settled, _DECIDED), (gold, _JUDGED)):
        newer = query if cursor is None else query.where(order.after(cursor))
        kinds.append(select(newer.order_by(*order.order()).limit(most).subquery()))
    both = union_all(*kinds).subquery()
    return select(both.c.key, both.c.id).order_by(both.c.key.desc(), both.c.id.desc())


def _total(ctx: Context, line: Line) -> int:
    if line.view.state == "decided":
        return counted(ctx.session, _decided(ctx, line.where, None, MOST_COUNTED))
    return reviews.waiting_campaigns(
        ctx.session,
        ctx.user,
        ctx.now,
        line.where,
        line.model_type,
        line.pending,
        line.within,
    )


def _units(
    ctx: Context,
    line: Line,
    order: Sorted,
    cursor: tuple[Any, ...] | None,
    offset: int,
    chunk: int,
) -> Iterator[_Unit]:
    if line.view.state == "decided":
        query = _decided(ctx, line.where, cursor, offset + chunk).limit(chunk).offset(offset)
        lines = ctx.session.execute(query).all()
        items = reviews.with_scans(ctx.session, [id_ for _, id_ in lines])
        for key, id_ in lines:
            yield _Unit((key, id_), [items[id_]] if id_ in items else [])
        return
    campaigns = reviews.campaigns_in_order(
        ctx.user,
        ctx.now,
        line.where,
        line.model_type,
        order,
        narrow=line.narrow,
        firsts=_PER_CAMPAIGN if line.view.reads_texts else 1,
        pending=line.pending,
        within=line.within,
    )
    if cursor is not None:
        campaigns = campaigns.where(order.after(cursor))
    rows = ctx.session.execute(campaigns.limit(chunk).offset(offset)).all()
    items = reviews.with_scans(ctx.session, [first for row in rows for first in row[2:] if first])
    for key, campaign_id, *firsts in rows:
        yield _Unit((key, campaign_id), [items[first] for first in firsts if first in items])
