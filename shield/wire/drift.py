"""What the drift watch looks at, and what it says."""

from datetime import datetime
from enum import StrEnum

from shield.labels import ModelType
from shield.routing import Arm
from shield.wire.base import Answer

DRIFT_TRIGGER = "drift watch"
"""The trigger of a run that began as a look for drift; where there was some, it went on."""
DRIFT_STEP = "drift"
"""The step of such a run that holds its `DriftLook`."""


class DriftVerdict(StrEnum):
    """What a look, or one of its signals, says."""

    RETRAIN = "retrain"
    STEADY = "steady"
    CANNOT_TELL = "cannot_tell"
    """Too little was seen; never the same as `steady`."""


class Tally(Answer):
    """How often something happened."""

    events: int
    trials: int


class ArmTally(Answer):
    """What users and reviewers said of one version on one arm."""

    version: str
    arm: Arm
    scans: int
    objections: int
    """Scans whose user said that the verdict was wrong, decided or not."""
    errors: int
    """Verdicts that a reviewer found wrong."""


class CampaignText(Answer):
    """A campaign of confirmed scams that began after the champion's release."""

    id: str
    text: str
    """Its first message, numbers, links and addresses masked."""
    first_seen: datetime
    reports: int


class DriftDay(Answer):
    """What was seen of a champion on one day; days are counted from its release."""

    number: int
    """0 is the first day, from the release on."""
    misses: Tally
    """Audited scams that were decided on that day, and those that it had let through."""
    false_alarms: Tally
    """Audited harmless messages that were decided on that day, and those that it had flagged."""
    complaints: Tally
    """Scans of that day, and those whose verdict a reviewer found wrong."""
    objections: Tally
    """Scans of its arm on that day, and those that their users objected to."""
    scores: list[int]
    """Different messages that came first on that day, by score: bins as in
    `shield.metrics.SCORE_EDGES`."""


class DriftFacts(Answer):
    """What has been seen of a champion since its release."""

    version: str
    since: datetime
    """Its release."""
    days: list[DriftDay]
    """Oldest first; days on which nothing was seen are left out."""
    arms: list[ArmTally]
    """The champion since its release; other versions since thirty days before."""
    campaigns: list[CampaignText]
    """Oldest first."""


class DriftSignal(Answer):
    """What one signal says."""

    name: str
    says: DriftVerdict
    events: int
    trials: int
    limit: float | None = None
    """The rate above which it is drift; null where there is nothing to compare with."""
    evidence: float = 0.0
    """Logarithm of the evidence, as a share of what is needed: from 1 on it asks."""
    message: str


class DriftLook(Answer):
    """One look for drift, as it is kept with its run."""

    model_type: ModelType
    champion: str | None
    at: datetime
    verdict: DriftVerdict
    alpha: float
    """Chance of asking needlessly within a year, over all signals."""
    signals: list[DriftSignal] = []
    arms: list[ArmTally] = []
    retrains: bool = False
    """Whether the run goes on as a retraining."""
    reason: str
    """Why it asks for a retraining, or why not."""
