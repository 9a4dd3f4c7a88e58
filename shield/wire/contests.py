"""Contests: senders of harmless messages object to their being flagged, without an account."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from shield.crds.base import Wire
from shield.labels import ModelType, ScanType
from shield.wire.base import NO_NUL, Answer, MessageText, Note

Receipt = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
"""Receipt of a contest, shown once; needed to read the answer. Dashes, blanks and case are
ignored."""
Contact = Annotated[str, StringConstraints(max_length=320, pattern=NO_NUL)]
"""A mail address or telephone number."""


class ContestState(StrEnum):
    """State of a contest."""

    WAITING = "waiting"
    """Reviewers have not decided yet."""
    HARMLESS = "harmless"
    """Reviewers found the message harmless."""
    SCAM = "scam"
    """Reviewers found the message to be a scam."""
    NOT_FLAGGED = "not-flagged"
    """The message is not flagged now, so there was nothing to decide."""


class ContestRequest(Wire):
    """A flagged message, and why it should not be flagged."""

    scan_type: ScanType = ScanType.TEXT
    text: MessageText
    """The message as sent to its recipients."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
    """Who sends the message and why it is harmless, for the reviewers."""
    contact: Contact | None = None
    """Contact of the sender; without one, the answer can only be read with the receipt."""


class ReceiptRequest(Wire):
    """The receipt of a contest."""

    receipt: Receipt


class ContestAnswer(Answer):
    """A contest in the form shown to the sender."""

    state: ContestState
    sentence: str
    """Text that explains `state`."""
    answer: str | None = None
    """A reviewer's message to the sender."""
    created_at: datetime
    decided_at: datetime | None = None
    receipt: str | None = None
    """Shown once, when the contest is made: four letters at a time, with dashes."""


class ContestMark(Answer):
    """A sender's contest of a message of the campaign."""

    id: str
    reason: str
    at: datetime


class ContestRead(Answer):
    """A contest in the form shown to reviewers."""

    id: str
    state: ContestState
    scan_type: ScanType
    model_type: ModelType
    text: str | None
    """The message; null once it is erased."""
    reason: str
    contact: str | None
    feedback_id: str | None
    """Id of its item in the review queue; null if the message was not flagged."""
    campaign_id: str | None
    known_id: str | None
    """The known campaign that flagged it, if it was not the model."""
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None
    created_at: datetime
    decided_at: datetime | None


class AnswerRequest(Wire):
    """A reviewer's message to a sender."""

    answer: Annotated[Note, Field(min_length=1)]
