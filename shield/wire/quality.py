"""Gold items and the quality of review."""

from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import EVERY_LABEL, FeedbackType, ScanType
from shield.wire.base import Answer, MessageText
from shield.wire.feedback import Decision, ReviewAction
from shield.wire.statistics import Interval


class GoldRequest(Wire):
    """An item whose answer is known, to be mixed into the queue."""

    scan_type: ScanType
    text: MessageText
    verdict: Annotated[str, Field(json_schema_extra={"enum": [*EVERY_LABEL]})]
    """What the model is said to have found."""
    feedback_type: FeedbackType
    """What the user is said to claim."""
    answer: ReviewAction
    """What a good reviewer decides."""


class GuideTactic(Answer):
    """A tactic that a decision may name."""

    id: str
    name: str
    what_gives_it_away: str


class GuideExample(Answer):
    """A decided message that shows what a decision looks like.

    Some are gold items, and nothing says which.
    """

    text: str
    decision: Decision


class GuideRead(Answer):
    """What a reviewer may look up beside an item."""

    tactics: list[GuideTactic]
    reasons: list[str] = []
    """One of these must be chosen with every decision; empty: none is asked for."""
    text: str = ""
    """The team's own guidelines."""
    examples: list[GuideExample] = []


class ReviewerQuality(Answer):
    """How one reviewer judges."""

    reviewer: str
    decided: int
    gold: Interval
    """Share of gold items judged right."""
    kappa: float | None = None
    """Cohen's kappa with the other reviewers on items that two have seen."""
    compared: int = 0
    """Items behind kappa."""


class QualityRead(Answer):
    """How reliable reviewing is."""

    reviewers: list[ReviewerQuality]
    kappa: float | None = None
    """Over all items that two reviewers have seen."""
    compared: int = 0
