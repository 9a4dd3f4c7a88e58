"""Notices to users about the outcome of their reports and about corrected verdicts."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import ModelType, ScanType
from shield.wire.base import Answer, Identifier
from shield.wire.scans import ScanAdvice

InboxCursor = Annotated[str, Field(pattern=r"^\d{1,18}$")]
"""Opaque cursor, positioned after the newest notice of a response."""


class NoticeKind(StrEnum):
    """Kind of a notice."""

    REPORT_RIGHT = "report-right"
    """Reviewers agreed with the user's report."""
    REPORT_WRONG = "report-wrong"
    """Reviewers disagreed with the user's report."""
    REPORT_REOPENED = "report-reopened"
    """The decision on the user's report was undone."""
    REVISED = "revised"
    """A verdict shown to the user was wrong, according to reviewers."""
    TAKEN_BACK = "taken-back"
    """A reviewers' decision that answered the user's message was undone."""


class NoticeRead(Answer):
    """One notice. The sentences are in the language of `Accept-Language`."""

    id: str
    kind: NoticeKind
    at: datetime
    read_at: datetime | None
    superseded: bool
    """Whether a later notice about the same message replaces this one."""
    scan_id: str
    """The user's message."""
    scan_type: ScanType
    model_type: ModelType
    scanned_at: datetime
    told: str
    """The label that the user was shown or had claimed before."""
    found: str | None
    """The label decided by reviewers; null while it is undecided again."""
    scam: bool | None
    """Whether `found` is a scam; null while it is undecided again."""
    people: int
    """Number of other users since warned of the scam, or spared a false alarm."""
    title: str
    sentence: str
    people_sentence: str | None
    """Sentence about `people`; null if there are none yet."""
    advice: ScanAdvice | None
    """What to do now; null if there is nothing to do or the message was erased."""


class InboxRead(Answer):
    """Notices, newest first."""

    notices: list[NoticeRead]
    unread: int
    """Number of all unread notices, without superseded ones."""
    cursor: InboxCursor
    """Send it as `after` to get only newer notices."""


class ReadMarks(Wire):
    """Notices to mark as read: by id, or all up to a cursor."""

    ids: list[Identifier] = Field(default=[], max_length=200)
    up_to: InboxCursor | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "ReadMarks":
        if not self.ids and self.up_to is None:
            raise ValueError("name `ids`, or `upTo` with the inbox's cursor")
        return self


class Unread(Answer):
    """The number of unread notices."""

    unread: int
