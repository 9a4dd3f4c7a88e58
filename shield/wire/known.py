"""Known campaigns: what reviewers have decided acts at once."""

from datetime import datetime
from enum import StrEnum

from shield.labels import Certainty, ModelType
from shield.wire.base import Answer


class DecidedBy(StrEnum):
    """Whose verdict an answer is."""

    MODEL = "model"
    REVIEWERS = "reviewers"


class KnownStanding(StrEnum):
    """Where a known campaign stands."""

    CHECKING = "checking"
    """One reviewer has decided: matches are marked as being checked."""
    CONFIRMED = "confirmed"
    """Reviewers agree: matches are answered by their decision."""
    REFUSED = "refused"
    """It would have changed verdicts that nobody objected to, or is too short to be told apart."""
    ENDED = "ended"
    """Its decisions were taken back, or contradict each other; or its messages were erased."""
    UNDONE = "undone"
    """Somebody took it back."""
    EXPIRED = "expired"
    """Nothing matched it for a long time."""


class KnownMark(Answer):
    """That a message belongs to a known campaign."""

    id: str
    standing: KnownStanding
    """`checking` or `confirmed`."""
    reason: str
    """In words: who reported and decided, and when."""


class RevisionRead(Answer):
    """That a verdict was corrected after it was told."""

    verdict: str
    """What is right, as reviewers have found since; or again, if they took it back."""
    at: datetime
    known_id: str


class ModelOpinion(Answer):
    """What the model said of a message that reviewers' decision answers."""

    verdict: str
    confidence: float
    certainty: Certainty
    probability: float


class BackCheck(Answer):
    """What an entry would have changed in the last days, counted before it acts."""

    scans: int = 0
    """Scans that it was held against."""
    unobjected: int = 0
    """People whose verdict it would have changed, and who did not object."""
    against: int = 0
    """People who confirmed the verdict that it would have changed, or whose message a reviewer of
    the audit sample found to be otherwise."""
    kin: int = 0
    """People who had nearly its words, and did not object."""
    kin_against: int = 0
    """Those among them who confirmed the verdict, or were found to be right."""
    other_hosts: int = 0
    """Most people who had the same words with one other host, and did not object."""


class KnownRead(Answer):
    """One known campaign."""

    id: str
    model_type: ModelType
    campaign_id: str
    standing: KnownStanding
    label: str | None = None
    """What it is known as. Left out while it is being checked: the second look is blind."""
    text: str | None = None
    """Its message, folded; left out once it was erased."""
    hosts: list[str] = []
    any_host: bool = False
    """The same words with another host are marked as being checked."""
    origin: str | None = None
    """The feed of another deployment that it came from."""
    reviewers: list[str] = []
    """Who decided; left out while it is being checked."""
    reporters: int
    matches: int
    """Scans that it has marked or answered."""
    matches_last_hour: int
    why: str
    checked: BackCheck
    created_at: datetime
    decided_at: datetime
    expires_at: datetime
