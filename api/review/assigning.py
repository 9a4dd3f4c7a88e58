"""Assign items to reviewers or teams, and mute reporters for a while."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select, update

from api.audit import service as audit
from api.feedback import repository as feedback
from api.kit.context import Context
from api.review import queues
from api.review.repository import names
from api.review.views import TEAM
from api.tables import Feedback, User
from shield.errors import Invalid, NotFound
from shield.wire import AssignRequest, FeedbackRead, MutedReporter, MuteRequest


def assign(ctx: Context, feedback_id: str, request: AssignRequest) -> FeedbackRead:
    """Assign an item and its campaign's waiting items to a reviewer, a team or nobody.

    An assignment is not a lock: other reviewers can still decide the item.

    Raises:
        NotFound: There is no such item.
        Invalid: There is no such team or reviewer.
    """
    item = feedback.locked(ctx, feedback_id)
    to = (request.to or "").strip() or None
    _known(ctx, to)
    of = Feedback.id == item.id
    if item.campaign_id is not None and request.scope == "campaign":
        of = Feedback.campaign_id == item.campaign_id
    # Who held it lets go: whoever takes over finds it free.
    free = {"claimed_by": None, "claimed_until": None}
    values = {"assigned_to": to, **(free if item.claimed_by == ctx.user else {})}
    done = ctx.session.execute(
        update(Feedback)
        .where(of, Feedback.status == "pending")
        .values(values)
        .execution_options(synchronize_session="fetch")
    )
    covered = getattr(done, "rowcount", 0)
    audit.record(
        ctx, "feedback.assign", item.id, request.reason or "", to=to or "nobody", covered=covered
    )
    ctx.session.flush()
    return feedback.readable(ctx, item)


def _known(ctx: Context, to: str | None) -> None:
    if to is None or to == ctx.user:
        return
    teams = ctx.settings.review_teams
    if to.startswith(TEAM):
        if to.removeprefix(TEAM) not in teams:
            raise Invalid(
                f"to: there is no {to!r}. SHIELD_API_REVIEW_TEAMS has "
                f"{', '.join(TEAM + name for name in teams) or 'none'}."
            )
        return
    if to not in people(ctx):
        raise Invalid(
            f"to: nobody called {to!r} has reviewed here, nor works in a queue or a team of "
            "SHIELD_API_REVIEW_TEAMS. An item that is given to nobody's name would be lost."
        )


def people(ctx: Context) -> Sequence[str]:
    """Return the reviewers: users who have decided an item, or work in a team or a queue."""
    decided = ctx.session.scalars(names())
    members = {name for names in ctx.settings.review_teams.values() for name in names}
    working = {name for row in queues.queues(ctx) for name in row.members}
    return sorted({*decided, *members, ctx.user, *(n for n in working if not n.startswith(TEAM))})


def mute(ctx: Context, feedback_id: str, request: MuteRequest) -> MutedReporter:
    """Hide the reports of an item's reporter from the queue for some days; none is lost.

    Raises:
        NotFound: There is no such item, or its reporter was erased.
    """
    item = feedback.locked(ctx, feedback_id)
    user = ctx.session.get(User, item.user_id)
    if user is None:
        raise NotFound(f"{feedback_id}: its reporter has been erased, so there is nobody to mute.")
    user.muted_until = ctx.now + timedelta(days=request.days)
    audit.record(ctx, "reporter.mute", user.pseudonym, request.reason, days=request.days)
    ctx.session.flush()
    return _muted(ctx, user)


def unmute(ctx: Context, pseudonym: str, reason: str) -> MutedReporter:
    """Unmute a reporter. Raises `NotFound` if the reporter is not muted."""
    user = ctx.session.scalar(
        select(User).where(User.pseudonym == pseudonym, User.muted_until > ctx.now)
    )
    if user is None:
        raise NotFound(
            f"No reporter {pseudonym!r} is muted. `GET /api/v2/review/muted` lists those who are."
        )
    read = _muted(ctx, user)
    user.muted_until = None
    audit.record(ctx, "reporter.unmute", pseudonym, reason)
    return read


def muted(ctx: Context) -> list[MutedReporter]:
    """Return the muted reporters, the first to be unmuted on top."""
    users = ctx.session.scalars(
        select(User)
        .where(User.muted_until > ctx.now)
        .order_by(User.muted_until, User.id)
        .limit(200)
    )
    return [_muted(ctx, user) for user in users]


def _muted(ctx: Context, user: User) -> MutedReporter:
    waiting = ctx.session.scalar(
        select(func.count())
        .select_from(Feedback)
        .where(Feedback.user_id == user.id, Feedback.status == "pending")
    )
    return MutedReporter(
        pseudonym=user.pseudonym, until=user.muted_until or ctx.now, waiting=waiting or 0
    )
