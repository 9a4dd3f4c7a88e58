"""Users: made on first contact, known to others by a random pseudonym."""

import secrets

from sqlalchemy.dialects import postgresql, sqlite

from api.feedback.models import User
from api.kit.context import Context


def ensure_user(ctx: Context, user_id: str) -> None:
    """Make the user's row if it is missing; two requests at once make one."""
    if ctx.session.get(User, user_id) is not None:
        return
    dialect = ctx.session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    ctx.session.execute(
        insert(User)
        .values(
            id=user_id,
            pseudonym="r-" + secrets.token_hex(6),
            audit_consent=False,
            approved=0,
            rejected=0,
            created_at=ctx.now,
        )
        .on_conflict_do_nothing(index_elements=[User.id])
    )


def get_user(ctx: Context, user_id: str) -> User:
    """Return the user's row, made if it is missing."""
    ensure_user(ctx, user_id)
    return ctx.session.get_one(User, user_id)
