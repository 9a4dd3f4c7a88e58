"""Manage users: created on first use, shown to others under a random pseudonym."""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from api.kit import trust
from api.kit.context import Context
from api.tables import Feedback, User
from shield.wire import MeRead, ReporterSummary


def ensure_user(ctx: Context, user_id: str) -> None:
    """Create the user's row if it is missing. Safe for concurrent requests."""
    if ctx.session.get(User, user_id) is None:
        make_missing(ctx.session, {user_id: ctx.now})


def make_missing(session: Session, users: Mapping[str, datetime]) -> None:
    """Create missing rows of users, by id and time. Safe for concurrent requests."""
    if users:
        rows = [_new(user_id, now) for user_id, now in sorted(users.items())]
        session.execute(_unless_there(session), rows)


def begin_user(ctx: Context, user_id: str) -> bool:
    """Create the user's row; return whether there was none. Of concurrent requests one wins."""
    insert = _unless_there(ctx.session).values(_new(user_id, ctx.now)).returning(User.id)
    return ctx.session.scalar(insert) is not None


def _unless_there(session: Session) -> sqlite.Insert | postgresql.Insert:
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(User).on_conflict_do_nothing(index_elements=[User.id])


def _new(user_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": user_id,
        "pseudonym": "r-" + secrets.token_hex(6),
        "audit_consent": False,
        "approved": 0,
        "rejected": 0,
        "record_approved": 0.0,
        "record_rejected": 0.0,
        "created_at": now,
    }


def get_user(ctx: Context, user_id: str) -> User:
    """Return the user's row; create it if it is missing."""
    ensure_user(ctx, user_id)
    return ctx.session.get_one(User, user_id)


def pseudonymous_user(ctx: Context) -> str:
    """Create an artificial user with the record and age of some real reporter; return the id.

    Reviewers see both, and a reporter without a record would reveal a gold item.
    """
    user_id = f"u-{secrets.token_hex(8)}"
    real = ctx.session.scalar(
        select(User)
        .where(User.id.in_(select(Feedback.user_id).where(Feedback.source == "report")))
        .order_by(func.random())
        .limit(1)
    )
    ctx.session.add(
        User(
            id=user_id,
            pseudonym="r-" + secrets.token_hex(6),
            audit_consent=False,
            approved=real.approved if real else 0,
            rejected=real.rejected if real else 0,
            record_approved=real.record_approved if real else 0.0,
            record_rejected=real.record_rejected if real else 0.0,
            record_at=real.record_at if real else None,
            created_at=real.created_at if real else ctx.now - timedelta(days=60),
        )
    )
    ctx.session.flush()
    return user_id


def reporter_summary(user: User, now: datetime) -> ReporterSummary:
    """Return a reporter in the form shown to reviewers."""
    record = user.record.faded(now)
    low, high = trust.interval(record.approved, record.rejected)
    return ReporterSummary(
        pseudonym=user.pseudonym,
        trust=user.record.trust(now),
        trust_low=low,
        trust_high=high,
        decided=user.approved + user.rejected,
        approved=user.approved,
        is_new=user.created_at > now - timedelta(seconds=trust.NEW_SECONDS),
    )


def me(ctx: Context) -> MeRead:
    """Return the caller's account data."""
    user = ctx.session.get(User, ctx.user)
    return MeRead(
        subject=ctx.user,
        roles=sorted(ctx.principal.roles),
        audit_consent=bool(user and user.audit_consent),
        approved=user.approved if user else 0,
        rejected=user.rejected if user else 0,
    )


def set_consent(ctx: Context, audit_consent: bool) -> MeRead:
    """Give or withdraw the caller's consent to the audit sample."""
    get_user(ctx, ctx.user).audit_consent = audit_consent
    ctx.session.flush()
    return me(ctx)
