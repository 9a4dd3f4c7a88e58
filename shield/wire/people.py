"""What users know and change of themselves; lineage."""

from datetime import datetime
from enum import StrEnum

from shield.crds.base import Wire
from shield.wire.base import Answer
from shield.wire.registry import VersionRead


class MeRead(Answer):
    """What the system knows of the caller."""

    subject: str
    roles: list[str]
    audit_consent: bool
    """Whether a small share of one's scans may be looked at without having been reported."""
    approved: int
    """Own reports that turned out right."""
    rejected: int


class MeUpdate(Wire):
    """What a user may change."""

    audit_consent: bool


class PairingRead(Answer):
    """A code that connects one phone to an account, once."""

    code: str
    """Ten letters and digits with a dash; `/app#code=...` takes it."""
    subject: str
    expires_at: datetime


class ErasureRead(Answer):
    """What was erased, and what cannot be unlearned."""

    scans: int
    feedback: int
    versions: list[str]
    """Model versions that were trained on the person's messages."""
    batches: list[str]
    """Sealed batches that held them; their copies in the store are deleted or rewritten."""


class LineageKind(StrEnum):
    """What lineage can be asked for."""

    FEEDBACK = "feedback"
    REPORTER = "reporter"
    """By user id or pseudonym."""
    CAMPAIGN = "campaign"
    BATCH = "batch"


class LineageRead(Answer):
    """Every version that learned from a feedback, a reporter, a campaign or a batch."""

    subject: str
    feedback: int
    """Corrections that the subject stands for."""
    batches: list[str]
    versions: list[VersionRead]
    serving: list[str] | None
    """Those that serve now; null while the rollout store does not say."""
