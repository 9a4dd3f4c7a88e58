"""Saved views of the queue, per reviewer."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select

from api.kit.context import Context
from api.kit.ids import new_id
from api.tables import SavedView
from shield.errors import AlreadyExists, Conflict, NotFound

MOST = 30
"""Most saved views per reviewer."""


def views_of(ctx: Context) -> Sequence[SavedView]:
    """Return the caller's saved views, by name."""
    return ctx.session.scalars(
        select(SavedView).where(SavedView.owner == ctx.user).order_by(SavedView.name)
    ).all()


def save(ctx: Context, name: str, query: str) -> SavedView:
    """Save a view.

    Raises:
        AlreadyExists: The caller has a view of this name.
        Conflict: The caller has the most views allowed.
    """
    own = select(SavedView).where(SavedView.owner == ctx.user)
    if ctx.session.scalar(own.where(SavedView.name == name)) is not None:
        raise AlreadyExists(
            f"You have a view {name!r}. Give this one another name, or remove that."
        )
    if (ctx.session.scalar(select(func.count()).select_from(own.subquery())) or 0) >= MOST:
        raise Conflict(f"You keep {MOST} views. Remove one first.")
    view = SavedView(id=new_id(ctx.now), owner=ctx.user, name=name, query=query, created_at=ctx.now)
    ctx.session.add(view)
    ctx.session.flush()
    return view


def remove(ctx: Context, view_id: str) -> None:
    """Delete a view. Raises `NotFound` if the caller has no such view."""
    gone = ctx.session.execute(
        delete(SavedView).where(SavedView.id == view_id, SavedView.owner == ctx.user)
    )
    if not getattr(gone, "rowcount", 0):
        raise NotFound(f"You have no view {view_id}. Reload the page to see those that you have.")
