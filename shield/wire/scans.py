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
    """The phone's own verdict, if any, to count disagreements."""


class MailRequest(Wire):
    """One raw mail to judge."""

    mail: Annotated[str, Field(min_length=1, max_length=250_000)]
    """The complete mail with headers (`.eml`); attachments may be omitted."""


class FeedbackMark(Answer):
    """The report on a scan, and its status."""

    id: str
    feedback_type: FeedbackType
    status: Literal["pending", "approved", "rejected"]


class ReasonKind(StrEnum):
    """Topic of a reason, for grouping in clients."""

    REVIEWERS = "reviewers"
    """Reports by other users and decisions of reviewers."""

    TACTIC = "tactic"
    """The kind of scam."""
    REQUEST = "request"
    """What the message asks for."""
    LINK = "link"
    """The message's links."""
    DISGUISE = "disguise"
    """Disguises in the message."""
    PRESSURE = "pressure"
    """Pressure on the recipient."""
    WHOLE = "whole"
    """The message as a whole, without a more specific reason."""
    CALM = "calm"
    """What the message does not do."""


class ScanReason(Answer):
    """One sentence that explains the verdict."""

    id: str
    """Stable id; `tactic:parcel-fee` refers to a tactic of the book of scams."""
    kind: ReasonKind
    sentence: str
    """In the language of `Accept-Language`, else in English."""


class ScanAdvice(Answer):
    """Advice to the user."""

    what_to_do_now: str
    who_to_tell: str | None
    """Whom to tell; null if nobody."""


class ScanTypeRead(Answer):
    """Whether messages of a scan type can be judged now."""

    scan_type: ScanType
    serves: bool
    """Whether a model serves this type."""


class ScanRead(Answer):
    """A verdict."""

    id: str
    scan_type: ScanType
    model_type: ModelType
    verdict: str
    """`spam` or `ham`; `phishing` or `safe` for phishing."""
    confidence: float
    """Calibrated distance from the operating point, 0.5 to 1."""
    certainty: Certainty
    """`sure`: the verdict is right in at least 98 of 100 cases. `unsure`: too close to the
    operating point, or nothing in the text to judge; the verdict is then the more likely one."""
    probability: float
    """The same for the scam class, 0 to 1; from 0.5 on the message is flagged, by every version."""
    model_version: str
    arm: Arm
    created_at: datetime
    decided_by: DecidedBy = DecidedBy.MODEL
    """Source of the verdict."""
    known: KnownMark | None = None
    """The known campaign of the message, if any."""
    model: ModelOpinion | None = None
    """The model's verdict, if the message belongs to a known campaign."""
    revised: RevisionRead | None = None
    """Later correction of the verdict, if any; only when the scan is read again."""
    text: str | None = None
    """The text; only when the owner reads the scan again."""
    feedback: FeedbackMark | None = None
    """The owner's report, if any."""

    @property
    def model_verdict(self) -> str:
        """Return the model's own verdict, also if reviewers answered; for evaluations of models."""
        return self.model.verdict if self.model is not None else self.verdict

    reasons: list[ScanReason] = []
    """Reasons for the verdict, the most important first. Explanatory only. Empty after the text was
    erased."""
    advice: ScanAdvice | None = None
