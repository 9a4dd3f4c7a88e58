"""The review queue: undecided items, the most valuable first."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from api.audit import service as audit
from api.kit.context import Context
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.review import queues, search, sorting
from api.review import repository as reviews
from api.review.items import items
from api.review.views import View, conditions, of_campaigns
from api.tables import IS_PENDING, IS_WAITING, Campaign, Feedback
from shield.errors import NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import Pagination, PendingItem


@dataclass(frozen=True)
class Filters:
    """Filters of the queue beside those of a view; `None` does not filter."""

    type_: FeedbackType | ScanType | None = None
    """A feedback type or scan type."""
    model_type: ModelType | None = None
    campaign: str | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions of the items."""
        conditions: list[ColumnElement[bool]] = []
        if self.type_ is not None:
            of_scan = isinstance(self.type_, ScanType)
            column = Feedback.scan_type if of_scan else Feedback.feedback_type
            conditions.append(column == self.type_.value)
        if self.model_type is not None:
            conditions.append(Feedback.model_type == self.model_type.value)
        if self.campaign is not None:
            conditions.append(Feedback.campaign_id == self.campaign)
        return conditions


def page(
    ctx: Context,
    paging: PageRequest,
    filters: Filters = Filters(),
    *,
    by_campaign: bool,
    view: View = View(),
) -> tuple[list[PendingItem], Pagination, search.Searched]:
    """Return one page of the queue; with `by_campaign` one item represents its campaign."""
    within = _within(ctx, view)
    where = [*filters.conditions, *conditions(ctx, view)]
    if by_campaign or view.reads_texts or view.state == "decided" or view.sort != "rank":
        narrow = view.is_narrow or filters.type_ is not None or filters.campaign is not None
        model_type = filters.model_type.value if filters.model_type else None
        pending = reviews.PENDING_OF_SOME if view.of_some else IS_PENDING
        line = search.Line(view, where, model_type, narrow, pending, within)
        rows, pagination, searched = search.look(ctx, paging, line)
        return items(ctx, rows), pagination, searched
    if within:
        of = select(Campaign.id).where(IS_WAITING, *within)
        where.append(Feedback.campaign_id.in_(of))
    query = reviews.queue(ctx.user, ctx.now, where)
    order = Sorted(Feedback.queue_key, Feedback.id)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return items(ctx, rows), pagination, search.Searched(len(rows), pagination.next_cursor is None)


def _within(ctx: Context, view: View) -> list[ColumnElement[bool]]:
    """Return the conditions of a view's campaigns. What was decided is in no queue."""
    if view.state == "decided":
        return []
    within = [
        *queues.holds(ctx, view.queue),
        *of_campaigns([view.language] * bool(view.language), [view.tactic] * bool(view.tactic)),
    ]
    if within:
        sorting.sort(ctx)
    return within


def waiting(ctx: Context, filters: Filters, view: View = View()) -> int:
    """Return the number of campaigns that wait for the caller."""
    within = _within(ctx, view)
    where = [*filters.conditions, *conditions(ctx, view)]
    model_type = filters.model_type.value if filters.model_type else None
    return reviews.waiting_campaigns(
        ctx.session,
        ctx.user,
        ctx.now,
        where,
        model_type,
        reviews.PENDING_OF_SOME if view.of_some else IS_PENDING,
        within,
    )


def note_reading(ctx: Context, shown: Sequence[PendingItem]) -> None:
    """Record in the audit log whose messages a reviewer has read."""
    if shown:
        ids = [one.id for one in shown]
        audit.record_later(ctx, "message.read", "queue", "review", feedback=ids)


def one(ctx: Context, feedback_id: str) -> PendingItem:
    """Return one item by its id, decided or not. Raises `NotFound`."""
    row = ctx.session.get(Feedback, feedback_id)
    if row is None:
        raise NotFound.of("feedback", feedback_id, "`shieldctl review list` shows what waits.")
    (item,) = items(ctx, [row])
    return item
