"""What people are told afterwards: what became of their reports, and where we were wrong."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import ModelType, ScanType
from shield.wire.base import Answer, Identifier
from shield.wire.scans import ScanAdvice

InboxCursor = Annotated[str, Field(pattern=r"^\d{1,18}$")]
"""Opaque: stands behind the newest notice that was read."""


class NoticeKind(StrEnum):
    """What a notice says."""

    REPORT_RIGHT = "report-right"
    """Reviewers agree with the reader's report."""
    REPORT_WRONG = "report-wrong"
    """Reviewers found otherwise."""
    REPORT_REOPENED = "report-reopened"
    """The decision on the reader's report was taken back."""
    REVISED = "revised"
    """What the reader was told of a message was wrong, as reviewers have found."""
    TAKEN_BACK = "taken-back"
    """What reviewers had found of a message of the reader's was taken back."""


class NoticeRead(Answer):
    """One notice. The sentences are in the language of `Accept-Language`."""

    id: str
    kind: NoticeKind
    at: datetime
    read_at: datetime | None
    superseded: bool
    """A later notice about the same message says otherwise."""
    scan_id: str
    """The reader's message that it is about."""
    scan_type: ScanType
    model_type: ModelType
    scanned_at: datetime
    told: str
    """What the reader was told, or had said of it, before; a label of the model type."""
    found: str | None
    """What reviewers found; null while they are looking again."""
    scam: bool | None
    """`found` in one word; null while they are looking again."""
    people: int
    """Other people who were warned since (of a scam), or spared a false alarm."""
    title: str
    sentence: str
    people_sentence: str | None
    """`people` in words; null where there is nobody yet."""
    advice: ScanAdvice | None
    """What to do now; null where there is nothing to do, or the message is erased."""


class InboxRead(Answer):
    """Notices, the newest first."""

    notices: list[NoticeRead]
    unread: int
    """Of all notices; those that are superseded do not count."""
    cursor: InboxCursor
    """Send it back as `after`, and only what is newer is answered."""


class ReadMarks(Wire):
    """Which notices were read: some by id, or all up to a cursor."""

    ids: list[Identifier] = Field(default=[], max_length=200)
    up_to: InboxCursor | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "ReadMarks":
        if not self.ids and self.up_to is None:
            raise ValueError("name `ids`, or `upTo` with the inbox's cursor")
        return self


class Unread(Answer):
    """How many notices are not read yet."""

    unread: int
