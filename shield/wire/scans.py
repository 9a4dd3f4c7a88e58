"""Messages and verdicts."""

from datetime import datetime
from typing import Literal

from shield.crds.v1alpha1 import Wire
from shield.labels import FeedbackType, ModelType, ScanType
from shield.routing import Arm
from shield.wire.base import Answer, MessageText


class ScanRequest(Wire):
    """One message to judge."""

    scan_type: ScanType
    text: MessageText
    """The message, URL or transcript."""


class FeedbackMark(Answer):
    """That a scan was reported, and what became of it."""

    id: str
    feedback_type: FeedbackType
    status: Literal["pending", "approved", "rejected"]


class ScanRead(Answer):
    """A verdict."""

    id: str
    scan_type: ScanType
    model_type: ModelType
    verdict: str
    """`spam` or `ham`; `phishing` or `safe` for phishing."""
    confidence: float
    """How far from the operating point, 0.5 to 1: what was said to be sure was right more often."""
    probability: float
    """The same for the scam class, 0 to 1: flagged from one half on, by every version."""
    model_version: str
    arm: Arm
    created_at: datetime
    text: str | None = None
    """Only when one's own scan is read back."""
    feedback: FeedbackMark | None = None
    """What the owner has said of it, if anything."""
