"""Golden labels that every model contradicts: what reviewers are asked, and what they found."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import EVERY_LABEL, ModelType
from shield.wire.base import Answer, Identifier, MessageText, VersionName

MOST_DISPUTED = 10
"""Golden messages that one evaluation may ask about: reviewers have other work."""


class DisputedLabel(Wire):
    """A golden message whose label every model of an evaluation contradicts."""

    id: Identifier
    """Of the message in its corpus."""
    text: MessageText
    label: Annotated[str, Field(json_schema_extra={"enum": [*EVERY_LABEL]})]
    """Its label in the golden set."""
    probability: Annotated[float, Field(ge=0, le=1)]
    """Of a scam, by the newest model."""


class DisputedLabels(Wire):
    """Golden labels for reviewers to look at. The messages are of the corpus, not of users."""

    model_type: ModelType
    version: VersionName
    """The version whose evaluation found them."""
    messages: Annotated[list[DisputedLabel], Field(min_length=1, max_length=MOST_DISPUTED)]


class DisputesRead(Answer):
    """What became of disputed golden labels."""

    queued: int
    """Put into the review queue."""
    asked_before: int
    """Left out: reviewers have decided them, or will."""


class ReviewedLabel(Answer):
    """What reviewers found a golden message to be."""

    id: str
    label: str
    """By the reviewers."""
    was: str
    """In the golden set, when they were asked."""
    decided_at: datetime
