"""Contests: whoever sends honest messages that are flagged says so, without an account."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shield.crds.base import Wire
from shield.labels import ModelType, ScanType
from shield.wire.base import NO_NUL, Answer, MessageText, Note

Receipt = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
"""Shown once to whoever contests; with it the answer is read. Dashes, blanks and case do not
count."""
Contact = Annotated[str, StringConstraints(max_length=320, pattern=NO_NUL)]
"""A mail address or telephone number."""


class ContestState(StrEnum):
    """Where a contest stands."""

    WAITING = "waiting"
    """Reviewers have not decided yet."""
    HARMLESS = "harmless"
    """Reviewers found the message harmless."""
    SCAM = "scam"
    """Reviewers found the message to be a scam."""
    NOT_FLAGGED = "not-flagged"
    """Nobody who gets the message now is warned of it, so there was nothing to decide."""


class ContestRequest(Wire):
    """A message that is flagged, and why it should not be."""

    scan_type: ScanType = ScanType.TEXT
    text: MessageText
    """The message as it is sent to people."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
    """Who sends it and why it is honest. Reviewers read it."""
    contact: Contact | None = None
    """How the sender can be reached; left out, the receipt is the only way to the answer."""


class ReceiptRequest(Wire):
    """Whose contest is meant."""

    receipt: Receipt


class ContestAnswer(Answer):
    """What the sender is told."""

    state: ContestState
    sentence: str
    """`state` in words."""
    answer: str | None = None
    """What a reviewer wrote to the sender."""
    created_at: datetime
    decided_at: datetime | None = None
    receipt: str | None = None
    """Shown once, when the contest is made: four letters at a time, with dashes."""


class ContestMark(Answer):
    """That a sender contests a message of a campaign."""

    id: str
    reason: str
    at: datetime


class ContestRead(Answer):
    """One contest, as reviewers see it."""

    id: str
    state: ContestState
    scan_type: ScanType
    model_type: ModelType
    text: str | None
    """The message; null once it is erased."""
    reason: str
    contact: str | None
    feedback_id: str | None
    """Its item in the queue; null if nobody was warned of the message."""
    campaign_id: str | None
    known_id: str | None
    """The known campaign that flagged it, if it was not the model."""
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    created_at: datetime
    decided_at: datetime | None


class AnswerRequest(Wire):
    """What a reviewer writes to a sender."""

    answer: Annotated[Note, Field(min_length=1)]
