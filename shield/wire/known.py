"""Known campaigns: reviewers' decisions that answer later copies of a message."""

from datetime import datetime
from enum import StrEnum

from shield.labels import Certainty, ModelType
from shield.wire.base import Answer


class DecidedBy(StrEnum):
    """Source of a verdict: the model or reviewers."""

    MODEL = "model"
    REVIEWERS = "reviewers"


class KnownStanding(StrEnum):
    """Standing of a known campaign."""

    CHECKING = "checking"
    """One reviewer has decided: matches are marked as being checked."""
    CONFIRMED = "confirmed"
    """Reviewers agree: matches are answered by their decision."""
    REFUSED = "refused"
    """It would have changed too many verdicts without objections, or its text is too short."""
    ENDED = "ended"
    """Its decisions were undone or contradict each other, or its messages were erased."""
    UNDONE = "undone"
    """A person undid it."""
    EXPIRED = "expired"
    """It had no matches for a long time."""


class KnownMark(Answer):
    """The known campaign of a message."""

    id: str
    standing: KnownStanding
    """`checking` or `confirmed`."""
    reason: str
    """Text on who reported and decided it, and when."""


class RevisionRead(Answer):
    """Correction of a verdict after it was shown."""

    verdict: str
    """The correct label according to reviewers, or the original one after an undo."""
    at: datetime
    known_id: str


class ModelOpinion(Answer):
    """The model's verdict on a message answered by a reviewers' decision."""

    verdict: str
    confidence: float
    certainty: Certainty
    probability: float


class BackCheck(Answer):
    """Verdicts of the last days that an entry would have changed, counted before it answers."""

    scans: int = 0
    """Number of scans checked."""
    unobjected: int = 0
    """Users whose verdict it would have changed and who did not object."""
    against: int = 0
    """Users who confirmed the verdict that it would have changed, or for whom a reviewer of the
    audit sample did."""
    kin: int = 0
    """Users with similar messages who did not object."""
    kin_against: int = 0
    """Those of them whose verdict was confirmed."""
    other_hosts: int = 0
    """Largest number of users with the same words and one other host who did not object."""


class KnownRead(Answer):
    """One known campaign."""

    id: str
    model_type: ModelType
    campaign_id: str
    standing: KnownStanding
    label: str | None = None
    """The decided label. Omitted while it is being checked, since the second look is blind."""
    text: str | None = None
    """The folded message; omitted after its erasure."""
    hosts: list[str] = []
    any_host: bool = False
    """Whether the same words with another host are shown as unsure."""
    origin: str | None = None
    """The feed of another deployment that it was imported from."""
    reviewers: list[str] = []
    """Reviewers who decided; omitted while it is being checked."""
    reporters: int
    matches: int
    """Number of scans that it has marked or answered."""
    matches_last_hour: int
    why: str
    checked: BackCheck
    created_at: datetime
    decided_at: datetime
    expires_at: datetime
