"""Webhooks: operators are told of decisions, known campaigns, versions, promotions, rollbacks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shield.crds.base import Wire
from shield.wire.base import NO_NUL, Answer, Identifier

EventPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z]+\.(\*|[a-z-]+))$")]
"""A kind of event, `known.*` for all that begin so, `*` for all."""


class WebhookRequest(Wire):
    """An address that is to be told of events."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
    """`https://...`; `http://` only to networks that the settings allow."""
    events: list[EventPattern] = Field(default=["*"], min_length=1, max_length=50)
    with_text: bool = False
    """Whether messages' texts are sent along; left out, none leaves."""


class WebhookRead(Answer):
    """A webhook."""

    id: str
    url: str
    events: list[str]
    with_text: bool
    created_by: str
    created_at: datetime
    gone_at: datetime | None
    """When the receiver said that it is there no more; from then on it is told nothing."""
    waiting: int
    """Events on their way."""
    failed: int
    """Events that were given up; `replay` sends them again."""
    secret: str | None = None
    """What the signatures are made with (`whsec_...`). Shown once, when the webhook is made."""


class DeliveryOutcome(StrEnum):
    """What became of an event."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryRead(Answer):
    """One event on its way to one webhook."""

    id: str
    message_id: str
    """The header `webhook-id`: the same for each attempt, so that a receiver knows repetitions."""
    kind: str
    at: datetime
    outcome: DeliveryOutcome
    attempts: int
    tried_at: datetime | None
    said: str
    """What came of the latest attempt."""


class ReplayRequest(Wire):
    """Which events are to be sent again."""

    messages: list[Identifier] = Field(default=[], max_length=200)
    """By `webhook-id`; left out, all that were given up."""
    since: datetime | None = None
    """All events since then, delivered or not; at most 30 days back."""


class Replayed(Answer):
    """How many events are sent again."""

    sent: int
