"""What is counted about the versions of a rollout: the API tells it, the operator judges by it.

Field names are camelCase on the wire. Times are UTC.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire


class ArmEvidence(Wire):
    """What is known of one version since a rollout started. Counts of scans, not of users."""

    exposures: Annotated[int, Field(ge=0)] = 0
    """Scans that it answered (or, in shadow, scored)."""
    positives: Annotated[int, Field(ge=0)] = 0
    """... of which it called a scam."""
    counted: Annotated[int, Field(ge=0)] | None = None
    """Exposures that count when the shares of scam verdicts are compared: of each user the first
    `messagesPerUser` of a day, so that no single user rejects a version. None: all."""
    counted_positives: Annotated[int, Field(ge=0)] = 0
    """... of which it called a scam."""
    reports: Annotated[int, Field(ge=0)] = 0
    """Exposures of which the user said that the verdict was wrong, reviewed or not."""
    users: Annotated[int, Field(ge=0)] = 0
    """Users whom it answered."""
    reporters: Annotated[int, Field(ge=0)] = 0
    """... of whom so many said, at least once, that its verdict was wrong."""
    decided: Annotated[int, Field(ge=0)] = 0
    """... of which a reviewer has decided the feedback."""
    verdict_errors: Annotated[int, Field(ge=0)] = 0
    """... of which a reviewer has confirmed that the verdict was wrong."""
    failures: Annotated[int, Field(ge=0)] = 0
    """Requests that it should have answered and did not; they are not among the exposures."""
    failures_in_a_row: Annotated[int, Field(ge=0)] = 0
    """... of which the latest, since its last answer."""
    unreached_in_a_row: Annotated[int, Field(ge=0)] = 0
    """... of which those that found no server: it was down, or starting."""
    latency_p95_ms: Annotated[float, Field(ge=0)] | None = None
    """95th percentile of its latest answers' latency, as users have felt it, waiting included; None
    without answers. It is shown, and not judged."""
    timed: Annotated[int, Field(ge=0)] = 0
    """Its latest requests, at most 500, whose processor time is known, or that its servers refused
    because they had too much to do: what came from a cache, or from a server that has just started,
    is not among them."""
    slow: Annotated[int, Field(ge=0)] = 0
    """... of which took longer than `Evidence.slowAboveMs`, or were refused."""
    processor_median_ms: Annotated[float, Field(ge=0)] | None = None
    """... and the median of those that were answered; None without any."""


class PairedEvidence(Wire):
    """What both versions said of the same messages, and who was right where they disagree.

    Counted are messages of users who agreed that people may read along; of each user a few, and of
    messages that are alike one. They are counted in the order in which they came, up to the first
    of which the decision is still awaited.
    """

    messages: Annotated[int, Field(ge=0)] = 0
    """Messages that count and that both have scored, up to now."""
    disagreements: Annotated[int, Field(ge=0)] = 0
    """... on which they disagree."""
    drawn: Annotated[int, Field(ge=0)] = 0
    """... of which so many were drawn for a reviewer."""
    waiting: Annotated[int, Field(ge=0)] = 0
    """... and are not decided yet."""
    weight: Annotated[float, Field(ge=0)] = 0
    """Messages that were not drawn, each counted by the share at which it could have been."""
    better: Annotated[int, Field(ge=0)] = 0
    """Decided: the version on trial was right, the other wrong."""
    worse: Annotated[int, Field(ge=0)] = 0
    """Decided: the version on trial was wrong, the other right."""
    undecided: Annotated[int, Field(ge=0)] = 0
    """Drawn long ago and still not decided, or erased: they speak for neither side."""


class Evidence(Wire):
    """Both versions of a rollout, counted over the same time."""

    rollout_started: datetime | None = None
    """`status.rolloutStarted` of the rollout that was counted; evidence of another one is ignored.
    None while nothing is on trial."""
    slow_above_ms: Annotated[float, Field(ge=0)] | None = None
    """Processor time above which an answer is slow, for either version; None while it cannot be
    told."""
    stable: ArmEvidence = ArmEvidence()
    """The version to compare with: the stable one, or within the guard window the last known good
    one."""
    candidate: ArmEvidence = ArmEvidence()
    """The version on trial: the candidate, or within the guard window the one just promoted."""
    paired: PairedEvidence = PairedEvidence()
    """Both versions on the same messages."""
