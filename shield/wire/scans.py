"""Messages and verdicts."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import Certainty, FeedbackType, ModelType, ScanType
from shield.routing import Arm
from shield.wire.base import Answer, MessageText
from shield.wire.device import DeviceOpinion
from shield.wire.known import DecidedBy, KnownMark, ModelOpinion, RevisionRead


class ScanRequest(Wire):
    """One message to judge."""

    scan_type: ScanType
    text: MessageText
    """The message, URL or transcript."""
    device: DeviceOpinion | None = None
    """What the phone has said of it by itself, where it has: disagreement is counted."""


class MailRequest(Wire):
    """One mail to judge, as it was received."""

    mail: Annotated[str, Field(min_length=1, max_length=250_000)]
    """The whole of it with its headers (`.eml`); attachments may be left out."""


class FeedbackMark(Answer):
    """That a scan was reported, and what became of it."""

    id: str
    feedback_type: FeedbackType
    status: Literal["pending", "approved", "rejected"]


class ReasonKind(StrEnum):
    """What a reason speaks of; a client may group or mark by it."""

    REVIEWERS = "reviewers"
    """What other people have reported, and reviewers found."""

    TACTIC = "tactic"
    """The kind of scam that it reads like."""
    REQUEST = "request"
    """What it wants."""
    LINK = "link"
    """What its links do."""
    DISGUISE = "disguise"
    """How it hides."""
    PRESSURE = "pressure"
    """How it presses."""
    WHOLE = "whole"
    """How it reads as a whole: there is nothing more particular to say."""
    CALM = "calm"
    """What it does not do."""


class ScanReason(Answer):
    """One sentence on why a message was judged so."""

    id: str
    """Stable; `tactic:parcel-fee` names a tactic of the book of scams."""
    kind: ReasonKind
    sentence: str
    """In the language of `Accept-Language`, English where the sentences are not written in it."""


class ScanAdvice(Answer):
    """What the owner does best now."""

    what_to_do_now: str
    who_to_tell: str | None
    """None where nobody needs to be told."""


class ScanTypeRead(Answer):
    """Whether messages of a kind can be judged now."""

    scan_type: ScanType
    serves: bool
    """False: its first model is not trained yet, or was never asked for."""


class ScanRead(Answer):
    """A verdict."""

    id: str
    scan_type: ScanType
    model_type: ModelType
    verdict: str
    """`spam` or `ham`; `phishing` or `safe` for phishing."""
    confidence: float
    """How far from the operating point, 0.5 to 1: what was said to be sure was right more often."""
    certainty: Certainty
    """Whether the verdict may be told as one: what is sure is right in 98 of 100 cases at least.
    `unsure`: too close to call, or nothing in the text to judge. The verdict is then the likelier
    one."""
    probability: float
    """The same for the scam class, 0 to 1: flagged from one half on, by every version."""
    model_version: str
    arm: Arm
    created_at: datetime
    decided_by: DecidedBy = DecidedBy.MODEL
    """Whose verdict it is."""
    known: KnownMark | None = None
    """The known campaign that the message belongs to, if any."""
    model: ModelOpinion | None = None
    """What the model said, where the message belongs to a known campaign."""
    revised: RevisionRead | None = None
    """What is right instead, where the owner was told wrong; only when it is read back."""
    text: str | None = None
    """Only when one's own scan is read back."""
    feedback: FeedbackMark | None = None
    """What the owner has said of it, if anything."""

    @property
    def model_verdict(self) -> str:
        """Return what the model said, whoever answered: whoever judges a model looks at this."""
        return self.model.verdict if self.model is not None else self.verdict

    reasons: list[ScanReason] = []
    """Why, the weightiest first. They explain the verdict and are no part of it. Empty once the
    text is gone."""
    advice: ScanAdvice | None = None
