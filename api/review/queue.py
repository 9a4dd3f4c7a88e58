"""The review queue: undecided items, the most valuable first."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from api.audit import service as audit
from api.kit.context import Context
from api.kit.paging import PageRequest, Sorted, counted, fetch_page
from api.review import repository as reviews
from api.review import search
from api.review.items import items
from api.review.views import View, conditions
from api.tables import Feedback
from shield.errors import NotFound
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import Pagination, PendingItem


def filters(
    type_: FeedbackType | ScanType | None, model_type: ModelType | None, campaign: str | None
) -> list[ColumnElement[bool]]:
    """Return the conditions of the queue's filters; `type_` is a feedback type or scan type."""
    conditions: list[ColumnElement[bool]] = []
    if type_ is not None:
        column = Feedback.scan_type if isinstance(type_, ScanType) else Feedback.feedback_type
        conditions.append(column == type_.value)
    if model_type is not None:
        conditions.append(Feedback.model_type == model_type.value)
    if campaign is not None:
        conditions.append(Feedback.campaign_id == campaign)
    return conditions


def page(
    ctx: Context,
    paging: PageRequest,
    where: Sequence[ColumnElement[bool]],
    *,
    by_campaign: bool,
    view: View = View(),
) -> tuple[list[PendingItem], Pagination, search.Searched]:
    """Return one page of the queue; with `by_campaign` one item represents its campaign."""
    where = [*where, *conditions(ctx, view)]
    if by_campaign or view.reads_texts or view.state == "decided" or view.sort != "rank":
        rows, pagination, searched = search.look(ctx, paging, view, where)
        return items(ctx, rows), pagination, searched
    query = reviews.queue(ctx.user, ctx.now, where)
    order = Sorted(Feedback.queue_key, Feedback.id)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return items(ctx, rows), pagination, search.Searched(len(rows), pagination.next_cursor is None)


def waiting(ctx: Context, where: Sequence[ColumnElement[bool]], view: View = View()) -> int:
    """Return the number of campaigns that wait for the caller. Reads no messages."""
    where = [*where, *conditions(ctx, view)]
    return counted(ctx.session, reviews.campaign_queue(ctx.user, ctx.now, where))


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
