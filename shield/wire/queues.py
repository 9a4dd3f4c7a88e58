"""Named queues of reviewers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire
from shield.wire.base import Answer, Identifier, Reason


class QueueRequest(Wire):
    """What a queue holds, and who works in it."""

    languages: Annotated[
        list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]], Field(max_length=50)
    ] = []
    """ISO 639 codes; empty: all languages, messages of an uncertain one included."""
    tactics: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100)] = []
    """Ids of tactics (`GET /review/guide`); empty: all, messages without one included."""
    members: Annotated[list[Identifier], Field(max_length=200)] = []
    """User ids, and teams as `team:NAME`. Their queue page begins with this queue."""
    reason: Reason | None = None


class QueueRead(Answer):
    """A queue."""

    name: str
    languages: list[str]
    tactics: list[str]
    members: list[str]
    mine: bool
    """Whether the caller works in it."""
    waiting: int
    """Number of campaigns that the caller may decide, whoever they are assigned to, counted up to
    10,000."""
    oldest: datetime | None = None
    """When the first message of the campaign that waits longest was scanned."""


class QueuesRead(Answer):
    """All queues."""

    queues: list[QueueRead]
    rest: int
    """Number of campaigns that wait and are in no queue."""
    unsorted: int = 0
    """Number of campaigns whose language is not known yet. The next requests go on with them."""
