"""Webhooks: events about decisions, known campaigns, versions, promotions and rollbacks."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shield.crds.base import Wire
from shield.wire.base import NO_NUL, Answer, Identifier

EventPattern = Annotated[str, StringConstraints(pattern=r"^(\*|[a-z]+\.(\*|[a-z-]+))$")]
"""An event kind; `known.*` includes all kinds with this prefix, `*` all kinds."""


class WebhookRequest(Wire):
    """A URL that receives events."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
    """`https://...`; `http://` only for networks allowed by the settings."""
    events: list[EventPattern] = Field(default=["*"], min_length=1, max_length=50)
    with_text: bool = False
    """Whether events include the messages' texts; default: no."""


class WebhookRead(Answer):
    """A webhook."""

    id: str
    url: str
    events: list[str]
    with_text: bool
    created_by: str
    created_at: datetime
    gone_at: datetime | None
    """When the receiver answered 410 Gone; no events are sent afterwards."""
    waiting: int
    """Number of pending deliveries."""
    failed: int
    """Number of failed deliveries; `replay` sends them again."""
    secret: str | None = None
    """Secret of the signatures (`whsec_...`); returned only when the webhook is created."""


class DeliveryOutcome(StrEnum):
    """Outcome of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class DeliveryRead(Answer):
    """The delivery of one event to one webhook."""

    id: str
    message_id: str
    """Value of the header `webhook-id`, the same for each attempt, to detect repetitions."""
    kind: str
    at: datetime
    outcome: DeliveryOutcome
    attempts: int
    tried_at: datetime | None
    said: str
    """Result of the latest attempt."""


class ReplayRequest(Wire):
    """Events to send again."""

    messages: list[Identifier] = Field(default=[], max_length=200)
    """By `webhook-id`; default: all failed ones."""
    since: datetime | None = None
    """All events since this time, delivered or not; at most 30 days back."""


class Replayed(Answer):
    """The number of events sent again."""

    sent: int
