"""Gold items, the reviewers' guide, and review quality."""

from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import EVERY_LABEL, FeedbackType, ScanType
from shield.wire.base import Answer, MessageText
from shield.wire.feedback import Decision, ReviewAction
from shield.wire.statistics import Interval


class GoldRequest(Wire):
    """An item with a known answer, to be added to the queue."""

    scan_type: ScanType
    text: MessageText
    verdict: Annotated[str, Field(json_schema_extra={"enum": [*EVERY_LABEL]})]
    """The model's verdict to show."""
    feedback_type: FeedbackType
    """The user's claim to show."""
    answer: ReviewAction
    """The correct decision."""


class GuideTactic(Answer):
    """A tactic that a decision may name."""

    id: str
    name: str
    what_gives_it_away: str


class GuideExample(Answer):
    """A decided message as an example.

    Some are gold items, which are not marked.
    """

    text: str
    decision: Decision


class GuideRead(Answer):
    """The reviewers' guide for an item."""

    tactics: list[GuideTactic]
    reasons: list[str] = []
    """Reasons, one of which every decision needs; empty: none is needed."""
    text: str = ""
    """The team's own guidelines."""
    examples: list[GuideExample] = []


class ReviewerQuality(Answer):
    """Quality figures of one reviewer."""

    reviewer: str
    decided: int
    """Number of judgements in the last 30 days, counted up to 10,000."""
    gold: Interval
    """Share of gold items judged correctly, of the newest 2,000 judgements of them."""
    kappa: float | None = None
    """Cohen's kappa with other reviewers on items judged by two, among the newest 2,000 such items
    of all reviewers."""
    compared: int = 0
    """Number of items in kappa."""


class QualityRead(Answer):
    """Review quality, overall and by reviewer."""

    reviewers: list[ReviewerQuality]
    kappa: float | None = None
    """Kappa over the newest 2,000 items judged by two reviewers."""
    compared: int = 0
