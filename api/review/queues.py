"""Named queues: what each holds, who works in it, and how much waits there."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, not_, or_, select, true

from api.audit import service as audit
from api.kit.context import Context
from api.review import repository as reviews
from api.review.views import TEAM, View, conditions, of_campaigns, teams_of
from api.tables import IS_WAITING, Campaign, ReviewQueue
from shield.errors import Conflict, Invalid, NotFound
from shield.reasons.tactics import book
from shield.wire import QueueRead, QueueRequest, QueuesRead

ALL = "all"
"""Instead of a queue's name: everything that waits."""
MOST = 100
"""Most queues."""
_EVERYBODYS = View(assigned="all")


def queues(ctx: Context) -> Sequence[ReviewQueue]:
    """Return all queues, by name."""
    return ctx.session.scalars(select(ReviewQueue).order_by(ReviewQueue.name)).all()


def works_in(ctx: Context, queue: ReviewQueue) -> bool:
    """Return whether the caller works in a queue, by name or as a member of a team."""
    own = {ctx.user, *(TEAM + name for name in teams_of(ctx))}
    return not own.isdisjoint(queue.members)


def holds(ctx: Context, name: str) -> list[ColumnElement[bool]]:
    """Return the conditions of a queue's campaigns; none for all that waits.

    Raises:
        NotFound: There is no such queue.
    """
    if name in ("", ALL):
        return []
    queue = ctx.session.get(ReviewQueue, name)
    if queue is None:
        raise _unknown(name)
    return of_campaigns(queue.languages, queue.tactics)


def waiting(ctx: Context, queue: ReviewQueue) -> int:
    """Return the number of campaigns of a queue that wait for the caller."""
    within = of_campaigns(queue.languages, queue.tactics)
    return _waiting(ctx, View(), within)


def overview(ctx: Context) -> QueuesRead:
    """Return all queues with what waits in each, whoever it is assigned to."""
    rows = queues(ctx)
    held = [of_campaigns(row.languages, row.tactics) for row in rows]
    rest = 0
    if all(held):  # else a queue holds everything
        left = not_(or_(*(_all(each) for each in held))) if held else true()
        rest = _waiting(ctx, _EVERYBODYS, [Campaign.language.is_not(None), left] if held else [])
    return QueuesRead(queues=[_read(ctx, row) for row in rows], rest=rest)


def _all(conditions_: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    together: ColumnElement[bool] = true()
    for one in conditions_:
        together &= one
    return together


def _waiting(ctx: Context, view: View, within: Sequence[ColumnElement[bool]]) -> int:
    where = conditions(ctx, view)
    return reviews.waiting_campaigns(ctx.session, ctx.user, ctx.now, where, within=within)


def _read(ctx: Context, row: ReviewQueue) -> QueueRead:
    within = of_campaigns(row.languages, row.tactics)
    oldest = ctx.session.scalar(
        select(Campaign.first_seen)
        .where(IS_WAITING, *within)
        .order_by(Campaign.first_seen)
        .limit(1)
    )
    return QueueRead(
        name=row.name,
        languages=row.languages,
        tactics=row.tactics,
        members=row.members,
        mine=works_in(ctx, row),
        waiting=_waiting(ctx, _EVERYBODYS, within),
        oldest=oldest,
    )


def put(ctx: Context, name: str, request: QueueRequest) -> QueueRead:
    """Make a queue, or change what it holds and who works in it.

    Raises:
        Invalid: A tactic or team is unknown, or the name is taken by "everything".
        Conflict: There are the most queues allowed.
    """
    _check(ctx, name, request)
    row = ctx.session.get(ReviewQueue, name)
    before = row.members if row else []
    if row is None:
        if len(queues(ctx)) >= MOST:
            raise Conflict(f"There are {MOST} queues. Remove one first.")
        row = ReviewQueue(name=name, created_at=ctx.now)
        ctx.session.add(row)
    row.languages = sorted(set(request.languages))
    row.tactics = sorted(set(request.tactics))
    row.members = sorted(set(request.members))
    row.updated_at = ctx.now
    audit.record(
        ctx,
        "queue.set",
        name,
        request.reason or "",
        languages=row.languages,
        tactics=row.tactics,
        joined=sorted(set(row.members) - set(before)),
        left=sorted(set(before) - set(row.members)),
    )
    ctx.session.flush()
    return _read(ctx, row)


def _check(ctx: Context, name: str, request: QueueRequest) -> None:
    if name.lower() == ALL:
        raise Invalid(f"name: {ALL!r} stands for everything that waits. Choose another name.")
    unknown = sorted(set(request.tactics) - book().tactics.keys())
    if unknown:
        raise Invalid(
            f"tactics: there is no {unknown[0]!r}. `GET /api/v2/review/guide` lists the tactics."
        )
    for member in request.members:
        team = member.removeprefix(TEAM)
        if member.startswith(TEAM) and team not in ctx.settings.review_teams:
            raise Invalid(
                f"members: there is no team {team!r}. SHIELD_API_REVIEW_TEAMS has "
                f"{', '.join(ctx.settings.review_teams) or 'none'}."
            )


def remove(ctx: Context, name: str, reason: str) -> None:
    """Delete a queue; what it holds waits on. Raises `NotFound`."""
    row = ctx.session.get(ReviewQueue, name)
    if row is None:
        raise _unknown(name)
    ctx.session.delete(row)
    audit.record(ctx, "queue.remove", name, reason, left=row.members)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no queue {name!r}. `/review/queues` shows those that there are.")
