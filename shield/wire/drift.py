"""Inputs and results of the drift watch."""

from datetime import datetime
from enum import StrEnum

from shield.labels import ModelType
from shield.routing import Arm
from shield.wire.base import Answer

DRIFT_TRIGGER = "drift watch"
"""Trigger of a run that starts as a drift check and continues as a retraining on drift."""
DRIFT_STEP = "drift"
"""Step of such a run that contains its `DriftLook`."""


class DriftVerdict(StrEnum):
    """Result of a drift check or of one signal."""

    RETRAIN = "retrain"
    STEADY = "steady"
    CANNOT_TELL = "cannot_tell"
    """Too few observations; not the same as `steady`."""


class Tally(Answer):
    """Number of events among observations."""

    events: int
    trials: int


class ArmTally(Answer):
    """Reports and decisions about one version on one arm."""

    version: str
    arm: Arm
    scans: int
    objections: int
    """Scans whose user objected to the verdict, decided or not."""
    errors: int
    """Verdicts that a reviewer decided to be wrong."""


class CampaignText(Answer):
    """A campaign of confirmed scams that began after the champion's release."""

    id: str
    text: str
    """Its first message, numbers, links and addresses masked."""
    first_seen: datetime
    reports: int


class DriftDay(Answer):
    """Counts of a champion on one day; days are counted from its release."""

    number: int
    """Day number; 0 begins at the release."""
    misses: Tally
    """Audited scams decided on that day, and those that the champion missed."""
    false_alarms: Tally
    """Audited harmless messages decided on that day, and those that the champion flagged."""
    complaints: Tally
    """Scans of that day, and those whose verdict a reviewer decided to be wrong."""
    objections: Tally
    """Scans of its arm on that day, and those with an objection of their user."""
    scores: list[int]
    """Distinct messages first seen on that day, by score in the bins of
    `shield.metrics.SCORE_EDGES`."""


class DriftFacts(Answer):
    """Daily counts of a champion since its release."""

    version: str
    since: datetime
    """Time of its release."""
    days: list[DriftDay]
    """Oldest first; days without observations are left out."""
    arms: list[ArmTally]
    """The champion since its release, and other versions from thirty days before."""
    campaigns: list[CampaignText]
    """Oldest first."""


class DriftSignal(Answer):
    """Result of one signal."""

    name: str
    says: DriftVerdict
    events: int
    trials: int
    limit: float | None = None
    """Rate above which it is drift; null without a reference."""
    evidence: float = 0.0
    """Logarithm of the evidence as a share of the threshold; at 1 a retraining is requested."""
    message: str


class DriftLook(Answer):
    """Result of one drift check, stored with its run."""

    model_type: ModelType
    champion: str | None
    at: datetime
    verdict: DriftVerdict
    alpha: float
    """Probability of a false alarm within a year, over all signals."""
    signals: list[DriftSignal] = []
    arms: list[ArmTally] = []
    retrains: bool = False
    """Whether the run continues as a retraining."""
    reason: str
    """Why a retraining is requested or not."""
