"""`Idempotency-Key`, honoured as Stripe does: same key and body, same answer; another body, 422."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

from fastapi import Header
from pydantic import BaseModel
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import Index, String, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from api.kit.database import Base, lock
from shield.errors import IdempotencyKeyReused

KEPT_SECONDS = 24 * 3600

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
    """The first answer to a key, kept for a day."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)

    caller: Mapped[str] = mapped_column(String(128), primary_key=True)
    key: Mapped[str] = mapped_column(String(320), primary_key=True)
    """Route and key: the same key on another route is another key."""
    body_digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


def once(
    session: Session,
    now: datetime,
    *,
    caller: str,
    route: str,
    key: str | None,
    body: BaseModel,
    kind: type[T],
    work: Callable[[], T],
) -> T:
    """Do `work`, or return the answer that the same request got before.

    Only successes are remembered: a refused request may be corrected and sent again.

    Raises:
        IdempotencyKeyReused: The key came with another body.
    """
    if key is None:
        return work()
    name = f"{route} {key}"
    digest = hashlib.sha256(body.model_dump_json(by_alias=True).encode()).hexdigest()
    lock(session, f"idempotency {caller} {name}")
    known = session.get(RememberedAnswer, (caller, name))
    if known is not None and known.created_at > now - timedelta(seconds=KEPT_SECONDS):
        if known.body_digest != digest:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was used with another body. Use a new key for a new request."
            )
        return kind.model_validate(known.answer)
    answer = work()
    if known is not None:
        session.delete(known)
        session.flush()
    session.add(
        RememberedAnswer(
            caller=caller,
            key=name,
            body_digest=digest,
            answer=answer.model_dump(mode="json", by_alias=True),
            created_at=now,
        )
    )
    return answer


def forget_old(session: Session, now: datetime) -> None:
    """Drop answers that are past their day."""
    oldest = now - timedelta(seconds=KEPT_SECONDS)
    session.execute(delete(RememberedAnswer).where(RememberedAnswer.created_at < oldest))
