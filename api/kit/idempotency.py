"""`Idempotency-Key`, as at Stripe: same key and body give the same response, another body 422."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Header
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import (
    ColumnElement,
    Index,
    Row,
    String,
    and_,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.kit.context import Context
from api.kit.database import Base
from api.kit.writes import Writes
from shield.database_errors import is_conflict
from shield.errors import IdempotencyKeyReused, Unavailable

KEPT_SECONDS = 24 * 3600
_AT_WORK_SECONDS = 60
"""Time after which a reserved key without a response is taken for a crashed request."""
_AGAIN_SECONDS = 5
"""Time after which a client asks again for the answer of a request that is still running."""

T = TypeVar("T", bound=BaseModel)

IdempotencyKey = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeating a request with the same key and body gives the first answer again.",
    ),
]


class RememberedAnswer(Base):
    """The first response to a key, kept for a day."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    caller: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(320), primary_key=True)
    """Route and key: keys are scoped by route."""
    body_digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]]
    """The response; empty while the first request still works outside the database."""
    created_at: Mapped[datetime]


def once(
    ctx: Context,
    *,
    route: str,
    key: str | None,
    body: BaseModel,
    kind: type[T],
    work: Callable[[Writes], T],
    private: Sequence[str] = (),
) -> T:
    """Do `work`, or return the stored response of the same request.

    Only successes are stored: a refused request may be corrected and sent again.

    Args:
        ctx: The request's context.
        route: Method and path; keys are scoped by route.
        key: The caller's `Idempotency-Key`; without one the work is done each time.
        body: The request's body.
        kind: Type of the response.
        work: Does the work; its writes are committed together with the stored response.
        private: Members of the response that repeat the body's. They are not stored, since the
            repeated request contains them.

    Raises:
        IdempotencyKeyReused: The key came with another body.
        IntegrityError: A concurrent request has the same key; a retry returns its response.
    """
    writes = Writes()
    if key is None:
        answer = work(writes)
        writes.run(ctx.session)
        return answer
    call = Call.of(ctx, route, key, body)
    known = call.known(ctx)
    if known is not None:
        kept = kind.model_validate(known.answer)
        return kept.model_copy(update={member: getattr(body, member) for member in private})
    answer = work(writes)
    call.keep(ctx, writes, kept_part(answer, private))
    writes.run(ctx.session)
    return answer


def kept_part(answer: BaseModel, private: Collection[str]) -> dict[str, Any]:
    """Return what is stored of a response: all but its `private` members."""
    return answer.model_dump(mode="json", by_alias=True, exclude=set(private))


def once_beyond(
    ctx: Context,
    *,
    route: str,
    key: str | None,
    body: BaseModel,
    kind: type[T],
    work: Callable[[], T],
) -> T:
    """Do work with effects outside the database once: the key is reserved before it starts.

    Raises:
        IdempotencyKeyReused: The key came with another body.
        Unavailable: The first request with the key is still running, or was killed less than a
            minute ago. Not a conflict: clients drop for good what a 4xx refuses.
    """
    if key is None:
        return work()
    call = Call.of(ctx, route, key, body)
    known = call.known(ctx)
    if known is not None and known.answer:
        return kind.model_validate(known.answer)
    if known is not None:
        if known.created_at > ctx.now - timedelta(seconds=_AT_WORK_SECONDS):
            raise _still_at_work()
        ctx.session.execute(delete(RememberedAnswer).where(call.row))
    try:
        writes = Writes()
        call.keep(ctx, writes, {})
        writes.run(ctx.session)
        ctx.session.commit()
    except IntegrityError as error:
        ctx.session.rollback()
        if not is_conflict(error):
            raise
        raise _still_at_work() from error
    try:
        answer = work()
    except BaseException:
        ctx.session.rollback()
        ctx.session.execute(delete(RememberedAnswer).where(call.row))
        ctx.session.commit()
        raise
    kept = answer.model_dump(mode="json", by_alias=True)
    ctx.session.execute(update(RememberedAnswer).where(call.row).values(answer=kept))
    return answer


def _still_at_work() -> Unavailable:
    return Unavailable(
        "The first request with this Idempotency-Key is still running. Send it again in "
        f"{_AGAIN_SECONDS} seconds to get its answer.",
        retry_after_seconds=_AGAIN_SECONDS,
    )


_KEPT = select(
    RememberedAnswer.body_digest, RememberedAnswer.answer, RememberedAnswer.created_at
).where(RememberedAnswer.caller == bindparam("caller"), RememberedAnswer.key == bindparam("name"))


@dataclass(frozen=True)
class Call:
    """A request with a key, identified by caller, route and key."""

    caller: str
    name: str
    digest: str

    @classmethod
    def of(cls, ctx: Context, route: str, key: str, body: BaseModel) -> "Call":
        """Return the call of a request."""
        # Keyed, so that what a person wrote cannot be guessed from it.
        content = body.model_dump_json(by_alias=True).encode()
        secret = ctx.ring.lot_key
        digest = hashlib.blake2b(content, key=secret, digest_size=32).hexdigest()
        return cls(ctx.user, f"{route} {key}", digest)

    @property
    def row(self) -> ColumnElement[bool]:
        """Return the condition for the stored response."""
        return and_(RememberedAnswer.caller == self.caller, RememberedAnswer.key == self.name)

    def known(self, ctx: Context) -> Row[tuple[str, dict[str, Any], datetime]] | None:
        """Return the stored response of the key. Raises `IdempotencyKeyReused`."""
        parameters = {"caller": self.caller, "name": self.name}
        kept = ctx.session.connection().execute(_KEPT, parameters).first()
        if kept is not None and kept.created_at <= ctx.now - timedelta(seconds=KEPT_SECONDS):
            ctx.session.execute(delete(RememberedAnswer).where(self.row))
            return None
        if kept is not None and kept.body_digest != self.digest:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            )
        return kept

    def keep(self, ctx: Context, writes: Writes, answer: dict[str, Any]) -> None:
        """Add the response to the writes."""
        writes.add(
            RememberedAnswer,
            caller=self.caller,
            key=self.name,
            body_digest=self.digest,
            answer=answer,
            created_at=ctx.now,
        )


def forget_old(session: Session, now: datetime) -> None:
    """Delete responses older than a day."""
    oldest = now - timedelta(seconds=KEPT_SECONDS)
    session.execute(delete(RememberedAnswer).where(RememberedAnswer.created_at < oldest))
